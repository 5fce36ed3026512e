"""A person's consent, where the policy wants one: asked for, not waited for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlops_core.domain.receipts import ApprovalReceipt
from mlops_core.promotion import ask, registered, standing_of

if TYPE_CHECKING:
    from mlops_core.domain.receipts import GateReceipt, ModelRegistryReceipt
    from mlops_core.domain.standing import Request
    from mlops_core.ports import Engines

__all__ = ["approval"]


def approval(registration: ModelRegistryReceipt, gated: GateReceipt, *, engines: Engines) -> ApprovalReceipt:
    """Ask, once, when the version passed a gate whose policy wants a person; say what the answer is so far.

    Nothing waits here: who answers, hours or days later, moves the version on, and a run in between finds the
    same question and goes on to its end.
    """
    name, number = registration.name, registration.version
    if gated.decision.policy.approval is None:
        return ApprovalReceipt(status="not wanted", why="the policy asks for no person's approval")
    if gated.decision.verdict == "rejected":
        return ApprovalReceipt(status="not wanted", why="the gate rejected it, so nobody is asked")
    if standing_of(engines, name).production == number:
        return ApprovalReceipt(status="not wanted", why=f"version {number} is in Production already")
    request = ask(engines, registered(engines, name, number), registration.report)
    status = request.status(datetime.now(UTC))
    match status:
        case "approved" | "refused":
            return ApprovalReceipt(status=status, request=request.digest, why=_answer(request, status))
        case _:
            why = (
                f"a person is asked until {request.what.expires_at:%Y-%m-%d %H:%M} UTC: "
                f"mlops approve {name} {number} --reason … (or reject)"
            )
            return ApprovalReceipt(status="waiting", request=request.digest, why=why)


def _answer(request: Request, status: str) -> str:
    by = request.answered
    assert by is not None  # noqa: S101 - the status says that there is an answer
    return f"{status} by {by.actor} at {by.at:%Y-%m-%d %H:%M} UTC: {by.reason}"
