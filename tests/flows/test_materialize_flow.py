"""The refresh of the feature store as a flow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flows.materialize import materialize

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.flows.conftest import Ran


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder in which nothing is."""
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_it_brings_online_values_in_and_proves_them(
    run_flow: Callable[..., Ran], purchases: Callable[[int], Path]
) -> None:
    ran = run_flow(materialize, data=purchases(60))
    assert ran.state.is_completed(), ran.state.message
    assert "online equals offline for 60" in str(ran.state.message)
    assert set(ran.task_runs(2)) == {"feature_store", "feature_verification"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"use_case": "chrun"}, "did you mean 'churn'"),
        ({"data": "nowhere.parquet"}, "nowhere.parquet"),
        ({"as_of": "1998-02-30"}, "--as-of: expected a date like 1998-06-30, got '1998-02-30'"),
    ],
    ids=["use case", "data", "date"],
)
def test_bad_input_ends_it_with_one_sentence(
    run_flow: Callable[..., Ran], given: dict[str, str], said: str
) -> None:
    ran = run_flow(materialize, **given)
    assert ran.state.is_failed()
    assert said in str(ran.state.message)
