"""An `airflow standalone` on loopback, with one user and a database of its own, and its REST interface."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.live.conftest import Environment

__all__ = ["AirflowServer"]

USER, PASSWORD = "bob", "for this test alone"
ENDED = ("success", "failed")


class AirflowServer:
    """Serves the DAG files of `dags`; `environment` is what its workers see."""

    def __init__(self, python: Path, home: Path, environment: Environment, until: Callable[..., Any]) -> None:
        self.home, self.dags, self.log = home, home / "dags", home / "standalone.log"
        self.until, self._python, self._environment = until, python, environment
        self.dags.mkdir(parents=True)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._variables = {**environment.variables, **_settings(home, self.url, port)}
        (home / "passwords.json").write_text(json.dumps({USER: PASSWORD}))
        self._token = ""

    def start(self) -> None:
        """Start it, and log in once it answers."""
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own words
                [self._python, "-m", "airflow", "standalone"],
                env=self._variables,
                cwd=self.home,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._token = self.until(self._login, f"Airflow to answer, see {self.log}")

    def stop(self) -> None:
        """End it and all that it started, which it leaves behind when it is ended alone."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        for number in self._environment.processes():
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        self._process.wait(60)

    def ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        """Ask its REST interface."""
        headers = {"Authorization": f"Bearer {self._token}"}
        return httpx.request(method, f"{self.url}/api/v2/{path}", headers=headers, timeout=120, **content)

    def get(self, path: str) -> Any:
        """What it answers, which has to be good."""
        return self.ask("GET", path).raise_for_status().json()

    def knows(self, dag: str) -> None:
        """Wait until it has read a DAG's file."""
        self.until(lambda: self.ask("GET", f"dags/{dag}").status_code == httpx.codes.OK, f"DAG {dag}")

    def trigger(self, dag: str, **conf: Any) -> str:
        """Begin a run, and return its id."""
        begun = self.ask("POST", f"dags/{dag}/dagRuns", json={"logical_date": None, "conf": conf})
        assert begun.status_code == httpx.codes.OK, begun.text
        return str(begun.json()["dag_run_id"])

    def ended(self, dag: str, run: str) -> str:
        """Wait for a run's end, and return its state."""
        states = {"state": ""}

        def looked() -> bool:
            states.update(self.get(f"dags/{dag}/dagRuns/{run}"))
            return states["state"] in ENDED

        self.until(looked, f"run {run} of {dag} to end")
        return states["state"]

    def says(self, *parts: str) -> bool:
        """Whether a line of its log has all of these."""
        return any(all(part in line for part in parts) for line in self.log.read_text().splitlines())

    def tasks(self, dag: str, run: str) -> dict[str, dict[str, Any]]:
        """The task instances of a run by the ids of their tasks."""
        found = self.get(f"dags/{dag}/dagRuns/{run}/taskInstances")["task_instances"]
        return {one["task_id"]: one for one in found}

    def receipt(self, dag: str, run: str, task: str) -> Any:
        """What a task returned, as Airflow keeps it."""
        entry = f"dags/{dag}/dagRuns/{run}/taskInstances/{task}/xcomEntries/return_value"
        return self.get(entry)["value"]

    def _login(self) -> str | None:
        assert self._process.poll() is None, self.log.read_text()[-4000:]
        with suppress(httpx.TransportError):
            told = {"username": USER, "password": PASSWORD}
            said = httpx.post(f"{self.url}/auth/token", json=told, timeout=120)
            if said.status_code == httpx.codes.CREATED:
                return str(said.json()["access_token"])
        return None


def _settings(home: Path, url: str, port: int) -> Mapping[str, str]:
    """Airflow's, for one machine of two cores that looks often."""
    settings = {
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "CORE__PARALLELISM": "2",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "API__HOST": "127.0.0.1",
        "API__PORT": str(port),
        "API__BASE_URL": url,
        "API__SECRET_KEY": "nobody else comes here",
        "API_AUTH__JWT_SECRET": "nobody else comes here, not even for a short while, as it is a test",
        "SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
        "SCHEDULER__ENABLE_HEALTH_CHECK": "False",
        "DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "DAG_PROCESSOR__REFRESH_INTERVAL": "2",
        "LOGGING__WORKER_LOG_SERVER_PORT": "0",
        "LOGGING__TRIGGER_LOG_SERVER_PORT": "0",
        "TRIGGERER__DEFAULT_CAPACITY": "1",
    }
    named = {f"AIRFLOW__{name}": value for name, value in settings.items()}
    return {**named, "AIRFLOW_HOME": str(home), "HOME": str(home), "PYTHONUNBUFFERED": "1"}
