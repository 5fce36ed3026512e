"""A person's consent, where the policy wants one: asked for, not waited for."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlops_core.domain.inputs import Inputs
from mlops_core.domain.receipts import ApprovalReceipt
from mlops_core.promotion import ask, registered, standing_of

if TYPE_CHECKING:
    from mlops_core.domain.gates import GateDecision
    from mlops_core.domain.receipts import GateReceipt, ModelRegistryReceipt
    from mlops_core.domain.standing import Request, Standing
    from mlops_core.ports import Engines

__all__ = ["STAGE", "answered", "approval", "approval_inputs", "unwanted"]

STAGE = "approval"


def approval(registration: ModelRegistryReceipt, gated: GateReceipt, *, engines: Engines) -> ApprovalReceipt:
    """Ask, once, when the version passed a gate whose policy wants a person; say what the answer is so far.

    Nothing waits here: who answers, hours or days later, moves the version on, and a run in between finds the
    same question and goes on to its end.
    """
    begun, inputs = time.perf_counter(), approval_inputs(registration, gated)
    standing = standing_of(engines, registration.name)
    why = unwanted(gated.decision, standing, registration.version)
    if why is not None:
        receipt, executed = ApprovalReceipt(status="not wanted", why=why), False
    else:
        mine = registered(engines, registration.name, registration.version)
        request = ask(engines, mine, registration.report)
        receipt, executed = answered(request), request.asked.number > standing.head
    seconds = time.perf_counter() - begun
    engines.workspace.journal.note(inputs, executed=executed, seconds=seconds)
    return receipt


def approval_inputs(registration: ModelRegistryReceipt, gated: GateReceipt) -> Inputs:
    """What decides whether a person is asked: the version, the decision on it and the policy's terms."""
    terms = gated.decision.policy.approval
    return Inputs(
        stage=STAGE,
        use_case=registration.name,
        data={
            "version": f"version {registration.version}, {registration.digest}",
            "decision": gated.decision.digest,
        },
        definitions={"approval": terms.model_dump(mode="json") if terms else None},
    )


def unwanted(decision: GateDecision, standing: Standing, number: int) -> str | None:
    """Why nobody is asked about a version; None when a person is."""
    if decision.policy.approval is None:
        return "the policy asks for no person's approval"
    if decision.verdict == "rejected":
        return "the gate rejected it, so nobody is asked"
    return f"version {number} is in Production already" if standing.production == number else None


def answered(request: Request) -> ApprovalReceipt:
    """What the answer to a question is so far."""
    status, asked = request.status(datetime.now(UTC)), request.asked
    match status:
        case "approved" | "refused":
            return ApprovalReceipt(status=status, request=request.digest, why=_answer(request, status))
        case _:
            why = (
                f"a person is asked until {request.what.expires_at:%Y-%m-%d %H:%M} UTC: "
                f"mlops approve {asked.name} {asked.version} --reason … (or reject)"
            )
            return ApprovalReceipt(status="waiting", request=request.digest, why=why)


def _answer(request: Request, status: str) -> str:
    by = request.answered
    assert by is not None  # noqa: S101 - the status says that there is an answer
    return f"{status} by {by.actor} at {by.at:%Y-%m-%d %H:%M} UTC: {by.reason}"
