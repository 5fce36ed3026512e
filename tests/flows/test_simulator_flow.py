"""The simulator as a flow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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


@pytest.mark.parametrize("bad", [{"entities": 0}, {"level": float("nan")}], ids=str)
def test_a_bad_parameter_fails_the_run(run_flow: Callable[..., Ran], bad: dict[str, float]) -> None:
    """The message names it."""
    ran = run_flow(simulator, **bad)
    assert ran.state.is_failed()
    assert next(iter(bad)) in str(ran.state.message)
