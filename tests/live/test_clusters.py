"""`python flows/…` with Dask or Ray on this machine: quiet, done, and nothing left running."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.every_point import nightly

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.live.conftest import Environment

pytestmark = [pytest.mark.live, nightly]

NOISE = ("distributed", "dashboard", "Nanny", "Warning", "WARNING", "Token authentication", "usage stats")


@pytest.fixture(scope="module")
def prefect_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all: to make its database takes longer than a run. It is the user's home too."""
    return tmp_path_factory.mktemp("prefect")


@pytest.fixture
def by_hand(environment: type[Environment], tmp_path: Path, prefect_home: Path) -> Environment:
    """An environment with a state folder of its own."""
    return environment(tmp_path / "state", prefect_home)


@pytest.mark.parametrize("kind", ["dask", "ray"])
def test_a_run_is_quiet_and_leaves_nothing(
    kind: str, by_hand: Environment, project: Path, prefect_home: Path
) -> None:
    """Nothing in the user's home either."""
    pytest.importorskip(f"prefect_{kind}", reason=f"{kind} is not installed")
    words = ("flows/simulator.py", "--task-runner", kind, "--workers", "2")
    done = by_hand.run("python", *words, cwd=project)
    assert done.returncode == 0, done.stdout
    assert "Finished in state Completed()" in done.stdout.splitlines()[-1]
    assert [line for line in done.stdout.splitlines() if any(word in line for word in NOISE)] == []
    assert by_hand.processes() == set()
    assert not (prefect_home / ".ray").exists()
    assert not (prefect_home / ".config").exists()


def test_ctrl_c_leaves_nothing(
    by_hand: Environment, project: Path, tmp_path: Path, until: Callable[..., Any], purchases: Path
) -> None:
    """In the middle of a delivery on Dask."""
    log = tmp_path / "log"
    words = ("flows/churn.py", "--task-runner", "dask", "--workers", "2", "--data", purchases)
    # A terminal sends the signal to all of its processes, not to the run's alone
    run = by_hand.start("python", "-c", _LEADING, *words, cwd=project, log=log)
    until(lambda: "Task run 'feature_store'" in log.read_text() or run.poll() is not None, "the first stage")
    assert run.poll() is None, log.read_text()
    os.killpg(run.pid, signal.SIGINT)
    assert run.wait(60) != 0
    until(lambda: not by_hand.processes(), "the last process to end")


_LEADING = """
import os, runpy, signal, sys
os.setpgid(0, 0)
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
