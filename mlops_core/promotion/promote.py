"""To Production: in one step of the ledger, when everything that was asked for holds at that moment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlops_core.domain.ledger import Archived, Draft, Promoted
from mlops_core.errors import NotFound, Superseded
from mlops_core.promotion.approval import current_question, standing_decision
from mlops_core.promotion.ending import ending, settled
from mlops_core.promotion.record import draft, mirror, record, signed
from mlops_core.promotion.target import prepared, serve

if TYPE_CHECKING:
    from collections.abc import Collection

    from mlops_core.domain.gates import GateDecision, GatePolicy
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.release import Release
    from mlops_core.domain.standing import Standing
    from mlops_core.ports import Engines

__all__ = ["archiving", "cleared", "promote", "put_into_production"]


def put_into_production(
    engines: Engines,
    version: ModelVersion,
    policy: GatePolicy,
    *,
    actor: str,
    reason: str,
    named: bool = False,
    waive: Collection[str] = (),
) -> Release:
    """Release a version, prove it, promote it and serve it; what was done already is found done.

    The order makes every interruption harmless: a release that nobody follows, then one step in the ledger,
    then the target and the registry, which follow the ledger and can be made to at any time.

    Raises as `promote` does, `IntegrityError` when the model is not what was registered, and `Superseded` as
    well when another version was promoted before this one served.
    """
    actor, reason = signed(f"{version.name} version {version.number}", actor, reason)
    settled(engines, version.name)
    prepared(engines, version, waive=waive)
    promote(engines, version, policy, actor=actor, reason=reason, named=named, waive=waive)
    release = serve(engines, version.name, actor=actor, reason=reason)
    mirror(engines, version.name)
    if release.version != version.number:
        raise Superseded(
            f"{version.name} version {version.number} was promoted, and right after it version "
            f"{release.version}, which serves now: see `mlops history {version.name}`"
        )
    return release


def promote(
    engines: Engines,
    version: ModelVersion,
    policy: GatePolicy,
    *,
    actor: str,
    reason: str,
    named: bool = False,
    waive: Collection[str] = (),
) -> Standing:
    """Move a version to Production and archive the one there, in one step of the ledger.

    The gate's decision must have been made on this model, with this policy and code and against the champion
    that is there at this moment, and have passed, but for checks that a person waives by name; where the
    policy asks for a person, an approval of just that must be there. `named` says that a person named this
    version: else one that was rolled back from does not come back. A version that is in Production stays.

    Raises `Superseded` when any of that does not hold (any more), `NotFound` when nothing was decided.
    """

    def wanted(standing: Standing) -> list[Draft]:
        if standing.production == version.number:
            return []
        decision, request = cleared(engines, standing, version, policy, named=named, waive=waive)
        event = Promoted(
            champion=standing.production,
            decision=decision.digest,
            request=request,
            waived=tuple(name for name in decision.failed if name in waive),
        )
        return [
            *ending(engines, standing, "promotion", actor, reason),
            draft(version, event, actor, reason),
            *archiving(standing, version.number, actor, reason),
        ]

    return record(engines.ledger, version.name, wanted)


def cleared(
    engines: Engines,
    standing: Standing,
    version: ModelVersion,
    policy: GatePolicy,
    *,
    named: bool,
    waive: Collection[str] = (),
) -> tuple[GateDecision, str | None]:
    """The decision and the approval by which callers may get a version; raises as `promote` does."""
    decision = standing_decision(standing, version, policy, engines.code.whole)
    _check_verdict(version, decision, waive)
    if not named:
        _check_not_withdrawn(standing, version)
    request = None
    if decision.policy.approval is not None:
        request = _approved(engines, standing, version, policy)
    return decision, request


def archiving(standing: Standing, successor: int, actor: str, reason: str) -> list[Draft]:
    """The entry by which the version in Production leaves it, if there is one."""
    number = standing.production
    if number is None:
        return []
    event = Archived(successor=successor)
    return [Draft(version=number, model=standing.models[number], event=event, actor=actor, reason=reason)]


def _check_verdict(version: ModelVersion, decision: GateDecision, waive: Collection[str]) -> None:
    who = f"{version.name} version {version.number}"
    strange = [name for name in waive if name not in decision.failed]
    if strange:
        failed = ", ".join(map(repr, decision.failed)) or "none"
        raise NotFound(f"{strange[0]!r} is no failed check of {who}: failed are {failed}")
    against = [check for check in decision.checks if check.outcome == "failed" and check.name not in waive]
    if against:
        why = "; ".join(f"{check.name}: {check.sentence}" for check in against)
        raise Superseded(f"the gate rejected {who}: {why}")


def _check_not_withdrawn(standing: Standing, version: ModelVersion) -> None:
    entry = standing.withdrawn.get(version.number)
    if entry is not None:
        raise Superseded(
            f"{version.name} version {version.number} was rolled back from by {entry.actor} at "
            f"{entry.at:%Y-%m-%d %H:%M} UTC ({entry.reason}): it comes back only when it is named, with "
            f"`mlops promote {version.name} {version.number} --reason …`"
        )


def _approved(engines: Engines, standing: Standing, version: ModelVersion, policy: GatePolicy) -> str:
    request = current_question(engines, standing, version, policy)
    status = request.status(datetime.now(UTC))
    if status != "approved":
        raise Superseded(
            f"{version.name} version {version.number} may go to Production when a person approves it, and "
            f"the request is {status}: `mlops approve {version.name} {version.number} --reason …`"
        )
    return request.digest
