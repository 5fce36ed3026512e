"""Whole processes, measured: their time and that of the children they waited for."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Bench", "Cost", "Row"]

ROOT = Path(__file__).parents[1]
SERVER_SECONDS = 120


class Row(NamedTuple):
    """A process to measure: `words` follow `python`, "{state}" in them is the row's state folder.

    Rows of one `state` share that folder; a `first` one finds it empty. `prefect` says which Prefect home a
    row has: one whose database is there, that of a running server, or none yet.
    """

    key: str
    words: tuple[str, ...]
    state: str = ""
    first: bool = False
    prefect: Literal["warm", "running", "new"] = "warm"


class Cost(NamedTuple):
    """Seconds: by the clock, and of the processors, in user and in system mode."""

    wall: float
    cpu: float


class Bench:
    """Runs rows in a temporary folder: homes of Prefect, state folders and output lie in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._url = ""  # of the running server, once there is one
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PREFECT_", "MLOPS_", "MLFLOW_"))
        }
        kept.pop("PYTHONDONTWRITEBYTECODE", None)  # compiling again at every start is nobody's usual run
        self._environment = kept | {
            "DO_NOT_TRACK": "1",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": str(SERVER_SECONDS),
        }

    def run(self, row: Row) -> Cost:
        """Run a row once; one that needs what a first run stores gets it before, which is not counted."""
        state = self._folder / f"state-{row.state}"
        if row.first:
            shutil.rmtree(state, ignore_errors=True)
        elif row.state and not state.exists():
            self.run(row._replace(first=True))
        state.mkdir(exist_ok=True)
        home = self._folder / f"prefect-{row.key if row.prefect == 'new' else row.prefect}"
        environment = {"MLOPS_HOME": str(state), "PREFECT_HOME": str(home)}
        if row.prefect == "running":
            environment["PREFECT_API_URL"] = f"{self._url}/api"
        return self.python([word.format(state=state) for word in row.words], environment)

    def python(self, words: Sequence[str], environment: dict[str, str]) -> Cost:
        """The cost of `python words…`; ends this program with what it said when it fails."""
        with (self._folder / "output.txt").open("wb") as output:
            start = time.perf_counter()
            process = subprocess.Popen(  # noqa: S603 - our own words
                [sys.executable, *words],
                env=self._environment | environment,
                cwd=ROOT,
                stdout=output,
                stderr=output,
            )
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"python {shlex.join(words)} failed:\n{self.output()[-4000:]}")
        return Cost(wall, usage.ru_utime + usage.ru_stime)

    def output(self) -> str:
        """What the last process said."""
        return (self._folder / "output.txt").read_text(errors="replace")

    @contextmanager
    def server(self, **settings: str) -> Iterator[None]:
        """Have a `prefect server start` run beside the body, on a free port and with a home of its own."""
        port = _free_port()
        self._url = f"http://127.0.0.1:{port}"
        log = self._folder / "server.txt"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - our own words
                [sys.executable, "-m", "prefect", "server", "start", "--port", str(port)],
                env=self._environment | {"PREFECT_HOME": str(self._folder / "prefect-running")} | settings,
                stdout=output,
                stderr=output,
            )
        try:
            self._wait(process, log)
            yield
        finally:
            process.terminate()
            process.wait(SERVER_SECONDS)

    def _wait(self, process: subprocess.Popen[bytes], log: Path) -> None:
        end = time.monotonic() + SERVER_SECONDS
        while process.poll() is None and time.monotonic() < end:
            try:
                with urllib.request.urlopen(f"{self._url}/api/health", timeout=5):  # noqa: S310 - ours
                    return
            except OSError:
                time.sleep(0.2)
        raise SystemExit(f"no Prefect server at {self._url}:\n{log.read_text(errors='replace')[-4000:]}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port
