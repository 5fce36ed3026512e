"""One delivery as the body of a flow: run the DAG, publish what it made, say how it ended."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from prefect.states import Completed, Failed

from flows.artifacts import publish
from flows.tasks import run_on_prefect
from mlops_core.commands.output import say
from mlops_core.delivery import Delivery
from mlops_core.errors import MlopsError
from mlops_core.parameters import validated
from mlops_core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_core.domain.usecase import UseCase
    from mlops_core.parameters import DeliveryParameters

__all__ = ["REJECTED", "deliver"]

REJECTED = "Rejected"
"""Name of the state in which a run ends when the gate said no: completed, unless asked otherwise."""


def deliver(use_case: UseCase, model: type[DeliveryParameters], values: Mapping[str, Any]) -> Any:
    """Deliver `use_case`; returns the state the flow run ends in, whose message is the verdict.

    An error of ours ends the run as Failed with its sentence as the message; anything else is raised.
    """
    logging.getLogger("mlops_core").setLevel(logging.INFO)
    try:
        parameters = validated(model, values)
        delivery = Delivery(use_case, parameters, Settings.load())
        context = run_on_prefect(delivery.dag)
    except MlopsError as error:
        return Failed(message=str(error), data=error)
    summary, outcome = delivery.summary(context), delivery.outcome(context)
    publish(delivery, context, summary)
    say(summary)
    message = f"{use_case.name} version {outcome.version}: {outcome.status}"
    if outcome.status != "rejected":
        return Completed(message=message, data=outcome)
    message = f"{message}: {'; '.join(outcome.reasons)}"
    if parameters.fail_on_rejection:
        return Failed(name=REJECTED, message=message, data=MlopsError(message))
    return Completed(name=REJECTED, message=message, data=outcome)
