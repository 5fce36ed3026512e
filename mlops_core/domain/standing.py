"""Where the versions of a model stand, by the ledger: computed from its entries and from nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from mlops_core.domain.ledger import (
    Adopted,
    ApprovalRequested,
    Approved,
    Archived,
    Decided,
    Deployed,
    Promoted,
    Refused,
    Registered,
    RolledBack,
    TrialEnded,
    Tried,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mlops_core.domain.gates import GateDecision
    from mlops_core.domain.ledger import Entry
    from mlops_core.domain.registry import Stage

__all__ = ["Request", "Standing"]

Answer = Literal["waiting", "approved", "refused", "expired"]


@dataclass(frozen=True)
class Request:
    """A question put to a person, and the answer, if one came."""

    asked: Entry
    what: ApprovalRequested
    answered: Entry | None = None

    @property
    def digest(self) -> str:
        """Names the question."""
        return self.what.binding.digest

    def status(self, now: datetime) -> Answer:
        """A consent expires with its request; a refusal stays."""
        if self.answered is not None and isinstance(self.answered.event, Refused):
            return "refused"
        if now >= self.what.expires_at:
            return "expired"
        return "waiting" if self.answered is None else "approved"


@dataclass(frozen=True)
class Standing:
    """What the entries of one model's ledger amount to.

    `models` are digests, `decisions` and `requests` the newest, by version. `served` are the entries of what
    was served, oldest first. `withdrawn` are the entries by which versions were rolled back from, or taken
    back by their target while they were tried, that nobody has named since. `trial` is the entry of the
    version on trial. `production` is the version in Production: one at most, and never none again once there
    was one.
    """

    name: str
    entries: tuple[Entry, ...] = ()
    production: int | None = None
    stages: dict[int, Stage] = field(default_factory=dict)
    models: dict[int, str] = field(default_factory=dict)
    decisions: dict[int, GateDecision] = field(default_factory=dict)
    requests: dict[int, Request] = field(default_factory=dict)
    served: tuple[Entry, ...] = ()
    withdrawn: dict[int, Entry] = field(default_factory=dict)
    trial: Entry | None = None

    @classmethod
    def of(cls, name: str, entries: Sequence[Entry]) -> Standing:
        """Read the entries in their order."""
        standing = cls(name=name, entries=tuple(entries))
        for entry in entries:
            standing = standing._after(entry)
        return standing

    @property
    def head(self) -> int:
        """Number of the last entry, 0 before the first."""
        return len(self.entries)

    @property
    def origin(self) -> str | None:
        """Digest of the first entry: tells this ledger from any other of the same name."""
        if self.head > 1:  # as it was stored: a later version of this software would write it otherwise
            return self.entries[1].previous
        return self.entries[0].digest if self.entries else None

    @property
    def champion(self) -> str | None:
        """Digest of the model in Production."""
        return None if self.production is None else self.models[self.production]

    @property
    def last_served(self) -> Entry | None:
        """What was served last."""
        return self.served[-1] if self.served else None

    def at(self, instant: datetime) -> Standing:
        """How things stood at an instant."""
        return Standing.of(self.name, [entry for entry in self.entries if entry.at <= instant])

    def since(self, version: int) -> Entry | None:
        """The entry that last brought a version to Production."""
        found = [one for one in self.entries if one.version == version and _to_production(one)]
        return found[-1] if found else None

    def _after(self, entry: Entry) -> Standing:  # noqa: C901 - one case a kind of event
        changed: dict[str, object] = {"models": {**self.models, entry.version: entry.model}}
        version = entry.version
        match entry.event:
            case Registered():
                changed["stages"] = {version: "Staging", **self.stages}
            case Adopted(stage=stage):
                changed["stages"] = {**self.stages, version: stage}
                changed["production"] = version if stage == "Production" else self.production
            case Decided(decision=decision):
                changed["decisions"] = {**self.decisions, version: decision}
            case ApprovalRequested() as asked:
                changed["requests"] = {**self.requests, version: Request(entry, asked)}
            case Approved(request=request) | Refused(request=request):
                changed["requests"] = self._answered(entry, request)
            case Promoted():
                changed["production"] = version
                changed["stages"] = {**self.stages, version: "Production"}
                changed["withdrawn"] = _without(self.withdrawn, version)
            case Archived():
                changed["stages"] = {**self.stages, version: "Archived"}
            case RolledBack():
                changed["withdrawn"] = {**self.withdrawn, version: entry}
            case Tried() | TrialEnded():
                changed |= self._tried(entry)
            case Deployed():
                changed["served"] = (*self.served, entry)
        return Standing(**{**vars(self), **changed})

    def _tried(self, entry: Entry) -> dict[str, object]:
        event = entry.event
        if not isinstance(event, TrialEnded):
            return {"trial": entry}
        if event.by != "target":
            return {"trial": None}
        return {"trial": None, "withdrawn": {**self.withdrawn, entry.version: entry}}

    def _answered(self, entry: Entry, digest: str) -> dict[int, Request]:
        request = self.requests.get(entry.version)
        if request is None or request.digest != digest or request.answered is not None:
            return self.requests
        return {**self.requests, entry.version: Request(request.asked, request.what, entry)}


def _to_production(entry: Entry) -> bool:
    event = entry.event
    return isinstance(event, Promoted) or (isinstance(event, Adopted) and event.stage == "Production")


def _without(withdrawn: dict[int, Entry], version: int) -> dict[int, Entry]:
    return {number: entry for number, entry in withdrawn.items() if number != version}
