"""Progress artifacts: of long stages only, never in a stage's way."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows import progress
from mlops_core.dag import PipelineDAG, Task
from mlops_core.progress import tell
from tests.flows.conftest import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.flows.conftest import Ran

pytestmark = pytest.mark.live

LONG = 0.8


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage counts as long after a moment, and is looked at often."""
    monkeypatch.setattr(progress, "FIRST", 0.2)
    monkeypatch.setattr(progress, "EVERY", 0.1)


def stage(seconds: float, *, fails: bool = False) -> Callable[[Mapping[str, Any]], str]:
    """One that tells, takes its time and ends."""

    def run(_: Mapping[str, Any]) -> str:
        tell("fitting", 0.4)
        time.sleep(seconds)
        if fails:
            raise ValueError("no")
        return "made"

    return run


def of(run: Callable[[Mapping[str, Any]], str]) -> PipelineDAG:
    """A DAG of that stage."""
    return PipelineDAG([Task("training", run)])


@pytest.mark.usefixtures("soon")
def test_a_long_stage_ends_at_all_of_it(walk: Callable[..., Ran]) -> None:
    """One artifact, of this very task run."""
    ran = walk(of(stage(LONG)))
    found = ran.artifacts()["progress"]
    assert (found.data, found.description) == (100.0, "training: done")
    assert found.task_run_id == ran.task_runs(1)["training"].id


@pytest.mark.usefixtures("soon")
def test_a_failed_stage_stays_where_it_was(walk: Callable[..., Ran]) -> None:
    ran = walk(of(stage(LONG, fails=True)))
    found = ran.artifacts()["progress"]
    assert (found.data, found.description) == (40.0, "training: fitting")


def test_a_quick_stage_leaves_nothing(walk: Callable[..., Ran]) -> None:
    assert walk(of(stage(0.0))).artifacts() == {}


@pytest.mark.usefixtures("soon")
def test_a_server_that_is_gone_is_nothing_to_a_stage(
    walk: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be sent is not sent; the stage makes what it makes."""

    def elsewhere(_: Mapping[str, Any]) -> str:
        with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{free_port()}/api"}):
            return stage(LONG)(_)

    monkeypatch.setattr(progress, "FAREWELL", 0.1)
    ran = walk(of(elsewhere))
    assert ran.result["training"] == "made"
    assert ran.artifacts() == {}
