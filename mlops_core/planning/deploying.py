"""What is foreseen of the deployment: does something go to Production, or is served that is not yet?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlops_core.domain.receipts import GateReceipt
from mlops_core.planning.foreseen import Foreseen
from mlops_core.promotion import served, standing_of
from mlops_core.stages import approval, deployment, gate

if TYPE_CHECKING:
    from mlops_core.domain.gates import GateDecision
    from mlops_core.domain.inputs import Inputs
    from mlops_core.domain.receipts import ApprovalReceipt, ModelRegistryReceipt
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.standing import Standing
    from mlops_core.planning.deciding import Subject
    from mlops_core.planning.foreseen import Outlook

__all__ = ["foreseen_deployment"]


def foreseen_deployment(
    outlook: Outlook,
    registration: ModelRegistryReceipt,
    decision: GateDecision | None,
    approved: ApprovalReceipt,
    subject: Subject,
) -> Foreseen[None]:
    """It works when something is released or promoted, or served that was promoted and is not served."""
    standing = standing_of(outlook.engines, outlook.use_case.name)
    mine = subject.mine
    if decision is None or mine is None:
        return _after_the_gate(outlook, standing, subject)
    gated = GateReceipt(decision=decision)
    inputs = deployment.deployment_inputs(registration, gated, approved)
    kept = deployment.kept_out(standing, mine, gated, approved)
    if outlook.engines.dispatcher is not None and (kept is None or kept[0] == "waiting"):
        return _elsewhere(standing, mine.number, inputs)
    if kept is not None:
        status, because = kept
        why = because or f"version {mine.number} stays out of Production: {status}"
        return Foreseen(status="reuse", receipt=None, inputs=inputs, why=why)
    if standing.production != mine.number:
        why = f"version {mine.number} passed the gate and goes to Production"
        return Foreseen(status="run", receipt=None, inputs=inputs, why=why)
    release = served(outlook.engines, standing)
    if release is None:
        why = f"version {mine.number} is in Production, and is not what serves"
        return Foreseen(status="run", receipt=None, inputs=inputs, why=why)
    why = f"version {mine.number} serves"
    return Foreseen(status="reuse", receipt=None, inputs=inputs, why=why, output=release.uri)


def _elsewhere(standing: Standing, number: int, inputs: Inputs) -> Foreseen[None]:
    """Somebody else delivers, by the settings; it is asked for again until it is in Production."""
    if deployment.delivered_there(standing, number) is not None:
        why = f"version {number} is in Production"
        return Foreseen(status="reuse", receipt=None, inputs=inputs, why=why)
    why = f"version {number} passed the gate and is handed over"
    return Foreseen(status="run", receipt=None, inputs=inputs, why=why)


def _after_the_gate(outlook: Outlook, standing: Standing, subject: Subject) -> Foreseen[None]:
    """The gate's decision is not known yet: whatever it is, some versions stay where they are."""
    in_production = any(one.number == standing.production for one in subject.possible)
    elsewhere = outlook.engines.dispatcher is not None
    if in_production and not elsewhere and served(outlook.engines, standing) is None:
        why = "serves what is in Production, or goes there"
        return Foreseen(status="depends", receipt=None, why=why, after=(gate.STAGE,))
    mine = subject.mine
    withdrawn = standing.withdrawn.get(mine.number) if mine else None
    if mine is not None and withdrawn is not None:
        why = f"version {mine.number} was rolled back from and comes back only when it is named"
        return Foreseen(status="reuse", receipt=None, why=why)
    if outlook.use_case.gate.approval is None or elsewhere:
        why = f"{'is handed over' if elsewhere else 'goes to Production'} if the gate passes it"
        return Foreseen(status="depends", receipt=None, why=why, after=(gate.STAGE,))
    if any(_consented(standing, one) for one in subject.possible):
        why = "goes to Production if the gate decides what a person approved"
        return Foreseen(status="depends", receipt=None, why=why, after=(gate.STAGE, approval.STAGE))
    why = "a person has to approve a version first"
    return Foreseen(status="reuse", receipt=None, why=why)


def _consented(standing: Standing, version: ModelVersion) -> bool:
    request = standing.requests.get(version.number)
    return request is not None and request.status(datetime.now(UTC)) == "approved"
