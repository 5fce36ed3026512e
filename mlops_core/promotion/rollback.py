"""Back to a version that really served, exactly as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.domain.ledger import Deployed, Draft, Promoted, RolledBack
from mlops_core.errors import IntegrityError, NotFound, Superseded
from mlops_core.promotion.ending import ending
from mlops_core.promotion.promote import archiving
from mlops_core.promotion.record import record, registered, signed, standing_of
from mlops_core.promotion.target import content_of, in_place, prepared, serve

if TYPE_CHECKING:
    from mlops_core.domain.ledger import Entry
    from mlops_core.domain.release import Release
    from mlops_core.domain.standing import Standing
    from mlops_core.ports import Engines

__all__ = ["roll_back", "served_before"]


def roll_back(engines: Engines, name: str, *, to: int | None = None, actor: str, reason: str) -> Release:
    """Serve the version that served before again, or version `to`, which must have served once.

    Its release is compared with the digest that the ledger has of what was served then; where it is damaged
    or gone it is made again from the registry, and must come out the same. The version that is left does not
    come back unless it is named. No gate and no approval is asked: this one had both.

    The registry is not told (see `ModelRegistry.follow`): it is not needed for this, and may be what is down.
    A rollback that was interrupted before its version served is finished by the next that names none.

    Raises `NotFound` when no such version served, `IntegrityError` when it cannot be served as it was, and
    `Superseded` when somebody promoted another version meanwhile.
    """
    actor, reason = signed(name, actor, reason)
    before = standing_of(engines, name)
    if before.production is None:
        raise NotFound(f"no version of {name} is in Production: there is nothing to roll back from")
    if to is not None or not _interrupted(before):
        target = served_before(before, to)
        if target.version != before.production:
            _check(engines, target)
            record(engines.ledger, name, lambda now: _steps(engines, before, now, target, actor, reason))
    return serve(engines, name, actor=actor, reason=reason)


def served_before(standing: Standing, to: int | None = None) -> Entry:
    """The entry of when a version was last served: `to`, or the one before that in Production.

    Versions that were rolled back from are passed over unless named. Raises `NotFound`.
    """
    served = [entry for entry in standing.served if to is None or entry.version == to]
    if to is None:
        left = {*standing.withdrawn, standing.production}
        served = [entry for entry in served if entry.version not in left]
    if served:
        return served[-1]
    once = ", ".join(str(number) for number in sorted({entry.version for entry in standing.served}))
    if to is None:
        raise NotFound(
            f"no version of {standing.name} served before version {standing.production} and can be gone back "
            f"to (served have {once or 'none'}): name one with --to"
        )
    raise NotFound(f"{standing.name} version {to} never served: those that did are {once or 'none'}")


def _interrupted(standing: Standing) -> bool:
    """Whether the last thing that happened to Production is a rollback to what does not serve yet."""
    last = standing.last_served
    if last is None or last.version == standing.production:
        return False
    left = standing.withdrawn.get(last.version)
    return left is not None and isinstance(left.event, RolledBack) and left.event.to == standing.production


def _steps(
    engines: Engines, before: Standing, standing: Standing, target: Entry, actor: str, reason: str
) -> list[Draft]:
    if standing.production == target.version:  # somebody else did the same
        return []
    if standing.production != before.production or standing.production is None:
        raise Superseded(
            f"{standing.name} version {standing.production} went to Production meanwhile: look at "
            f"`mlops history {standing.name}` and decide again"
        )
    leaving = standing.production
    gone = Draft(
        version=leaving,
        model=standing.models[leaving],
        event=RolledBack(to=target.version),
        actor=actor,
        reason=reason,
    )
    back = Draft(
        version=target.version,
        model=target.model,
        event=Promoted(champion=leaving),
        actor=actor,
        reason=reason,
    )
    tried = ending(engines, standing, "promotion", actor, reason)
    return [*tried, gone, back, *archiving(standing, target.version, actor, reason)]


def _check(engines: Engines, target: Entry) -> None:
    event = target.event
    assert isinstance(event, Deployed)  # noqa: S101 - what `served` holds
    release = in_place(engines.deployer, target.name, target.version, target.model, event.content)
    if release is None:
        release = prepared(engines, registered(engines, target.name, target.version), event.content)
    if content_of(release) != event.content:
        raise IntegrityError(
            f"{target.name} version {target.version} is not what served at {target.at:%Y-%m-%d %H:%M} UTC: "
            f"its content is {content_of(release)[:12]}, by the ledger {event.content[:12]}: not served"
        )
