"""Stages as real processes: killed, given up, and two at a time."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mlops_core.run_folder import RunFolder

if TYPE_CHECKING:
    import subprocess

    from tests.live.conftest import Environment

pytestmark = pytest.mark.live

DISTURBED = Path(__file__).with_name("disturbed_task.py")


class Stages:
    """A state folder, a run's folder and the purchases of a small shop."""

    def __init__(self, environment: Environment, purchases: Path, folder: Path) -> None:
        self.environment, self.purchases, self.folder = environment, purchases, folder
        self.run = folder / "run"

    def words(self, task: str, *more: object) -> list[object]:
        """Those of `mlops task run`; the first is told what to read."""
        data = ("--data", self.purchases) if task == "feature_store" else ()
        return ["task", "run", "churn", task, "--run", self.run, "--quiet", *data, *more]

    def done(self, task: str, *more: object) -> tuple[int, str]:
        """Run a task to its end; exit code and output."""
        ended = self.environment.run("mlops", *self.words(task, *more), cwd=self.folder)
        return ended.returncode, ended.stdout

    def disturbed(self, how: str, task: str, *more: object) -> tuple[int, str]:
        """The same, disturbed."""
        ended = self.environment.run("python", DISTURBED, how, *self.words(task, *more), cwd=self.folder)
        return ended.returncode, ended.stdout


@pytest.fixture
def stages(environment: type[Environment], purchases: Path, tmp_path: Path) -> Stages:
    """Nothing has run yet."""
    return Stages(environment(tmp_path / "home", tmp_path / "prefect"), purchases, tmp_path)


def test_a_task_that_is_killed_leaves_nothing_and_the_next_gives_the_same_receipt(
    stages: Stages, environment: type[Environment], purchases: Path, tmp_path: Path
) -> None:
    assert stages.done("feature_store") == (0, "")
    before = sorted(stages.run.rglob("*"))
    assert stages.disturbed("training_set", "training_set")[0] == -signal.SIGKILL
    assert list(stages.environment.home.glob("stages/training_set/.*.draft/rows.parquet"))
    assert sorted(stages.run.rglob("*")) == before
    assert stages.done("training_set") == (0, "")
    (tmp_path / "quiet").mkdir()
    quiet = Stages(
        environment(tmp_path / "quiet" / "home", tmp_path / "prefect"), purchases, tmp_path / "quiet"
    )
    for task in ("feature_store", "training_set"):
        assert quiet.done(task) == (0, "")
        assert _receipt(quiet, task) == _receipt(stages, task)


@pytest.mark.parametrize(
    ("retry", "code"), [((), 1), (("--retry", "attempts=2,delay_seconds=0,retry_on=TaskTimedOut"), 75)]
)
def test_a_process_ends_though_what_was_given_up_goes_on(
    stages: Stages, retry: tuple[str, ...], code: int
) -> None:
    ended, said = stages.disturbed("stuck", "feature_store", "--timeout", "0.2", *retry)
    assert (ended, said.count("took longer than its time-out of 0.2 s")) == (code, 2 if retry else 1)
    failure = RunFolder(str(stages.run)).failure("feature_store")
    assert failure is not None
    assert (failure.error, failure.retry) == ("TaskTimedOut", code == 75)


def test_of_two_first_tasks_that_were_told_otherwise_one_is_refused(stages: Stages, tmp_path: Path) -> None:
    started: dict[str, subprocess.Popen[bytes]] = {
        floor: stages.environment.start(
            "mlops", *stages.words("feature_store", "--floor", floor), cwd=tmp_path, log=tmp_path / floor
        )
        for floor in ("0.6", "0.7")
    }
    codes = {floor: process.wait(300) for floor, process in started.items()}
    assert sorted(codes.values()) == [0, 2]
    kept, refused = sorted(codes, key=lambda floor: codes[floor])
    begun = RunFolder(str(stages.run)).begun()
    assert begun is not None
    assert begun.parameters == {"data": str(stages.purchases), "floor": float(kept)}
    said = (tmp_path / refused).read_text()
    assert f"it began with --floor {kept}, not with --floor {refused}" in said


def _receipt(stages: Stages, task: str) -> Any:
    return json.loads((stages.run / "receipts" / f"{task}.json").read_bytes())
