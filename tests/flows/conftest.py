"""One Prefect server for these tests, the purchases of a small shop, and what a run left in the API."""

# ruff: noqa: E402 - Prefect is imported after its home has been named
from __future__ import annotations

import atexit
import os
import socket
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Prefect makes its home and reads its settings when it is imported: a fixture would come too late.
_PREFECT_HOME = tempfile.TemporaryDirectory(prefix="mlops-prefect-")
atexit.register(_PREFECT_HOME.cleanup)
os.environ |= {"PREFECT_HOME": _PREFECT_HOME.name, "DO_NOT_TRACK": "1"}

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId, FlowRunFilter
from prefect.client.schemas.filters import FlowRunFilterId as RunId
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker
from prefect.server.api.server import SubprocessASGIServer
from prefect.settings import temporary_settings

from flows.tasks import run_on_prefect
from tests.flows.purchases import write_purchases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prefect.client.schemas.objects import Artifact, State, TaskRun
    from prefect.task_runners import TaskRunner

    from mlops_core.dag import PipelineDAG

SECONDS = 120  # for a server to start, or for what it was told to be in its database
QUICK = {
    "home": Path(_PREFECT_HOME.name),  # should another test have imported Prefect before
    "server.analytics_enabled": False,
    # SQLite has one writer, and those that meet may wait a minute for each other: the fewer, the better.
    "server.services.event_persister.enabled": False,
    "server.services.triggers.enabled": False,
    "server.services.task_run_recorder.batch_size": 10_000,
    "server.services.task_run_recorder.flush_interval": 1,
    "flows.heartbeat_frequency": None,  # its thread takes up to a second to stop
    "logging.to_api.enabled": False,
}


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[None]:
    """A server of our own, on a free port of this machine, with a database of its own."""
    with temporary_settings(QUICK), pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)  # bytecode halves the server's start
        server = SubprocessASGIServer(port=free_port())
        server.start(timeout=SECONDS)
        try:
            with temporary_settings({"api.url": server.api_url}):
                yield
                APILogWorker.instance().drain()
                EventsWorker.drain_all()
        finally:
            server.stop()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


@dataclass
class Ran:
    """A flow run that has ended: its last state, and what the API knows of it."""

    state: State[Any]

    @property
    def result(self) -> Any:
        """What the flow returned, or the error that it ended with."""
        return self.state.result(raise_on_failure=False)

    def task_runs(self, count: int) -> dict[str, TaskRun]:
        """The task runs by their tasks' names, once so many are recorded; the server writes them later."""
        deadline = time.monotonic() + SECONDS
        while True:
            with get_client(sync_client=True) as client:
                found = client.read_task_runs(flow_run_filter=FlowRunFilter(id=RunId(any_=[self._id()])))
            if len([run for run in found if _is_over(run)]) >= count:
                return {run.name.partition("-")[0]: run for run in found}  # Prefect renames what never began
            assert time.monotonic() < deadline, (
                f"recorded are {[(run.name, run.state_name) for run in found]}"
            )
            time.sleep(0.1)

    def artifacts(self) -> dict[str, Artifact]:
        """The artifacts by key."""
        mine = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[self._id()]))
        with get_client(sync_client=True) as client:
            return {str(one.key): one for one in client.read_artifacts(artifact_filter=mine)}

    def _id(self) -> Any:
        return self.state.state_details.flow_run_id


def _is_over(run: TaskRun) -> bool:
    return run.state is not None and (run.state.is_final() or run.state.name == "NotReady")


@pytest.fixture(scope="session")
def run_flow(prefect_server: None) -> Callable[..., Ran]:  # noqa: ARG001 - has to be up
    """Run a flow to its end: `run_flow(churn, floor=0.8)`."""

    def run(given: Any, **parameters: Any) -> Ran:
        return Ran(given(**parameters, return_state=True))

    return run


@pytest.fixture
def walk(run_flow: Callable[..., Ran]) -> Callable[..., Ran]:
    """Run a DAG in a small flow of its own, which returns the context."""

    def run(
        dag: PipelineDAG, context: Mapping[str, Any] | None = None, runner: TaskRunner[Any] | None = None
    ) -> Ran:
        @flow(name="walk")
        def walking() -> Any:
            return run_on_prefect(dag, context, runner=runner)

        return run_flow(walking)

    return run


@pytest.fixture(scope="session")
def purchases(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Writes the purchases of so many customers in 18 months; under 500 are too few for churn's gate."""

    def write(customers: int) -> Path:
        return write_purchases(tmp_path_factory.mktemp("shop") / f"{customers}.parquet", customers)

    return write
