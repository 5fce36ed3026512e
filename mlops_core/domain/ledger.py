"""The ledger's entries: what happened to the versions of a model, who did it, when and why.

Entries are appended and never changed. Each holds the digest of the one before, so that a changed, missing or
exchanged entry is noticed by whoever reads the ledger.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from mlops_core.domain.digest import digest_of
from mlops_core.domain.gates import Approval, GateDecision
from mlops_core.domain.registry import Stage
from mlops_core.domain.traffic import Bounds
from mlops_core.domain.value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Adopted",
    "AnyEvent",
    "ApprovalRequested",
    "Approved",
    "Archived",
    "Binding",
    "Decided",
    "Deployed",
    "Draft",
    "Entry",
    "Promoted",
    "Refused",
    "Registered",
    "RolledBack",
    "TrialEnded",
    "Tried",
    "entries_after",
]


class Registered(Value):
    """A version was registered, in Staging."""

    kind: Literal["registered"] = "registered"
    run_id: str
    training_set: str
    definitions: str
    code: str


class Decided(Value):
    """The gate decided on it."""

    kind: Literal["decided"] = "decided"
    decision: GateDecision


class Binding(Value):
    """What a person is asked about, by digest: a change of any of it makes another question.

    `champion` is the model in Production, `report` the report's file.
    """

    model: str
    training_set: str
    definitions: str
    code: str
    policy: str
    decision: str
    champion: str | None
    report: str

    @property
    def digest(self) -> str:
        """Names the question: what an answer refers to."""
        return digest_of(self)


class ApprovalRequested(Value):
    """A person is asked whether it may go to Production. `report_path` is where the report lay then."""

    kind: Literal["approval requested"] = "approval requested"
    binding: Binding
    terms: Approval
    expires_at: datetime
    report_path: str


class Approved(Value):
    """A person consented to `request`, the digest of a binding."""

    kind: Literal["approved"] = "approved"
    request: str


class Refused(Value):
    """A person refused `request`."""

    kind: Literal["refused"] = "refused"
    request: str


class Promoted(Value):
    """It went to Production; the one there before is archived in the same step.

    `champion` was in Production then. `decision` is the digest of the gate's decision that it rests on and
    `request` of the approval, where one was wanted; both None after a rollback. `waived` are failed checks
    that a person passed over by name.
    """

    kind: Literal["promoted"] = "promoted"
    champion: int | None = None
    decision: str | None = None
    request: str | None = None
    waived: tuple[str, ...] = ()


class Archived(Value):
    """It left Production for `successor`."""

    kind: Literal["archived"] = "archived"
    successor: int


class RolledBack(Value):
    """It was taken out of Production in favour of `to`, and does not come back unless it is named."""

    kind: Literal["rolled back"] = "rolled back"
    to: int


class Deployed(Value):
    """It is served from `release`, whose manifest has digest `content`."""

    kind: Literal["deployed"] = "deployed"
    release: str
    content: str


class Tried(Value):
    """It is tried on callers, from `release`, whose content has digest `content`; the rest is `Share`'s."""

    kind: Literal["tried"] = "tried"
    percent: int
    shadow: bool = False
    bounds: Bounds
    release: str
    content: str


class TrialEnded(Value):
    """Its trial is over. `requests` it was given, `errors` of them failed; None where nobody told.

    By the "target", which took it back for its bounds: it does not come back unless it is named. By a
    "person", a "promotion" or "another trial"; "refused" when the target never let it begin.
    """

    kind: Literal["trial ended"] = "trial ended"
    by: Literal["target", "person", "promotion", "another trial", "refused"]
    requests: int | None = None
    errors: int | None = None


class Adopted(Value):
    """It was found in `stage` when this ledger began, its own history not being known."""

    kind: Literal["adopted"] = "adopted"
    stage: Stage


AnyEvent = Annotated[
    Registered
    | Decided
    | ApprovalRequested
    | Approved
    | Refused
    | Promoted
    | Archived
    | RolledBack
    | Deployed
    | Tried
    | TrialEnded
    | Adopted,
    Field(discriminator="kind"),
]


class Draft(Value):
    """An entry before it has a place: which version (by number and digest), what happened, who and why."""

    version: int = Field(ge=1)
    model: str
    event: AnyEvent
    actor: str
    reason: str


class Entry(Draft):
    """An entry of the ledger of `name`; numbers count from 1. `previous` is the digest of the one before."""

    name: str
    number: int = Field(ge=1)
    at: datetime
    previous: str | None

    @property
    def digest(self) -> str:
        """Digest of the entry, its link to all before it included."""
        return digest_of(self)


def entries_after(
    last: Entry | None, name: str, drafts: Sequence[Draft], *, now: datetime | None = None
) -> tuple[Entry, ...]:
    """The drafts as the entries that follow `last`, all at one instant, which is never before that one's."""
    at = now or datetime.now(UTC)
    if last is not None:
        at = max(at, last.at)
    made: list[Entry] = []
    for draft in drafts:
        before = made[-1] if made else last
        made.append(
            Entry(
                **dict(draft),
                name=name,
                number=before.number + 1 if before else 1,
                at=at,
                previous=before.digest if before else None,
            )
        )
    return tuple(made)
