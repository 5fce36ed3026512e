"""Deploy what passed the gate and, where one is wanted, has a person's approval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mlops_core.domain.receipts import DeploymentReceipt
from mlops_core.promotion import mirror, put_into_production, registered, serve, standing_of

if TYPE_CHECKING:
    from mlops_core.domain.receipts import ApprovalReceipt, GateReceipt, ModelRegistryReceipt
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.release import Release
    from mlops_core.domain.standing import Standing
    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import Engines

__all__ = ["deployment"]

Kept = Literal["rejected", "waiting", "refused", "held back"]


def deployment(
    use_case: UseCase,
    registration: ModelRegistryReceipt,
    gated: GateReceipt,
    approved: ApprovalReceipt,
    *,
    engines: Engines,
) -> DeploymentReceipt:
    """Put a version into Production and serve it; leave everything as it is for one that may not.

    Interrupted anywhere, running again finishes what is missing. Raises `Superseded` when another version
    went to Production since the gate compared.
    """
    name, version = use_case.name, registered(engines, use_case.name, registration.version)
    standing = standing_of(engines, name)
    against = gated.decision.champion
    reason = f"passed the gate against version {against}" if against else "passed the gate, the first to"
    if standing.production == version.number:
        release = serve(engines, name, actor=engines.actor, reason=reason)
        mirror(engines, name)
        return _deployed(version, gated, release)
    kept = _kept(standing, version, gated, approved)
    if kept is not None:
        status, why = kept
        stage = standing.stages[version.number]
        return DeploymentReceipt(status=status, name=name, version=version.number, stage=stage, why=why)
    release = put_into_production(engines, version, use_case.gate, actor=engines.actor, reason=reason)
    return _deployed(version, gated, release)


def _kept(
    standing: Standing, version: ModelVersion, gated: GateReceipt, approved: ApprovalReceipt
) -> tuple[Kept, str | None] | None:
    """Why a version stays out of Production, if it does."""
    if gated.decision.verdict == "rejected":
        return "rejected", None
    withdrawn = standing.withdrawn.get(version.number)
    if withdrawn is not None:
        return "held back", (
            f"it was rolled back from by {withdrawn.actor} at {withdrawn.at:%Y-%m-%d %H:%M} UTC "
            f"({withdrawn.reason}) and comes back only when it is named: "
            f"mlops promote {version.name} {version.number} --reason …"
        )
    if approved.status in ("waiting", "refused"):
        return ("waiting" if approved.status == "waiting" else "refused"), approved.why
    return None


def _deployed(version: ModelVersion, gated: GateReceipt, release: Release) -> DeploymentReceipt:
    previous = gated.decision.champion if gated.decision.champion != version.number else None
    return DeploymentReceipt(
        status="deployed",
        name=version.name,
        version=version.number,
        stage="Production",
        release=release.uri,
        released_at=release.released_at,
        previous=previous,
    )
