"""Processes that race or are killed leave nothing that the next one cannot finish."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mlops_core.domain.registry import Submission

Driver = Callable[[str], Any]
CHILDREN = Path(__file__).with_name("killed_children.py")


@pytest.fixture
def driver(
    tmp_path: Path, home: Path, submit: Callable[..., Submission], environment: dict[str, str]
) -> Driver:
    """Runs an action of `killed_children.py` and gives what it prints."""

    def run(action: str) -> Any:
        folder = tmp_path / action
        folder.mkdir()
        shutil.copytree(home, folder / "start")
        (folder / "submission.json").write_text(submit().model_dump_json())
        done = subprocess.run(  # noqa: S603 - our own interpreter and script
            [sys.executable, CHILDREN, action, folder], env=environment, capture_output=True, timeout=300
        )
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    return run


def finished(found: dict[str, Any]) -> None:
    """One version, of one finished run with one ready model; dead attempts are marked, their models gone."""
    assert found["stages"] == {"1": "Staging"}
    assert found["aliases"] == {"staging": 1}
    assert found["runs"].count("FINISHED") == 1
    assert set(found["runs"]) <= {"FINISHED", "KILLED"}
    assert found["models"] == [[2, "FINISHED"]]  # 2: READY
    assert set(found["folders"]) <= {"artifacts", "mlflow.db", "mlflow.db.lock"}


@pytest.mark.live
def test_a_registration_killed_at_any_call_is_finished_by_the_next(driver: Driver) -> None:
    """Killed before each call to MLflow in turn, then run again: one version each time, and no debris."""
    found = driver("register")
    assert [one["died"] for one in found] == [True] * (len(found) - 1) + [False]
    assert len(found) > 12
    for one in found:
        finished(one)


@pytest.mark.live
def test_a_promotion_killed_at_any_call_is_finished_by_the_next(driver: Driver) -> None:
    """Killed before each call in turn, one version is in Production; run again, it is the one promoted."""
    found = driver("promote")
    assert [one["died"] for one in found] == [True] * (len(found) - 1) + [False]
    between = [one["after"] for one in found]
    assert between[0] == {"1": "Production", "2": "Staging"}
    assert {"1": "Archived", "2": "Production"} in between[:-1]
    assert all(list(stages.values()).count("Production") == 1 for stages in between)
    for one in found:
        assert one["stages"] == {"1": "Archived", "2": "Production"}
        assert one["aliases"] == {"production": 2, "archived": 1}


@pytest.mark.live
def test_racing_processes_make_one_version(driver: Driver) -> None:
    """Six processes that register one model in a store that was never used all succeed, with one version."""
    found = driver("race")
    assert found["outcomes"] == [True] * 6
    assert found["runs"] == ["FINISHED"]
    finished(found)


@pytest.mark.live
def test_a_first_use_killed_at_any_time_leaves_a_store_that_opens(driver: Driver) -> None:
    """Killed after various times while the store is made and filled: the next registration succeeds."""
    found = driver("first_use")
    assert any(one["died"] for one in found)
    for one in found:
        finished(one)
