"""A checkout with a Prefect server and a worker, for pictures, below a path that names no machine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

__all__ = ["Site"]

PROJECT = Path(__file__).parents[1]
PARTS = ("deploy", "flows", "mlops_core", "prefect.yaml", "pyproject.toml")
POOL = "mlops-process"
OVER = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
SECONDS = 300


class Site:
    """The processes, and what a script asks of the server. `folder` must not be there yet."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.checkout = folder, folder / "checkout"
        self.checkout.mkdir(parents=True)
        for part in PARTS:
            copy: Any = shutil.copytree if (PROJECT / part).is_dir() else shutil.copy
            copy(PROJECT / part, self.checkout / part)
        with socket.create_server(("127.0.0.1", 0)) as found:
            self.port = found.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        dropped = ("MLOPS_", "PREFECT_", "PYTHONDONTWRITEBYTECODE")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
        self._environment = kept | {
            "DO_NOT_TRACK": "1",
            "HOME": str(folder),
            "MLOPS_ACTOR": "ana",
            "MLOPS_HOME": str(folder / "state"),
            "PREFECT_API_URL": f"{self.url}/api",
            "PREFECT_HOME": str(folder / "prefect"),
            "PREFECT_WORKER_QUERY_SECONDS": "1",
        }
        self._started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        try:
            self._start("server", "start", "--host", "127.0.0.1", "--port", str(self.port))
            self._until(self._healthy, "the server")
            self.prefect("work-pool", "create", POOL, "--type", "process")
            self.prefect("--no-prompt", "deploy", "--all")
            self._start("worker", "start", "--pool", POOL, "--name", "worker-1")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._started):
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)

    def prefect(self, *words: str) -> None:
        """A `prefect` command in the checkout, to its end."""
        command = [str(Path(sys.executable).with_name("prefect")), *words]
        subprocess.run(  # noqa: S603 - ours
            command, env=self._environment, cwd=self.checkout, check=True, stdout=subprocess.DEVNULL
        )

    def run(self, deployment: str, **parameters: Any) -> str:
        """Have a run of `flow/deployment` and return its id."""
        found = self.deployment(deployment)
        made = self.ask(f"/deployments/{found}/create_flow_run", {"parameters": parameters})
        return str(made["id"])

    def deployment(self, name: str) -> str:
        """The id of `flow/deployment`."""
        return str(self.ask(f"/deployments/name/{name}")["id"])

    def once(self, run: str, *types: str) -> dict[str, Any]:
        """The state of a run when it is one of these, by default a last one."""

        def reached() -> Any:
            state = self.ask(f"/flow_runs/{run}")["state"]
            return state if state["type"] in (types or OVER) else None

        found: dict[str, Any] = self._until(reached, f"run {run}")
        return found

    def artifact(self, run: str, key: str, *, of: str = "", over: float | None = None) -> str:
        """The id of a run's artifact, once there is one; of progress, once a stage is over that per cent."""
        asked = {"artifacts": {"key": {"any_": [key]}, "flow_run_id": {"any_": [run]}}}

        def there() -> list[Any]:
            found = self.ask("/artifacts/filter", asked)
            found = [one for one in found if one["description"].startswith(of)]
            return [one for one in found if over is None or over < one["data"] < 100]

        return str(self._until(there, f"{key} of run {run}")[0]["id"])

    def parked(self) -> str:
        """The id of the run that waits for a person, once there is one with its form."""
        asked = {"flow_runs": {"state": {"type": {"any_": ["PAUSED"]}}}}
        return str(self._until(lambda: self.ask("/flow_runs/filter", asked), "a parked run")[0]["id"])

    def ask(self, path: str, body: Any = None) -> Any:
        """What the API answers: to a POST where there is a body."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.url}/api{path}", data, {"content-type": "application/json"})  # noqa: S310 - ours
        while True:
            try:
                with urlopen(request, timeout=60) as answer:  # noqa: S310 - the same
                    return json.load(answer)
            except HTTPError as error:
                if error.code != HTTPStatus.SERVICE_UNAVAILABLE:  # its database is busy
                    raise
                time.sleep(1)

    def _healthy(self) -> bool:
        try:
            return bool(self.ask("/health"))
        except URLError:
            return False

    def _start(self, *words: str) -> None:
        command = [str(Path(sys.executable).with_name("prefect")), *words]
        with (self.folder / f"{words[0]}.log").open("wb") as log:
            self._started.append(
                subprocess.Popen(command, env=self._environment, cwd=self.checkout, stdout=log, stderr=log)  # noqa: S603 - ours
            )

    def _until(self, question: Any, what: str) -> Any:
        deadline = time.monotonic() + SECONDS
        while not (answer := question()):
            if time.monotonic() > deadline:
                sys.exit(f"waited {SECONDS} s for {what}; see the logs in {self.folder}")
            time.sleep(0.3)
        return answer
