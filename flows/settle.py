"""Parked runs and the ledger's questions: each open question one parked run, each parked run an open one.

What was answered elsewhere, expired or was overtaken no longer needs a person: the run that is parked for it
ends, and no process is started for that. A question whose run crashed before it could park gets another.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowFilter, FlowFilterName, FlowRunFilter, FlowRunFilterState
from prefect.client.schemas.filters import FlowRunFilterStateType as StateTypes
from prefect.client.schemas.objects import StateType
from prefect.exceptions import ObjectNotFound
from prefect.utilities.urls import url_for

from flows.approval import Case, pinned
from mlops_core.errors import MlopsError
from mlops_core.parameters import PromotionParameters
from mlops_core.promotion import registered, standing_of

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun

    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import Engines

__all__ = ["DEPLOYMENT", "park", "settle", "try_to_settle"]

FLOW = "promote"
DEPLOYMENT = f"{FLOW}/approval"
"""Whose runs park."""
MENDED_AFTER = timedelta(minutes=1)
"""A run that parked so long ago without a form was killed at that; one that just did is about to get it."""
_TIMES = 5  # that a run for one question is made anew after the one before failed
_LOG = logging.getLogger(__name__)


def park(known_as: str, version: int, request: str) -> str | None:
    """Have a run that parks until the question is answered, and say where it is: one run a question.

    None when this server has no such deployment. A run that somebody cancelled stays the one of its question;
    one that failed is followed by another, for the question waits again.
    """
    with get_client(sync_client=True) as client:
        deployment = _deployment(client)
        if deployment is None:
            return None
        run = _run_for(client, deployment, known_as, version, request)
    return url_for(run) or run.name


def settle(engines: Engines, use_case: UseCase, known_as: str) -> list[str]:
    """Bring parked runs and open questions together; returns a sentence for each that was not as it should.

    `known_as` is how runs name the use case: its name, or module:ATTRIBUTE.
    """
    with get_client(sync_client=True) as client:
        deployment = _deployment(client)
        if deployment is None:
            return []
        done = [_settled(client, engines, use_case, run) for run in _parked(client, known_as)]
        standing = standing_of(engines, use_case.name)
        for number, request in standing.requests.items():
            if number in standing.withdrawn or request.status(datetime.now(UTC)) != "waiting":
                continue
            version = registered(engines, use_case.name, number)
            case = Case(engines, use_case, version, request.digest, known_as)
            if case.concluded() is None:
                _run_for(client, deployment, known_as, number, request.digest)
    return [sentence for sentence in done if sentence]


def try_to_settle(engines: Engines, use_case: UseCase, known_as: str) -> None:
    """The same where something else is at work, which must not fail for it."""
    try:
        for sentence in settle(engines, use_case, known_as):
            _LOG.info("%s", sentence)
    except Exception as error:  # a delivery is done, whatever goes wrong here
        _LOG.warning("parked runs of %s were not settled: %s", use_case.name, error)


def _settled(client: SyncPrefectClient, engines: Engines, use_case: UseCase, run: FlowRun) -> str:
    """End a parked run whose question nobody can answer any more; see that another can be answered."""
    try:
        version = registered(engines, use_case.name, int(run.parameters["version"]))
        asked = run.parameters.get("request") or pinned(run.id)
        case = Case(engines, use_case, version, asked, run.parameters.get("use_case", use_case.name))
        state = case.concluded()
        if state is not None:
            client.set_flow_run_state(run.id, state)
            return f"{run.name}: {state.message}"
        if run.state is None or run.state.timestamp > datetime.now(UTC) - MENDED_AFTER:
            return ""
        key = run.state.state_details.pause_key
        return f"{run.name}: has its form again" if key and case.mend(run.id, key) else ""
    except MlopsError as error:
        return f"{run.name}: {error}"


def _parked(client: SyncPrefectClient, known_as: str) -> list[FlowRun]:
    runs = client.read_flow_runs(
        flow_filter=FlowFilter(name=FlowFilterName(any_=[FLOW])),
        flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=StateTypes(any_=[StateType.PAUSED]))),
    )
    default = PromotionParameters.model_fields["use_case"].default
    return [run for run in runs if run.parameters.get("use_case", default) == known_as]


def _deployment(client: SyncPrefectClient) -> UUID | None:
    try:
        return client.read_deployment_by_name(DEPLOYMENT).id
    except ObjectNotFound:
        return None


def _run_for(
    client: SyncPrefectClient, deployment: UUID, known_as: str, version: int, request: str
) -> FlowRun:
    attempt = 0
    while True:
        attempt += 1
        run = client.create_flow_run_from_deployment(
            deployment,
            parameters={"use_case": known_as, "version": version, "request": request},
            name=f"{known_as} version {version}",
            idempotency_key=f"promote-{request}-{attempt}",
        )
        over = run.state is not None and run.state.is_final() and not run.state.is_cancelled()
        if not over or attempt == _TIMES:
            return run
