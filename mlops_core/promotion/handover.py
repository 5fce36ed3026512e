"""To Production here, or by somebody else, as the engines of this machine have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.domain.handover import Handover, Order
from mlops_core.errors import BadInput, Superseded
from mlops_core.promotion.promote import put_into_production
from mlops_core.promotion.record import signed, standing_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from mlops_core.domain.gates import GatePolicy
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.release import Release
    from mlops_core.ports import Engines

__all__ = ["bring", "hand_over", "where"]


def bring(
    engines: Engines,
    version: ModelVersion,
    policy: GatePolicy,
    *,
    actor: str,
    reason: str,
    named: bool = False,
    waive: Collection[str] = (),
) -> Release | Handover:
    """Put a version into Production, or hand it over to who does; see `put_into_production`.

    Raises `BadInput` for checks to pass over where it is handed over: what the gate rejected is promoted
    where it will serve.
    """
    if engines.dispatcher is None:
        return put_into_production(
            engines, version, policy, actor=actor, reason=reason, named=named, waive=waive
        )
    if waive:
        raise BadInput(
            f"{version.name} version {version.number} would be handed over (MLOPS_DELIVERY), and checks are "
            "waived where it will serve: set MLOPS_DELIVERY=here there"
        )
    return hand_over(engines, version, actor=actor, reason=reason)


def hand_over(engines: Engines, version: ModelVersion, *, actor: str, reason: str) -> Handover:
    """Order the delivery of a version from who delivers in place of this machine; once, however often.

    Raises `Superseded` for one that was rolled back from, `BadInput` where this machine delivers itself, and
    what `Dispatcher.dispatch` raises.
    """
    who = f"{version.name} version {version.number}"
    if engines.dispatcher is None:
        raise BadInput(f"{who} is delivered by this machine: set MLOPS_DELIVERY to hand it over")
    withdrawn = standing_of(engines, version.name).withdrawn.get(version.number)
    if withdrawn is not None:
        raise Superseded(
            f"{who} was rolled back from by {withdrawn.actor} ({withdrawn.reason}): bring it back where it "
            f"served, with `mlops promote {version.name} {version.number} --reason …`"
        )
    actor, reason = signed(who, actor, reason)
    order = Order(
        name=version.name, version=version.number, digest=version.digest, actor=actor, reason=reason
    )
    return engines.dispatcher.dispatch(order)


def where(brought: Release | Handover) -> str:
    """Where a version that was brought is by now, as the end of a sentence that begins with its number."""
    if isinstance(brought, Handover):
        return f"is handed over to {brought.to}, {brought.state}: {brought.url}"
    return f"is in Production, served from {brought.uri}"
