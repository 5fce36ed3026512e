"""Each step is a setting: the same commands on other stores, with the same answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from mlops_core.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.live


@pytest.fixture
def mlops(
    tmp_path: Path, purchases: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Any]:
    """Runs a command on a state folder of the test's own, and parses what it prints."""
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path / "home"))

    def run(*words: str) -> Any:
        code = main([*words, "--json"])
        said = capsys.readouterr()
        assert code == 0, said.err
        return json.loads(said.out)

    run("features", "materialise", "churn", "--data", str(purchases))
    return run


@pytest.fixture
def plain(mlops: Callable[..., Any]) -> Any:
    """The online values of some customers by DuckDB and SQLite."""
    return mlops("features", "get", "churn", "--id", "1", "2", "3")


def test_online_values_are_in_redis(
    mlops: Callable[..., Any],
    plain: Any,
    purchases: Path,
    redis_url: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLOPS_ONLINE_STORE", redis_url())
    mlops("features", "materialise", "churn", "--data", str(purchases))
    assert mlops("features", "get", "churn", "--id", "1", "2", "3") == plain
    assert mlops("features", "verify", "churn")["equal"]


def test_online_values_are_in_feast(
    mlops: Callable[..., Any],
    plain: Any,
    purchases: Path,
    feast_python: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLOPS_ONLINE_STORE", "feast")
    monkeypatch.setenv("MLOPS_FEAST_PYTHON", str(feast_python))
    mlops("features", "materialise", "churn", "--data", str(purchases))
    assert mlops("features", "get", "churn", "--id", "1", "2", "3") == plain


@pytest.mark.parametrize("engine", ["spark", "feast"])
def test_history_is_read_by_another_engine(
    mlops: Callable[..., Any], engine: str, feast_python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What DuckDB computed and SQLite serves equals what this one reads from history."""
    monkeypatch.setenv("MLOPS_OFFLINE_STORE", engine)
    monkeypatch.setenv("MLOPS_FEAST_PYTHON", str(feast_python))
    assert mlops("features", "verify", "churn", "--sample", "50")["equal"]
