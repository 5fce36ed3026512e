"""Use cases of a shop that wants a person's consent: churn's definitions, each under a name of its own.

And the flow of one of them, as flows/churn.py is one. Live tests put this file into a checkout.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from prefect import flow

from flows.delivery import deliver
from flows.options import OPTIONS
from flows.parameters import typed_by, with_runner
from mlops_core.domain.gates import Approval, NonInferiority
from mlops_core.parameters import parameters_of
from mlops_core.usecases.churn import CHURN

if TYPE_CHECKING:
    from mlops_core.domain.usecase import UseCase

FLOOR = 0.75


def named(name: str, **more: Any) -> UseCase:
    """Churn's use case, one candidate, another name and another policy."""
    changed = {"floor": FLOOR, "comparison": NonInferiority(margin=0.2), **more}
    gate = CHURN.gate.model_copy(update=changed)
    return CHURN.model_copy(update={"name": name, "gate": gate, "candidates": CHURN.candidates[:1]})


SHOP = named("shop", approval=Approval(by_another=True))
REFUSED = named("refused", approval=Approval(approvers=("bob",)))
ELSEWHERE = named("elsewhere", approval=Approval())
BRIEF = named("brief", approval=Approval(expires=timedelta(seconds=90)))
CHANGED = named("changed", approval=Approval())
QUIET = named("quiet", approval=Approval())
FREE = named("free")


def flow_of(use_case: UseCase) -> Any:
    """The flow that delivers one of them."""
    model = with_runner(parameters_of(use_case))

    @flow(name=use_case.name, **OPTIONS)
    @typed_by(model)
    def delivery(given: Any) -> Any:
        """Deliver the shop's model."""
        return deliver(use_case, given, known_as=f"{__name__}:{use_case.name.upper()}")

    return delivery


delivery = flow_of(SHOP)
