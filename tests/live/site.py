"""A checkout with a Prefect server and a worker, as docs/prefect.md sets them up."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import time
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from tests.live.conftest import Environment

__all__ = ["ENDS", "POOL", "Site", "succeeds"]

POOL = "mlops-process"
ENDS = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
PARTS = ("deploy", "flows", "mlops_core", "prefect.yaml", "pyproject.toml")


class Site:
    """A checkout of its own, with the processes of a server and a worker."""

    def __init__(
        self, folder: Path, project: Path, environment: type[Environment], until: Callable[..., Any]
    ) -> None:
        self._folder, self.until = folder, until
        self.checkout = folder / "checkout"
        self.checkout.mkdir()
        for part in PARTS:
            copy = shutil.copytree if (project / part).is_dir() else shutil.copy
            copy(project / part, self.checkout / part)
        with socket.create_server(("127.0.0.1", 0)) as found:
            self._port = found.getsockname()[1]
        self.api = f"http://127.0.0.1:{self._port}/api"
        settings = {
            "PREFECT_API_URL": self.api,
            "PREFECT_WORKER_QUERY_SECONDS": "2",
            # SQLite has one writer, and those that meet may wait a minute for each other: fewer is better.
            "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_ENABLED": "false",
            "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
        }
        self._started: list[subprocess.Popen[bytes]] = []
        self.environment = environment(folder / "state", folder / "prefect", **settings)

    def serve(self) -> subprocess.Popen[bytes]:
        """Start the server and wait until it answers."""
        server = self._start("server", "server", "start", "--host", "127.0.0.1", "--port", self._port)
        self.until(lambda: server.poll() is not None or _healthy(self.api), "the server")
        assert server.poll() is None, (self._folder / "server.log").read_text()
        return server

    def work(self) -> subprocess.Popen[bytes]:
        """Start a worker."""
        return self._start("worker", "worker", "start", "--pool", POOL)

    def deploy(self) -> None:
        """Make the work pool and all deployments."""
        succeeds(self.prefect("work-pool", "create", POOL, "--type", "process"))
        succeeds(self.prefect("--no-prompt", "deploy", "--all"))

    def deploy_again(self) -> str:
        """Deploy everything once more, and return what that said."""
        done = self.prefect("--no-prompt", "deploy", "--all")
        succeeds(done)
        return done.stdout

    def kill(self) -> None:
        """End all that runs here as a crash of the machine would."""
        while left := self.environment.processes():
            for process in left:
                os.kill(process, signal.SIGKILL)
            time.sleep(0.1)
        for one in self._started:
            one.wait()

    def prefect(self, *words: object) -> subprocess.CompletedProcess[str]:
        """A `prefect` command in the checkout."""
        return self.environment.run("prefect", *words, cwd=self.checkout)

    def post(self, path: str, **body: Any) -> httpx.Response:
        """The API's answer to a POST; asked again while it says that its database is busy."""

        return self._post(path, body)

    def ask(self, path: str, **body: Any) -> Any:
        """What the API answers to a POST that it should accept."""
        return self.post(path, **body).raise_for_status().json()

    def create(self, path: str, many: list[dict[str, Any]]) -> None:
        """Have the API make several things."""
        self._post(path, many).raise_for_status()

    def deployments(self) -> dict[str, dict[str, Any]]:
        """All deployments by `flow/name`."""
        flows = {flow["id"]: flow["name"] for flow in self.ask("/flows/filter")}
        return {f"{flows[one['flow_id']]}/{one['name']}": one for one in self.ask("/deployments/filter")}

    def runs(self, deployment: str) -> list[dict[str, Any]]:
        """The flow runs of a deployment, planned ones too."""
        ids = {"any_": [self.deployments()[deployment]["id"]]}
        found: list[dict[str, Any]] = self.ask("/flow_runs/filter", flow_runs={"deployment_id": ids})
        return found

    def start(self, deployment: str, **parameters: Any) -> str:
        """Have a run of a deployment, and return its id."""
        found = self.deployments()[deployment]["id"]
        run: str = self.ask(f"/deployments/{found}/create_flow_run", parameters=parameters)["id"]
        return run

    def state(self, run: str) -> dict[str, Any]:
        """The state of a run."""
        found: dict[str, Any] = httpx.get(f"{self.api}/flow_runs/{run}", timeout=120).json()["state"]
        return found

    def once(self, run: str, *types: str) -> dict[str, Any]:
        """The state of a run when it is one of these, by default a last one."""
        wanted = types or ENDS

        def reached() -> dict[str, Any] | None:
            found = self.state(run)
            return found if found["type"] in wanted else None

        state: dict[str, Any] = self.until(reached, f"run {run} to be {' or '.join(wanted)}")
        return state

    def _post(self, path: str, body: Any) -> httpx.Response:
        def answer() -> httpx.Response | None:
            response = httpx.post(f"{self.api}{path}", json=body, timeout=120)
            return None if response.status_code == httpx.codes.SERVICE_UNAVAILABLE else response

        response: httpx.Response = self.until(answer, f"an answer to {path}")
        return response

    def _start(self, name: str, *words: object) -> subprocess.Popen[bytes]:
        log = self._folder / f"{name}.log"
        self._started.append(self.environment.start("prefect", *words, cwd=self.checkout, log=log))
        return self._started[-1]


def _healthy(api: str) -> bool:
    try:
        return httpx.get(f"{api}/health", timeout=5).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def succeeds(done: subprocess.CompletedProcess[str]) -> None:
    """A command ended with exit code 0; its output says why not."""
    assert done.returncode == 0, done.stdout
