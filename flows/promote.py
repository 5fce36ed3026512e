"""Bring a version to Production with a person's consent: `python flows/promote.py --help`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":  # a run by hand chooses its server before Prefect reads its settings
    try:
        from flows import server
    except ImportError as error:
        sys.exit(
            f"{sys.argv[0]}: {error}: the project is not installed for {sys.executable}: pip install -e ."
        )
    server.start()

from prefect import flow
from prefect.context import get_run_context
from prefect.states import Completed

from flows.approval import AWAITING, Case, pin
from flows.options import OPTIONS
from flows.parameters import typed_by
from flows.settle import settle
from flows.started import configured
from mlops_core.commands.output import say
from mlops_core.errors import BadInput
from mlops_core.parameters import PromotionParameters
from mlops_core.promotion import bring, registered, repair, standing_of, where
from mlops_core.usecases import find

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun

    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import Engines


@flow(name="promote", **OPTIONS)
@typed_by(PromotionParameters)
def promote(given: PromotionParameters) -> Any:
    """Ask a person for consent, and promote on it; without a version, settle what is parked."""
    use_case, engines = find(given.use_case), configured(given.actor, given.use_case)
    if given.version is None:
        done = [*settle(engines, use_case, given.use_case), *repair(engines, use_case.name)]
        state: Any = Completed(message="; ".join(done) or f"{use_case.name}: nothing to settle")
    else:
        version = registered(engines, use_case.name, given.version)
        state = _promoted(given, use_case, engines, version)
    say(str(state.message))
    return state


def _promoted(given: PromotionParameters, use_case: UseCase, engines: Engines, version: ModelVersion) -> Any:
    run: FlowRun = get_run_context().flow_run  # type: ignore[union-attr,assignment]  # inside a flow it is one
    request = standing_of(engines, use_case.name).requests.get(version.number)
    if request is None and not given.request:
        return _named(given, use_case, engines, version)
    asked = given.request or pin(run.id, request.digest if request else "")
    case = Case(engines, use_case, version, asked, given.use_case)
    state = case.concluded_for(run.id)
    if state is not None:
        return state
    if run.deployment_id is not None:
        return case.put(run.id)
    message = (
        f"{case.who} awaits approval: mlops approve {given.use_case} {version.number} --reason … (or reject)"
    )
    return Completed(name=AWAITING, message=message)


def _named(given: PromotionParameters, use_case: UseCase, engines: Engines, version: ModelVersion) -> Any:
    """Promote a version that a person names, where no consent was asked for."""
    who = f"{version.name} version {version.number}"
    if given.reason is None:
        raise BadInput(f"no approval of {who} was asked for: say why it is to be promoted (--reason)")
    brought = bring(engines, version, use_case.gate, actor=engines.actor, reason=given.reason, named=True)
    return Completed(message=f"{who}: {where(brought)}, named by {engines.actor}: {given.reason}")


if __name__ == "__main__":
    from flows.shell import run_from_shell

    sys.exit(run_from_shell(promote, PromotionParameters))
