"""The ways on Prefect: our own flow, and the one that was exported. Both tell one server, which is asked."""

from __future__ import annotations

import json
import socket
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.parity.exports import exported
from benchmarks.parity.processes import ROOT, environment, running, script, to_end
from benchmarks.parity.result import Ran

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.parity.result import State
    from benchmarks.parity.way import Job

__all__ = ["ExportedFlow", "OwnFlow", "prefect_server"]

_SECONDS = 120  # for a server to start, or for what it was told to be in its database
_CALL = Path(__file__).with_name("call_flow.py")
_STATES: dict[str, State] = {"COMPLETED": "finished", "FAILED": "failed", "CRASHED": "failed"}


class OwnFlow:
    """`python flows/churn.py`: the stages in the flow's process, as Prefect tasks."""

    name = "our Prefect flow"

    def __init__(self, api: str) -> None:
        self._api = api

    def run(self, job: Job) -> Ran:
        """Run it; the states are those of the server."""
        return self._run(job, [*job.subject.flow, *job.options])

    def _run(self, job: Job, words: list[str]) -> Ran:
        variables = job.variables | {"PREFECT_API_URL": self._api}
        done = to_end([sys.executable, *words], variables, ROOT)
        states = _states(self._api, len(job.subject.dag()))
        return Ran(states, done.code, done.seconds, done.said + done.errors)


class ExportedFlow(OwnFlow):
    """The file of `mlops export --to prefect`: each Prefect task is a process of `mlops task run`."""

    name = "exported Prefect flow"

    def run(self, job: Job) -> Ran:
        """Export it, and call the flow in a process of its own, as a worker does."""
        into = job.home.parent / f"{job.subject.key}-prefect"
        file = exported(job.subject, "prefect", into, f"{job.subject.name}_flow.py")
        entrypoint = f"{file}:{job.subject.name}"
        return self._run(job, [str(_CALL), entrypoint, json.dumps(dict(job.told), default=str)])


@contextmanager
def prefect_server(folder: Path) -> Iterator[str]:
    """A server on a free port with a database of its own; gives the URL of its API."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
    url = f"http://127.0.0.1:{port}/api"
    variables = environment(
        folder,
        # SQLite has one writer, and those that meet may wait a minute for each other: fewer is better.
        PREFECT_SERVER_SERVICES_EVENT_PERSISTER_ENABLED="false",
        PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED="false",
        PREFECT_SERVER_ANALYTICS_ENABLED="false",
    )
    words = [script("prefect"), "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "server.log"
    with running(words, variables, log):
        _until(lambda: _answers(f"{url}/health"), f"the server of {log}")
        yield url


def _states(api: str, count: int) -> dict[str, State]:
    """The tasks of the last flow run by name, once all are recorded; the server writes them later."""
    (run,) = _ask(api, "/flow_runs/filter", sort="EXPECTED_START_TIME_DESC", limit=1)
    wanted = {"id": {"any_": [run["id"]]}}
    found: dict[str, State] = {}

    def recorded() -> bool:
        runs = _ask(api, "/task_runs/filter", flow_runs=wanted)
        found.clear()
        for one in runs:
            state = "skipped" if one["state_name"] == "NotReady" else _STATES.get(one["state_type"])
            if state is not None:
                found[_name(one["name"])] = state
        return len(found) == count

    _until(recorded, f"{count} tasks of run {run['id']}")
    return found


def _name(run: str) -> str:
    """The task of a run's name: Prefect puts three letters behind that of one which never began."""
    return run.partition("-")[0]


def _ask(api: str, path: str, **what: Any) -> Any:
    request = urllib.request.Request(  # noqa: S310 - our own server
        f"{api}{path}", json.dumps(what).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=_SECONDS) as response:  # noqa: S310 - the same
        return json.load(response)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - the same
            return True
    except OSError:
        return False


def _until(question: Any, what: str) -> None:
    end = time.monotonic() + _SECONDS
    while not question():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {_SECONDS} s for {what}")
        time.sleep(0.1)
