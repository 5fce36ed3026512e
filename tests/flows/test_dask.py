"""Tasks on a Dask cluster: the same digests as on threads, our own errors back, and workers that die."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId
from prefect.logging.handlers import APILogWorker
from prefect.settings import temporary_settings

from flows.delivery import deliver
from flows.parameters import RunnerParameters, typed_by, with_runner
from flows.runners import runner_of
from flows.tasks import walk_on_prefect
from mlops_core.errors import TaskFailed
from mlops_core.parameters import parameters_of
from mlops_core.settings import Settings
from mlops_core.workspace import Workspace
from tests.flows.cluster_steps import KINDS, failing, killed_always, killed_once, recovering
from tests.flows.conftest import SECONDS, free_port
from tests.flows.shop import FREE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.flows.conftest import Ran

pytestmark = pytest.mark.live

MODEL = with_runner(parameters_of(FREE))


@flow(name="free", validate_parameters=False)
@typed_by(MODEL)
def delivery(given: Any) -> Any:
    """Deliver the shop's model."""
    return deliver(FREE, given)


@flow(name="walk")
def walking(dag: Any) -> Any:
    """What came of each task of a pipeline on Dask."""
    return walk_on_prefect(dag, runner=runner_of(RunnerParameters(task_runner="dask"), Settings.load()))


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A scheduler and two workers as processes of their own, which know nothing of Prefect or us."""
    folder = tmp_path_factory.mktemp("dask")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "MLOPS_"))}
    kept |= {"HOME": str(folder), "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
    where = f"tcp://127.0.0.1:{free_port()}"
    dask = [str(Path(sys.executable).with_name("dask"))]
    commands = {
        "scheduler": ["scheduler", "--host", where, "--no-dashboard"],
        "worker": ["worker", where, "--nworkers", "2", "--nthreads", "1", "--no-dashboard"],
    }
    with ExitStack() as stack:
        for name, words in commands.items():
            log = stack.enter_context((folder / f"{name}.log").open("wb"))
            process = subprocess.Popen([*dask, *words], env=kept, cwd=folder, stdout=log, stderr=log)  # noqa: S603 - our own words
            stack.callback(process.wait, 60)
            stack.callback(process.terminate)
        yield where


@pytest.fixture
def on_cluster(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Has the settings name the cluster and a state folder, and returns a file for notes."""
    monkeypatch.setenv("MLOPS_DASK_ADDRESS", address)
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path / "home"))
    return tmp_path / "notes"


@pytest.fixture(scope="module")
def on_threads(
    run_flow: Callable[..., Ran], purchases: Callable[[int], Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """The purchases, and what a delivery of them on threads made."""
    data, home = purchases(650), tmp_path_factory.mktemp("threads")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLOPS_HOME", str(home))
        ran = run_flow(delivery, data=data)
    assert ran.state.is_completed(), ran.state.message
    return data, made(home)


def made(home: Path) -> dict[str, Any]:
    """What each stage wrote, by key, and the model that is released."""
    stages = {path.parent.name: path.name for path in (home / "stages").glob("*/*") if _repeats(path)}
    (release,) = (home / "releases" / FREE.name).glob("1-*")
    return {**stages, "release": release.name, "found": Workspace(home).home == home}


def _repeats(folder: Path) -> bool:
    return folder.parent.name != "gate"  # measures a prediction's time


def test_a_delivery_on_a_cluster_makes_what_threads_make(
    on_threads: tuple[Path, dict[str, Any]], on_cluster: Path, run_flow: Callable[..., Ran]
) -> None:
    """And what its stages say on the workers is in the run's log."""
    data, expected = on_threads
    with temporary_settings({"logging.to_api.enabled": True, "logging.extra_loggers": "mlops_core"}):
        ran = run_flow(delivery, data=data, task_runner="dask")
        APILogWorker.instance().drain()
    assert ran.state.message == "free version 1: delivered"
    assert made(on_cluster.with_name("home")) == expected
    said = logged(ran)
    assert any("rows written" in line for line in said), said


def logged(ran: Ran) -> list[str]:
    """The run's log, once the workers have sent theirs."""
    mine = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[ran.state.state_details.flow_run_id]))
    deadline = time.monotonic() + SECONDS
    while True:
        with get_client(sync_client=True) as client:
            found = [line.message for line in client.read_logs(mine)]
        if any("rows written" in line for line in found) or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


def test_an_error_comes_back_as_it_was_raised(on_cluster: Path, run_flow: Callable[..., Ran]) -> None:
    """Kind, sentence and what else it holds."""
    found = run_flow(walking, dag=failing()).result.errors
    assert {type(error) for error in found.values()} == set(KINDS)
    assert {str(error) for error in found.values()} == {"it says"}
    assert found["TaskTimedOut"].task == "gate"
    assert not on_cluster.exists()


def test_retries_are_the_task_s(on_cluster: Path, run_flow: Callable[..., Ran]) -> None:
    walk = run_flow(walking, dag=recovering(on_cluster)).result
    assert walk.results["recovering"] != os.getpid()
    assert len(on_cluster.read_text()) == 3


def test_a_task_whose_worker_dies_runs_on_another(on_cluster: Path, run_flow: Callable[..., Ran]) -> None:
    walk = run_flow(walking, dag=killed_once(on_cluster)).result
    assert walk.results == {"killed": 2, "after": 3}


def test_a_task_that_kills_every_worker_is_given_up(on_cluster: Path, run_flow: Callable[..., Ran]) -> None:
    """The run ends, and says so."""
    walk = run_flow(walking, dag=killed_always(on_cluster)).result
    assert (walk.results, walk.skipped) == ({}, ("after",))
    assert isinstance(walk.errors["killed"], TaskFailed)
    assert str(walk.errors["killed"]).startswith("2 of Dask's workers died while they ran this task")
