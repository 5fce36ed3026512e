"""Writing to the ledger so that what is written fits what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.domain.ledger import Decided, Draft, Registered
from mlops_core.domain.standing import Standing
from mlops_core.errors import BadInput, Conflict, NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlops_core.domain.gates import GateDecision
    from mlops_core.domain.ledger import AnyEvent
    from mlops_core.domain.registry import ModelVersion, Submission
    from mlops_core.ports import Engines, Ledger

__all__ = ["decide", "draft", "enter", "mirror", "record", "registered", "signed", "standing_of"]

_TRIES = 100


def standing_of(engines: Engines, name: str) -> Standing:
    """Where the versions of a model stand now."""
    return Standing.of(name, engines.ledger.entries(name))


def record(ledger: Ledger, name: str, wanted: Callable[[Standing], Sequence[Draft]]) -> Standing:
    """Append what `wanted` makes of the standing, and return the standing that results.

    When somebody else was faster it is asked again, with the standing as it is then: what it rests on held
    when the entries were written. It may raise, or return nothing when there is nothing left to write.
    """
    for _ in range(_TRIES):
        standing = Standing.of(name, ledger.entries(name))
        drafts = wanted(standing)
        if not drafts:
            return standing
        try:
            added = ledger.append(name, drafts, after=standing.head)
        except Conflict:
            continue
        return Standing.of(name, (*standing.entries, *added))
    raise Unavailable(f"the ledger of {name} is written to without a pause: run the same again")


def mirror(engines: Engines, name: str, *, take_over: bool = False) -> None:
    """Make the registry show what the ledger says, as it is when this returns.

    Somebody may append while the registry is being written to, and write to it as well: whoever wrote last
    looks once more, so that none leaves there what is no longer so.
    """
    while True:
        standing = standing_of(engines, name)
        engines.registry.follow(standing, take_over=take_over)
        if standing_of(engines, name).head == standing.head:
            return


def draft(version: ModelVersion, event: AnyEvent, actor: str, reason: str) -> Draft:
    """An entry about a version. Raises `BadInput` when nobody signs it or no reason is given."""
    who, why = signed(f"{version.name} version {version.number}", actor, reason)
    return Draft(version=version.number, model=version.digest, event=event, actor=who, reason=why)


def signed(subject: str, actor: str, reason: str) -> tuple[str, str]:
    """Who and why, as an entry has them. Raises `BadInput` when one of them is empty."""
    for what, text in (("who does it (--actor)", actor), ("why (--reason)", reason)):
        if not text.strip():
            raise BadInput(f"{subject}: say {what}; it is kept in the ledger")
    return actor.strip(), reason.strip()


def registered(engines: Engines, name: str, number: int) -> ModelVersion:
    """The version of a number; raises `NotFound`, naming those that there are."""
    versions = engines.registry.versions(name)
    for version in versions:
        if version.number == number:
            return version
    there = ", ".join(str(version.number) for version in versions)
    what = f"there are {there}" if there else f"deliver one with `mlops run {name}`"
    raise NotFound(f"{name} has no version {number}: {what}")


def enter(engines: Engines, submission: Submission) -> ModelVersion:
    """Register a model and enter it in the ledger; one that is there already keeps its version."""
    version = engines.registry.register(submission)
    event = Registered(
        run_id=version.run_id,
        training_set=version.lineage.training_set,
        definitions=version.lineage.definitions,
        code=version.lineage.code,
    )
    reason = f"trained as {version.candidate} on data as of {version.lineage.as_of:%Y-%m-%d}"

    def wanted(standing: Standing) -> list[Draft]:
        known = version.number in standing.stages
        return [] if known else [draft(version, event, engines.actor, reason)]

    mirror(engines, version.name)  # first: it refuses a ledger that is not the one it follows
    record(engines.ledger, version.name, wanted)
    mirror(engines, version.name)
    return version


def decide(engines: Engines, version: ModelVersion, decision: GateDecision) -> Standing:
    """Enter the gate's decision on a version, unless it is its newest already."""

    def wanted(standing: Standing) -> list[Draft]:
        newest = standing.decisions.get(version.number)
        if newest is not None and newest.digest == decision.digest:
            return []
        return [draft(version, Decided(decision=decision), engines.actor, _why(decision))]

    standing = record(engines.ledger, version.name, wanted)
    mirror(engines, version.name)
    return standing


def _why(decision: GateDecision) -> str:
    if decision.verdict == "rejected":
        return "; ".join(decision.reasons)
    passed = sum(check.outcome == "passed" for check in decision.checks)
    against = f" against version {decision.champion}" if decision.champion else ""
    return f"passed all of {passed} checks{against}"
