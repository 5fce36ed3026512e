"""Real processes in an environment of their own, and the purchases of a small shop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.flows.purchases import write_purchases

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

pytest.register_assert_rewrite("tests.live.parity_suite")  # it holds tests, and has to say what differs

PROJECT = Path(__file__).parents[2]
SECONDS = 300  # more than any command takes on a busy machine


@pytest.fixture(scope="session")
def project() -> Path:
    """The folder of this project."""
    return PROJECT


@pytest.fixture(scope="session")
def purchases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Purchases of enough customers to pass churn's gate."""
    return write_purchases(tmp_path_factory.mktemp("shop") / "purchases.parquet", 650)


class Environment:
    """Environment variables for processes: none of ours or Prefect's but those given, nothing of the user's.

    Every process that is started with it, and theirs in turn, carries `home`, by which they are found again.
    """

    def __init__(self, home: Path, prefect_home: Path, **more: str) -> None:
        self.home = home
        prefixes = ("MLOPS_", "MLFLOW_", "PREFECT_", "PYTHONDONTWRITEBYTECODE")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
        self.variables: Mapping[str, str] = {
            **kept,
            "DO_NOT_TRACK": "1",
            "HOME": str(prefect_home),
            "PREFECT_HOME": str(prefect_home),
            "MLOPS_HOME": str(home),
            **more,
        }

    def run(self, command: str, *arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run a command of this Python's environment to its end, output and errors together in `stdout`."""
        return subprocess.run(  # noqa: S603 - our own commands, no shell
            self._words(command, arguments),
            env=self.variables,
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def start(self, command: str, *arguments: object, cwd: Path, log: Path) -> subprocess.Popen[bytes]:
        """Start a command that goes on until it is stopped."""
        with log.open("wb") as output:
            return subprocess.Popen(  # noqa: S603 - the same
                self._words(command, arguments), env=self.variables, cwd=cwd, stdout=output, stderr=output
            )

    def processes(self) -> set[int]:
        """The living processes that were started with this environment, as Linux tells them."""
        mark = f"MLOPS_HOME={self.home}\0".encode()
        return {int(file.parent.name) for file in Path("/proc").glob("[0-9]*/environ") if mark in _read(file)}

    def _words(self, command: str, arguments: tuple[object, ...]) -> list[str]:
        return [str(Path(sys.executable).with_name(command)), *map(str, arguments)]


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes() + b"\0"
    except OSError:  # it has ended, or is another user's
        return b""


@pytest.fixture(scope="session")
def environment() -> type[Environment]:
    """Makes environments."""
    return Environment


@pytest.fixture(scope="session")
def until() -> Callable[..., Any]:
    """Asks again and again until there is an answer other than None and False, and gives that."""

    def asked(question: Callable[[], Any], what: str) -> Any:
        deadline = time.monotonic() + SECONDS
        while (answer := question()) in (None, False):
            assert time.monotonic() < deadline, f"waited {SECONDS} s for {what}"
            time.sleep(0.2)
        return answer

    return asked


@pytest.fixture(scope="session")
def stop() -> Callable[[subprocess.Popen[bytes]], None]:
    """Ends a process that goes on until it is stopped."""

    def stopped(process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    return stopped
