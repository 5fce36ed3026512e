"""What a release of a version stands on: the decision, the approval, and what a person passed over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from mlops_core.domain.ledger import ApprovalRequested, Approved, Decided, Promoted
from mlops_core.domain.standing import Request

if TYPE_CHECKING:
    from collections.abc import Collection

    from mlops_core.domain.gates import GateDecision
    from mlops_core.domain.standing import Standing

__all__ = ["Grounds"]


@dataclass(frozen=True)
class Grounds:
    """`decision` is None for a version that was adopted without one, `request` where nobody was asked."""

    decision: GateDecision | None = None
    request: Request | None = None
    waived: tuple[str, ...] = ()

    @property
    def digest(self) -> str | None:
        """Digest of the decision."""
        return self.decision.digest if self.decision else None

    @classmethod
    def of(
        cls, standing: Standing, number: int, waive: Collection[str] = (), *, served: bool = False
    ) -> Self:
        """What the version was last promoted by; before that, its newest decision with `waive` passed over.

        A version that left Production and was decided on anew since is about to be promoted by that, unless
        it is wanted as it `served`.
        """
        promoted = [one for one in standing.entries if one.version == number and _by_decision(one.event)]
        decided = [
            one for one in standing.entries if one.version == number and isinstance(one.event, Decided)
        ]
        last = promoted[-1] if promoted else None
        anew = bool(decided) and (last is None or decided[-1].number > last.number)
        if last is None or (anew and standing.production != number and not served):
            decision = standing.decisions.get(number)
            waived = tuple(name for name in decision.failed if name in waive) if decision else ()
            wanted = decision is not None and decision.policy.approval is not None
            return cls(decision, standing.requests.get(number) if wanted else None, waived)
        event = last.event
        assert isinstance(event, Promoted)  # noqa: S101 - what was looked for
        behind = (one.event.decision for one in decided if isinstance(one.event, Decided))
        found = next((one for one in behind if one.digest == event.decision), None)
        return cls(found, _request(standing, number, event.request), event.waived)


def _by_decision(event: object) -> bool:
    return isinstance(event, Promoted) and event.decision is not None


def _request(standing: Standing, number: int, digest: str | None) -> Request | None:
    """The question of that digest with its answer, though another may have been put since."""
    found: Request | None = None
    for entry in standing.entries:
        event = entry.event
        if entry.version != number:
            continue
        if isinstance(event, ApprovalRequested) and event.binding.digest == digest:
            found = Request(entry, event)
        elif isinstance(event, Approved) and event.request == digest and found is not None:
            found = Request(found.asked, found.what, entry)
    return found
