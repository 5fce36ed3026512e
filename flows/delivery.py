"""One delivery as the body of a flow: run the DAG, publish what it made, say how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect.states import Completed, Failed

from flows.approval import AWAITING, REJECTED
from flows.artifacts import publish
from flows.runners import runner_of
from flows.settle import park, try_to_settle
from flows.started import starter
from flows.tasks import run_on_prefect
from mlops_core.commands.output import say
from mlops_core.delivery import Delivery
from mlops_core.errors import MlopsError
from mlops_core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_core.domain.usecase import UseCase
    from mlops_core.parameters import DeliveryParameters
    from mlops_core.summary import Outcome

__all__ = ["AWAITING", "HELD_BACK", "REJECTED", "concluded", "deliver"]

HELD_BACK = "HeldBack"
"""Name of the state in which a run ends whose version was rolled back from and waits to be named."""


def deliver(use_case: UseCase, given: Any, *, known_as: str | None = None) -> Any:
    """Deliver `use_case`; returns the state the flow run ends in, whose message is the verdict.

    `given` are its parameters with those of the task runner (`flows.parameters.with_runner`). `known_as` is
    how other flows find the use case, as module:ATTRIBUTE where it is one of the user's own.
    """
    parameters: DeliveryParameters = given.model_copy(update={"actor": starter(given.actor)})
    settings = Settings.load()
    name = known_as or use_case.name
    delivery = Delivery(use_case, parameters, settings, known_as=name)
    context = run_on_prefect(delivery.dag, runner=runner_of(given, settings))
    return concluded(delivery, context, name, fail_on_rejection=parameters.fail_on_rejection)


def concluded(
    delivery: Delivery, context: Mapping[str, Any], known_as: str, *, fail_on_rejection: bool
) -> Any:
    """What follows the last stage, from the receipts in `context`; returns the state that says how it ended.

    Its results are published and said, a person is asked where the policy wants that, and runs that wait for
    an answer which came meanwhile are ended.
    """
    summary, outcome = delivery.summary(context), delivery.outcome(context)
    publish(delivery, context, summary, known_as=known_as)
    say(summary)
    state = _ending(outcome, known_as, fail_on_rejection=fail_on_rejection)
    try_to_settle(delivery.engines, delivery.use_case, known_as)
    return state


def _ending(outcome: Outcome, known_as: str, *, fail_on_rejection: bool) -> Any:
    message = f"{outcome.use_case} version {outcome.version}: {outcome.status}"
    match outcome.status:
        case "awaiting approval":
            assert outcome.request is not None  # noqa: S101 - what is awaited was asked
            where = park(known_as, outcome.version, outcome.request)
            form = f"the form of {where}, or " if where else ""
            message += (
                f": answer with {form}mlops approve {known_as} {outcome.version} --reason … (or reject)"
            )
            return Completed(name=AWAITING, message=message, data=outcome)
        case "held back":
            return Completed(name=HELD_BACK, message=f"{message}: {outcome.why}", data=outcome)
        case "handed over":
            return Completed(message=f"{message}: {outcome.why}", data=outcome)
        case "rejected" | "refused":
            why = "; ".join(outcome.reasons) if outcome.status == "rejected" else outcome.why
            message = f"{message}: {why}"
            if fail_on_rejection:
                return Failed(name=REJECTED, message=message, data=MlopsError(message))
            return Completed(name=REJECTED, message=message, data=outcome)
    return Completed(message=message, data=outcome)
