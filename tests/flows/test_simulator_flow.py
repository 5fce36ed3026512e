"""The simulator as a flow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from prefect.client.orchestration import get_client
from prefect.flow_engine import run_flow_sync

from flows.simulator import simulator

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.flows.conftest import Ran

STAGES = {"feature_store", "model_training", "model_registry", "deployment"}


def test_it_ends_with_its_deployment(run_flow: Callable[..., Ran]) -> None:
    """Completed, with the deployment as result and a task run for every stage."""
    ran = run_flow(simulator)
    assert ran.state.is_completed()
    assert ran.result["status"] == "success"
    assert ran.result["environment"] == "production"
    assert set(ran.task_runs(len(STAGES))) == STAGES


def test_its_parameters_decide(run_flow: Callable[..., Ran]) -> None:
    """A level that gives too little accuracy is a failed deployment, of a run that completed."""
    ran = run_flow(simulator, entities=2, level=0.01)
    assert ran.state.is_completed()
    assert ran.result["status"] == "failed"


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ({"entities": 0}, "--entities: input should be greater than or equal to 1, got 0"),
        ({"level": float("nan")}, "--level: input should be a finite number, got nan"),
    ],
    ids=str,
)
def test_a_bad_parameter_fails_the_run(
    run_flow: Callable[..., Ran], bad: dict[str, float], sentence: str
) -> None:
    """The message is our sentence."""
    ran = run_flow(simulator, **bad)
    assert ran.state.is_failed()
    assert ran.state.message == sentence


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("entitis", "unknown argument '--entitis': did you mean --entities?"),
        ("task-runner", "unknown argument 'task-runner': did you mean 'task_runner'?"),
        ("class", "unknown argument '--class': there are --entities, --level, --task-runner, --workers"),
    ],
)
def test_an_unknown_parameter_of_a_planned_run_is_told_too(
    prefect_server: None,  # noqa: ARG001 - has to be up
    name: str,
    sentence: str,
) -> None:
    """What a schedule says is looked at by nobody before the run; Prefect's own words name no remedy."""
    with get_client(sync_client=True) as client:
        run = client.create_flow_run(simulator, parameters={"entities": 3})
        run = run.model_copy(update={"parameters": {"entities": 3, name: 1}})
        state: Any = run_flow_sync(simulator, run, run.parameters, return_type="state")
    assert state.is_failed()
    assert state.message == sentence
