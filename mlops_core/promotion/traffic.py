"""A version on trial: a share of the callers, or a shadow of them, as the ledger and the target have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.domain.ledger import Draft, Tried
from mlops_core.domain.traffic import Bounds
from mlops_core.errors import BadInput, MlopsError, NotFound, Superseded, Unavailable
from mlops_core.promotion.ending import ending, settled
from mlops_core.promotion.promote import cleared
from mlops_core.promotion.record import draft, record, signed
from mlops_core.promotion.target import content_of, prepared

if TYPE_CHECKING:
    from mlops_core.domain.gates import GatePolicy
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.standing import Standing
    from mlops_core.domain.traffic import TargetStatus
    from mlops_core.ports import Engines

__all__ = ["share", "withdraw"]


def share(
    engines: Engines,
    version: ModelVersion,
    policy: GatePolicy,
    *,
    percent: int,
    shadow: bool = False,
    bounds: Bounds | None = None,
    actor: str,
    reason: str,
    named: bool = False,
) -> TargetStatus:
    """Have a version answer a share of the callers, or be asked beside what serves as a `shadow`.

    What callers see needs all that a promotion needs, see `promote`. A shadow they do not see: it may be any
    registered version, also one that the gate rejected, since how it does on today's callers is what a shadow
    is for. Takes the place of another trial; the same again finishes what an interrupted call began.

    Raises as `promote` does, `BadInput` for what the target cannot do and where versions are handed over, and
    `Superseded` when something else than the version in Production serves.
    """
    actor, reason = signed(f"{version.name} version {version.number}", actor, reason)
    _check_here(engines, version.name)
    bounds = bounds or Bounds()
    with engines.workspace.lock(f"serve-{version.name}"):
        before = settled(engines, version.name)
        _check_serving(engines, before, version)
        if not shadow:
            cleared(engines, before, version, policy, named=named)
        release = prepared(engines, version)
        event = Tried(
            percent=percent, shadow=shadow, bounds=bounds, release=release.uri, content=content_of(release)
        )

        def wanted(standing: Standing) -> list[Draft]:
            if not shadow:
                cleared(engines, standing, version, policy, named=named)
            tried = standing.trial
            if tried is not None and (tried.version, tried.event) == (version.number, event):
                return []
            instead = ending(engines, standing, "another trial", actor, reason)
            return [*instead, draft(version, event, actor, reason)]

        record(engines.ledger, version.name, wanted)
        try:
            engines.deployer.share(release, percent, shadow=shadow, bounds=bounds)
        except Unavailable:
            raise  # it may have begun: the same again finishes it
        except MlopsError as error:
            _refused(engines, version, event, actor, str(error))
            raise
        return engines.deployer.status(version.name)


def withdraw(engines: Engines, name: str, *, actor: str, reason: str) -> Standing:
    """End a trial: what serves answers all callers again. Nothing happens when there is none.

    The target first: callers come before the books. Interrupted in between, the same again finishes it.
    """
    actor, reason = signed(name, actor, reason)
    _check_here(engines, name)
    with engines.workspace.lock(f"serve-{name}"):
        before = settled(engines, name)
        drafts = ending(engines, before, "person", actor, reason)
        engines.deployer.withdraw(name)
        return record(engines.ledger, name, lambda standing: drafts if standing.trial == before.trial else [])


def _check_here(engines: Engines, name: str) -> None:
    if engines.dispatcher is not None:
        raise BadInput(
            f"{name} is handed over (MLOPS_DELIVERY), and its callers are where it serves: set "
            "MLOPS_DELIVERY=here there"
        )


def _check_serving(engines: Engines, standing: Standing, version: ModelVersion) -> None:
    """Raise unless the version in Production serves, and is another one."""
    name, there = version.name, standing.production
    if there is None:
        raise NotFound(f"no version of {name} is in Production: there are no callers to try another on")
    if there == version.number:
        raise BadInput(f"{name} version {there} is in Production already: a trial is for another version")
    serving = engines.deployer.status(name).serving
    if serving is None or (serving.version, serving.digest) != (there, standing.models[there]):
        what = f"version {serving.version}" if serving else "nothing"
        raise Superseded(
            f"{name} version {there} is in Production, but {what} is served: mend that first, with "
            f"`mlops registry verify {name}`"
        )


def _refused(engines: Engines, version: ModelVersion, event: Tried, actor: str, why: str) -> None:
    def wanted(standing: Standing) -> list[Draft]:
        tried = standing.trial
        ours = tried is not None and (tried.version, tried.event) == (version.number, event)
        return ending(engines, standing, "refused", actor, why) if ours else []

    record(engines.ledger, version.name, wanted)
