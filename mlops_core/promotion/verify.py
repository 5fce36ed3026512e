"""Registry and target against the ledger, and what to do when one of them went astray."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.domain.ledger import Adopted, Deployed, Draft, Registered
from mlops_core.errors import BadInput, NotFound
from mlops_core.promotion.record import draft, mirror, record, standing_of
from mlops_core.promotion.target import current_or_none, serve

if TYPE_CHECKING:
    from mlops_core.domain.standing import Standing
    from mlops_core.ports import Engines

__all__ = ["adopt", "lost", "repair", "strays"]


def strays(engines: Engines, name: str) -> list[str]:
    """One sentence for each thing that is not as the ledger says and can be repaired; empty when none."""
    standing = standing_of(engines, name)
    found = engines.registry.differences(standing)
    if engines.dispatcher is not None:
        return found  # what it serves is looked at where it serves
    served = current_or_none(engines.deployer, name)
    if standing.production is not None and (served is None or served.version != standing.production):
        what = "nothing" if served is None else f"version {served.version}"
        found.append(f"version {standing.production} is in Production, but {what} is served")
    return found


def lost(engines: Engines, name: str) -> list[str]:
    """One sentence for each version of the ledger that the registry does not have as it was registered."""
    standing = standing_of(engines, name)
    there = {version.number: version.digest for version in engines.registry.versions(name)}
    found = []
    for number, digest in standing.models.items():
        if number not in there:
            found.append(f"version {number} is in the ledger, but no longer in the registry")
        elif there[number] != digest:
            found.append(f"version {number} has digest {there[number][:12]}, in the ledger {digest[:12]}")
    return found


def repair(engines: Engines, name: str) -> list[str]:
    """Make registry and target follow the ledger; returns what `strays` said before."""
    found = strays(engines, name)
    standing = standing_of(engines, name)
    mirror(engines, name)
    if standing.production is not None and engines.dispatcher is None:
        serve(engines, name, actor=engines.actor, reason="the target was made to follow the ledger")
    return found


def adopt(engines: Engines, name: str, *, actor: str, reason: str) -> Standing:
    """Begin a ledger from what is registered and served, where the one there was is lost.

    What is served becomes the version in Production, all others are in Staging. Registrations that the
    registry did not follow may be there already, and what an interrupted call began is finished. Raises
    `BadInput` when there is a ledger of more than that, and `NotFound` when there is nothing to begin from.
    """
    versions = engines.registry.versions(name)
    if not versions:
        raise NotFound(f"{name} has no registered version, so there is nothing to adopt")
    served = current_or_none(engines.deployer, name)

    def wanted(standing: Standing) -> list[Draft]:
        there = {type(entry.event) for entry in standing.entries}
        if Adopted in there and there <= {Registered, Adopted, Deployed}:
            return []
        if there - {Registered}:
            raise BadInput(f"{name} has a ledger of {standing.head} entries: there is nothing to adopt")
        return [draft(version, Adopted(stage=_stage(version.digest)), actor, reason) for version in versions]

    def _stage(digest: str) -> str:
        return "Production" if served is not None and served.digest == digest else "Staging"

    standing = record(engines.ledger, name, wanted)
    mirror(engines, name, take_over=True)
    if standing.production is not None:
        serve(engines, name, actor=actor, reason=reason)
    return standing
