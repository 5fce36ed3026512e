"""Run by the tests as a process of its own: imports MLflow once, then forks children that are killed at work.

Usage: killed_children.py ACTION FOLDER, with `submission.json` in FOLDER. Prints one JSON value. Children are
killed by SIGKILL, at every call of MLflow's client in turn or after a delay; what they leave is then looked
at and worked on by another child.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import sys
import time
import traceback
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlflow import MlflowClient
from mlflow.store.tracking import sqlalchemy_store  # noqa: F401 - loaded once, not by every child

from mlops_core.adapters.registry.mlflow import MlflowModelRegistry
from mlops_core.domain.registry import Submission

if TYPE_CHECKING:
    from collections.abc import Callable

MODELS = """
SELECT logged_models.status, runs.status FROM logged_models JOIN runs ON run_uuid = source_run_id
WHERE logged_models.lifecycle_stage = 'active'
"""
DELAYS = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)


def fork(work: Callable[[], object]) -> int:
    """Start a child that does the work; its exit code is 0 when that came to its end."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return child


def ended(child: int) -> bool:
    """Whether a child came to its end, as opposed to being killed; raises when its work failed."""
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code not in (0, -signal.SIGKILL):
        raise RuntimeError(f"a child ended with {code}")
    return code == 0


def die_at_call(number: int) -> None:
    """Make this process kill itself when MLflow's client is called for the `number`-th time."""
    left = [number]

    def wrapped(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return method(*arguments, **named)

        return call

    for name, method in list(vars(MlflowClient).items()):
        if callable(method) and not name.startswith("_"):
            setattr(MlflowClient, name, wrapped(method))


def doomed(number: int, work: Callable[[Path], object], home: Path) -> None:
    die_at_call(number)
    work(home)


def registry(home: Path) -> MlflowModelRegistry:
    return MlflowModelRegistry(tracking_uri=None, home=home)


def stages(home: Path) -> dict[int, str]:
    return {version.number: version.stage for version in registry(home).versions("churn")}


def left_behind(home: Path) -> dict[str, Any]:
    """What is in the database and the folders of a store."""
    with closing(sqlite3.connect(home / "mlflow" / "mlflow.db")) as connection:
        return {
            "stages": stages(home),
            "runs": [status for (status,) in connection.execute("SELECT status FROM runs")],
            "models": connection.execute(MODELS).fetchall(),
            "aliases": dict(connection.execute("SELECT alias, version FROM registered_model_aliases")),
            "folders": sorted(path.name for path in (home / "mlflow").iterdir()),
        }


def at_every_call(folder: Path, start: Path, work: Callable[[Path], object]) -> list[dict[str, Any]]:
    """Do the work on copies of a home folder, killed at its first call, its second …, and then once more."""
    found = []
    for number in range(1, 100):
        home = folder / f"home-{number}"
        shutil.copytree(start, home)
        died = not ended(fork(partial(doomed, number, work, home)))
        after = stages(home)
        ended(fork(partial(work, home)))
        found.append({"died": died, "after": after, **left_behind(home)})
        if not died:
            return found
    raise RuntimeError("the work has no end")


def register(folder: Path, submission: Submission) -> list[dict[str, Any]]:
    return at_every_call(folder, folder / "start", lambda home: registry(home).register(submission))


def promote(folder: Path, submission: Submission) -> list[dict[str, Any]]:
    home = folder / "promoted"
    shutil.copytree(folder / "start", home)

    def two_versions() -> None:
        registry(home).register(submission)
        registry(home).promote("churn", 1)
        registry(home).register(submission.model_copy(update={"digest": "second"}))

    ended(fork(two_versions))
    return at_every_call(folder, home, lambda home: registry(home).promote("churn", 2))


def race(folder: Path, submission: Submission) -> dict[str, Any]:
    """Six children register the same model in a fresh store, at once."""
    children = [fork(lambda: registry(folder / "fresh").register(submission)) for _ in range(6)]
    outcomes = [ended(child) for child in children]
    return {"outcomes": outcomes, **left_behind(folder / "fresh")}


def first_use(folder: Path, submission: Submission) -> list[dict[str, Any]]:
    """First registrations in fresh stores, killed after various times; then another."""
    found = []
    for delay in DELAYS:
        home = folder / f"fresh-{delay}"
        child = fork(partial(registry(home).register, submission))
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
        died = not ended(child)
        ended(fork(partial(registry(home).register, submission)))
        found.append({"died": died, "delay": delay, **left_behind(home)})
    return found


if __name__ == "__main__":
    action, folder = sys.argv[1], Path(sys.argv[2])
    given = Submission.model_validate_json((folder / "submission.json").read_text())
    actions = {"register": register, "promote": promote, "race": race, "first_use": first_use}
    sys.stdout.write(json.dumps(actions[action](folder, given)))
