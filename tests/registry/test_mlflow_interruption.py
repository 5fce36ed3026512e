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

pytestmark = pytest.mark.live
Driver = Callable[[str], Any]
CHILDREN = Path(__file__).with_name("killed_children.py")


@pytest.fixture
def driver(
    tmp_path: Path,
    home: Path,
    submit: Callable[..., Submission],
    environment: dict[str, str],
    store: str,
    request: pytest.FixtureRequest,
) -> Driver:
    """Runs an action of `killed_children.py` and gives what it prints."""
    url = [request.getfixturevalue("mlflow_server").url] if store == "server" else []

    def run(action: str) -> Any:
        folder = tmp_path / action
        folder.mkdir()
        shutil.copytree(home, folder / "start")
        (folder / "submission.json").write_text(submit().model_dump_json())
        done = subprocess.run(  # noqa: S603 - our own interpreter and script
            [sys.executable, CHILDREN, action, folder, *url],
            env=environment,
            capture_output=True,
            timeout=1200,
        )
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    return run


both = pytest.mark.parametrize("store", ["sqlite", "server"])


def finished(found: dict[str, Any]) -> None:
    """One version, of one finished run with one ready model; dead attempts are marked, their models gone."""
    (number,) = found["stages"]
    assert found["stages"] == {number: "Staging"}
    assert found["versions"] == 1
    assert found["runs"].count("FINISHED") == 1
    assert set(found["runs"]) <= {"FINISHED", "KILLED"}
    ((status, linked),) = found["models"]
    assert status == "READY"
    assert json.loads(linked)[0]["version"] == int(number)
    assert set(found["folders"]) <= {"artifacts", "mlflow.db", "mlflow.db.lock", "registry.lock", "writer"}


@both
def test_a_registration_killed_at_any_call_is_finished_by_the_next(driver: Driver) -> None:
    """Killed before each call to MLflow in turn, then run again: one version each time, and no debris."""
    found = driver("register")
    assert [one["died"] for one in found] == [True] * (len(found) - 1) + [False]
    assert found[-1]["number"] > 15
    for one in found:
        finished(one)
        assert list(one["stages"]) == ["1"]


@both
def test_following_killed_at_any_call_is_finished_by_the_next(driver: Driver) -> None:
    """Killed before each call in turn, one version has the alias; run again, all is as the ledger says."""
    found = driver("follow")
    assert [one["died"] for one in found] == [True] * (len(found) - 1) + [False]
    between = [one["after"] for one in found]
    assert between[0]["stages"] == {"1": "Production", "2": "Staging"}
    assert {one["aliases"]["production"] for one in between[:-1]} == {1, 2}
    assert len({json.dumps([one["aliases"], one["stages"]]) for one in between}) > 4
    for one in found:
        assert one["stages"] == {"1": "Archived", "2": "Production"}
        assert one["aliases"] == {"production": 2, "archived": 1}
        assert one["runs"] == ["FINISHED"] * 2


@both
def test_racing_processes_make_one_version(driver: Driver) -> None:
    """Eight processes that register one model at once all succeed with one version; some of another host."""
    found = driver("race")
    assert found["outcomes"] == [True] * 8
    finished(found)


@pytest.mark.parametrize("store", ["server"])
def test_a_registration_that_another_host_outran_gives_way(driver: Driver) -> None:
    """It takes back its own version, wherever it is killed at that: the one that was first stays."""
    found = driver("outrun")
    assert [one["died"] for one in found] == [True] * (len(found) - 1) + [False]
    assert found[-1]["number"] > 5
    for one in found:
        finished(one)
        assert list(one["stages"]) == ["1"]


@pytest.mark.parametrize("store", ["sqlite"])
def test_a_first_use_killed_at_any_time_leaves_a_store_that_opens(driver: Driver) -> None:
    """Killed after various times while the store is made and filled: the next registration succeeds."""
    found = driver("first_use")
    assert any(one["died"] for one in found)
    for one in found:
        finished(one)
