"""Deploy what passed the gate and, where one is wanted, has a person's approval."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

from mlops_core.domain.inputs import Inputs
from mlops_core.domain.ledger import Deployed
from mlops_core.domain.receipts import DeploymentReceipt
from mlops_core.progress import tell
from mlops_core.promotion import (
    hand_over,
    mirror,
    put_into_production,
    registered,
    serve,
    served,
    settled,
    where,
)

if TYPE_CHECKING:
    from datetime import datetime

    from mlops_core.domain.ledger import Entry
    from mlops_core.domain.receipts import ApprovalReceipt, GateReceipt, ModelRegistryReceipt
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.release import Release
    from mlops_core.domain.standing import Standing
    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import Engines

__all__ = ["STAGE", "delivered_there", "deployment", "deployment_inputs", "kept_out"]

STAGE = "deployment"
Kept = Literal["rejected", "waiting", "refused", "held back"]
Left = Kept | Literal["handed over"]


def deployment(
    use_case: UseCase,
    registration: ModelRegistryReceipt,
    gated: GateReceipt,
    approved: ApprovalReceipt,
    *,
    engines: Engines,
) -> DeploymentReceipt:
    """Put a version into Production and serve it; leave everything as it is for one that may not.

    Where somebody else delivers it is handed over, also while a person is asked: they answer there, or here.
    Interrupted anywhere, running again finishes what is missing. Raises `Superseded` when another version
    went to Production since the gate compared.
    """
    begun = time.perf_counter()
    inputs = deployment_inputs(registration, gated, approved)
    version = registered(engines, use_case.name, registration.version)
    standing = settled(engines, use_case.name)
    kept = kept_out(standing, version, gated, approved)
    if engines.dispatcher is not None and (kept is None or kept[0] == "waiting"):
        receipt = _handed_over(standing, version, gated, engines)
        executed = receipt.status == "handed over"
    elif kept is not None:
        receipt, executed = _not_deployed(standing, version, *kept), False
    else:
        executed = standing.production != version.number or served(engines, standing) is None
        tell("making and proving the release", 0.0)
        release = _brought(use_case, standing, version, gated, engines)
        receipt = _receipt(version, gated, release.uri, release.released_at)
    engines.workspace.journal.note(inputs, executed=executed, seconds=time.perf_counter() - begun)
    return receipt


def deployment_inputs(
    registration: ModelRegistryReceipt, gated: GateReceipt, approved: ApprovalReceipt
) -> Inputs:
    """What decides whether a version goes to Production: the decision, and a person's answer."""
    return Inputs(
        stage=STAGE,
        use_case=registration.name,
        data={
            "version": f"version {registration.version}, {registration.digest}",
            "decision": gated.decision.digest,
            "approval": approved.status,
        },
    )


def kept_out(
    standing: Standing, version: ModelVersion, gated: GateReceipt, approved: ApprovalReceipt
) -> tuple[Kept, str | None] | None:
    """Why a version stays out of Production, if it does; one that is there stays there."""
    if standing.production == version.number:
        return None
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


def delivered_there(standing: Standing, number: int) -> Entry | None:
    """The entry by which a version in Production is served, whoever delivered it; None while it is not."""
    last = standing.last_served
    return last if last is not None and last.version == number == standing.production else None


def _brought(
    use_case: UseCase, standing: Standing, version: ModelVersion, gated: GateReceipt, engines: Engines
) -> Release:
    """Serve a version that is in Production; bring one there that is not."""
    reason = _reason(gated)
    if standing.production != version.number:
        return put_into_production(engines, version, use_case.gate, actor=engines.actor, reason=reason)
    release = serve(engines, use_case.name, actor=engines.actor, reason=reason)
    mirror(engines, use_case.name)
    return release


def _handed_over(
    standing: Standing, version: ModelVersion, gated: GateReceipt, engines: Engines
) -> DeploymentReceipt:
    """What is in Production there is delivered, and nobody is asked for it again."""
    last = delivered_there(standing, version.number)
    if last is not None:
        assert isinstance(last.event, Deployed)  # noqa: S101 - only such entries tell of what is served
        return _receipt(version, gated, last.event.release, last.at)
    handed = hand_over(engines, version, actor=engines.actor, reason=_reason(gated))
    return _not_deployed(standing, version, "handed over", f"it {where(handed)}")


def _not_deployed(
    standing: Standing, version: ModelVersion, status: Left, why: str | None
) -> DeploymentReceipt:
    return DeploymentReceipt(
        status=status,
        name=version.name,
        version=version.number,
        stage=standing.stages[version.number],
        why=why,
    )


def _reason(gated: GateReceipt) -> str:
    against = gated.decision.champion
    return f"passed the gate against version {against}" if against else "passed the gate, the first to"


def _receipt(
    version: ModelVersion, gated: GateReceipt, release: str, released_at: datetime
) -> DeploymentReceipt:
    previous = gated.decision.champion if gated.decision.champion != version.number else None
    return DeploymentReceipt(
        status="deployed",
        name=version.name,
        version=version.number,
        stage="Production",
        release=release,
        released_at=released_at,
        previous=previous,
    )
