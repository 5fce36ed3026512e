"""Commands in a process group of their own, which ends with them, and in an environment of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["ROOT", "WATCH", "Done", "environment", "running", "script", "to_end"]

ROOT = Path(__file__).parents[2]
WATCH = Path(__file__).with_name("watch")
_SECONDS = 600  # more than any run takes on a busy machine
_OURS = ("MLOPS_", "MLFLOW_", "PREFECT_", "AIRFLOW_", "PARITY_", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")


class Done(NamedTuple):
    """A command that ended: its exit code, output and errors, and its seconds."""

    code: int
    said: str
    errors: str
    seconds: float


def environment(user: Path, **more: str) -> dict[str, str]:
    """Nothing of ours, Prefect's or Airflow's but what is given, and nothing of the user's home.

    The project's commands are found first on its PATH.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    own = {
        "HOME": str(user),
        "PREFECT_HOME": str(user / "prefect"),
        "PATH": f"{script('mlops').parent}{os.pathsep}{os.environ['PATH']}",
        "DO_NOT_TRACK": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLOPS_ACTOR": "parity",
    }
    return kept | own | more


def script(name: str) -> Path:
    """A command of this Python's environment."""
    return Path(sys.executable).with_name(name)


def to_end(words: Sequence[object], variables: Mapping[str, str], cwd: Path) -> Done:
    """Run a command to its end; whatever it leaves running is killed."""
    start = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - our own words
        [str(word) for word in words],
        env=dict(variables),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        said, errors = process.communicate(timeout=_SECONDS)
    finally:
        _kill(process)
    return Done(process.returncode, said, errors, time.perf_counter() - start)


@contextmanager
def running(words: Sequence[object], variables: Mapping[str, str], log: Path) -> Iterator[None]:
    """Have a command run beside the body."""
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - the same
            [str(word) for word in words],
            env=dict(variables),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(30)
        _kill(process)


def _kill(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):  # nothing of it is left
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
