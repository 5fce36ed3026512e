"""Models as of past days as a flow: how runs end, what they say, and what they leave to look at."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

from flows.backfill import backfill

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.flows.conftest import Ran

CUSTOMERS = 60
RANGE: dict[str, Any] = {
    "first": "2020-12-01",
    "last": "2021-03-31",
    "every": "quarter",
    "candidates": ["logistic"],
}
STAGES = {"feature_store", "training_set", "model_training.logistic", "model_evaluation"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder for the tests of this file."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def fill(home: Path, run_flow: Callable[..., Ran], purchases: Callable[[int], Path]) -> Callable[..., Ran]:
    """Runs the flow on it."""

    def run(**more: Any) -> Ran:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MLOPS_HOME", str(home))
            return run_flow(backfill, **{"data": purchases(CUSTOMERS), **RANGE, **more})

    return run


@pytest.fixture(scope="module")
def filled(fill: Callable[..., Ran]) -> Ran:
    """A first run, of two quarters."""
    return fill()


def test_it_says_how_many_days_it_made_and_which_was_best(filled: Ran) -> None:
    message = str(filled.state.message)
    assert filled.state.is_completed()
    assert message.startswith("churn: 2 days from 2020-12-31 to 2021-03-31: 2 made, 0 found; roc_auc best ")
    assert [one.day for one in filled.result] == [date(2020, 12, 31), date(2021, 3, 31)]
    best = max(filled.result, key=lambda one: one.figure.value)
    assert f"best {best.figure.value:.4f} as of {best.day}, worst " in message


def test_every_day_s_stages_are_task_runs_and_events_are_one(filled: Ran) -> None:
    expected = {f"{day}.{stage}" for day in ("2020-12-31", "2021-03-31") for stage in STAGES}
    filled.task_runs(len(expected) + 1)  # until they are recorded
    mine = FlowRunFilter(id=FlowRunFilterId(any_=[filled.state.state_details.flow_run_id]))
    with get_client(sync_client=True) as client:
        assert {run.name for run in client.read_task_runs(flow_run_filter=mine)} == {*expected, "events"}


def test_a_table_has_a_row_a_day_with_its_report(filled: Ran) -> None:
    rows = json.loads(str(filled.artifacts()["churn-backfill"].data))
    assert [(row["as of"], row["judged on"], row["candidate"], row["result"]) for row in rows] == [
        ("2020-12-31", "2020-09-30", "logistic", "made"),
        ("2021-03-31", "2020-12-31", "logistic", "made"),
    ]
    for row, one in zip(rows, filled.result, strict=True):
        assert row["roc_auc"] == f"{one.figure.value:.4f} ({one.figure.low:.4f} to {one.figure.high:.4f})"
        assert Path(row["report"]).is_file()


def test_the_same_days_again_are_found_and_more_are_added(
    filled: Ran, fill: Callable[..., Ran], capsys: pytest.CaptureFixture[str]
) -> None:
    ran = fill(last="2021-06-30")
    assert "3 days from 2020-12-31 to 2021-06-30: 1 made, 2 found" in str(ran.state.message)
    assert [one.found for one in ran.result] == [True, True, False]
    assert [one.figure for one in ran.result[:2]] == [one.figure for one in filled.result]
    printed = capsys.readouterr().out
    assert printed.split()[:7] == ["as", "of", "judged", "on", "rows", "candidate", "roc_auc"]
    assert all(one.report in printed for one in ran.result)


def test_a_day_with_too_little_history_fails_and_the_others_are_done(
    filled: Ran, fill: Callable[..., Ran]
) -> None:
    assert filled.state.is_completed()
    ran = fill(first="2020-06-30")
    assert ran.state.is_failed()
    message = str(ran.state.message)
    assert message.startswith("churn: 2 of 4 days failed, first 2020-06-30: too little history: events from")
    assert "(others: 0 made, 2 found; roc_auc best " in message
    rows = json.loads(str(ran.artifacts()["churn-backfill"].data))
    assert [row["result"].partition(":")[0] for row in rows] == ["failed", "failed", "found", "found"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"first": "2021-05-01"}, "--last: expected 2021-05-01 or later"),
        ({"first": "2019-11-01"}, "--first: as of 2019-12-31 there are no events yet: begin on 2020-01-06"),
        ({"candidates": ["forest"]}, "--candidates: churn has logistic, boosting, got 'forest'"),
        ({"use_case": "chrun"}, "no use case 'chrun': did you mean 'churn'?"),
    ],
    ids=["range", "no events", "candidate", "use case"],
)
def test_bad_input_ends_it_with_one_sentence(
    fill: Callable[..., Ran], given: dict[str, Any], said: str
) -> None:
    ran = fill(**given)
    assert ran.state.is_failed()
    assert str(ran.state.message).startswith(said)
    assert "churn-backfill" not in ran.artifacts()
