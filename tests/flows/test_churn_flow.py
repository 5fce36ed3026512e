"""The churn flow on a small shop's purchases: how runs end, what they say, and what they leave to look at."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flows.churn import churn
from flows.delivery import REJECTED
from mlops_core.errors import BadInput, DataError, MlopsError, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.flows.conftest import Ran

ENOUGH, TOO_FEW = 650, 150  # customers; the gate wants 500 to judge by
STAGES = {
    "feature_store",
    "feature_verification",
    "training_set",
    "model_training.logistic",
    "model_training.boosting",
    "model_evaluation",
    "model_registry",
    "gate",
    "approval",
    "deployment",
}


@dataclass
class Shop:
    """A state folder and runs on it."""

    home: Path
    run_flow: Callable[..., Ran]

    def run(self, **parameters: Any) -> Ran:
        """Run the flow on this state folder."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MLOPS_HOME", str(self.home))
            return self.run_flow(churn, **parameters)

    def pointer(self) -> bytes:
        """What says which release is served."""
        return (self.home / "releases" / "churn" / "current.json").read_bytes()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, run_flow: Callable[..., Ran]) -> Shop:
    """A state folder for the tests of this file: most of what they run is made once."""
    return Shop(tmp_path_factory.mktemp("state"), run_flow)


@pytest.fixture(scope="module")
def delivered(shop: Shop, purchases: Callable[[int], Path]) -> Ran:
    """A first run, good enough to be delivered."""
    return shop.run(data=purchases(ENOUGH))


@pytest.fixture(scope="module")
def rejected(shop: Shop, delivered: Ran, purchases: Callable[[int], Path]) -> Iterator[Ran]:
    """A second run, on too few customers; what was served before has to be served after."""
    assert delivered.state.is_completed()
    before = shop.pointer()
    yield shop.run(data=purchases(TOO_FEW))
    assert shop.pointer() == before


def test_a_good_model_is_delivered(shop: Shop, delivered: Ran) -> None:
    """Completed, the version in the message, the outcome as result, the release in place."""
    assert delivered.state.is_completed()
    assert delivered.state.name == "Completed"
    assert delivered.state.message == "churn version 1: delivered"
    assert delivered.result.status == "delivered"
    assert (shop.home / delivered.result.release / "release.json").is_file()
    assert json.loads(shop.pointer())["release"] == Path(delivered.result.release).name


def test_every_stage_is_a_task_run(delivered: Ran) -> None:
    """Under the stage's own name."""
    assert set(delivered.task_runs(len(STAGES))) == STAGES


def test_a_run_can_be_looked_at(shop: Shop, delivered: Ran) -> None:
    """Summary, metrics, the gate's checks and the report are artifacts of the run; progress may be one."""
    found = delivered.artifacts()
    assert set(found) - {"progress"} == {"churn-summary", "churn-metrics", "churn-gate", "churn-report"}
    assert "churn version 1 is delivered." in str(found["churn-summary"].data)
    metrics = {row["metric"]: row for row in json.loads(str(found["churn-metrics"].data))}
    assert metrics["roc_auc"]["value"] == f"{delivered.result.metrics['roc_auc']:.4f}"
    checks = {row["check"]: row["outcome"] for row in json.loads(str(found["churn-gate"].data))}
    assert checks["floor"] == "passed"
    assert checks["champion"] == "not applicable"
    report = shop.home / delivered.result.report
    assert report.read_text().startswith("<!doctype html>")
    shown = str(found["churn-report"].data)
    assert f"[report.html]({report.as_uri()})" in shown
    assert shown.count("](data:image/svg+xml;base64,") == report.read_text().count("<svg ")


def test_the_same_again_changes_nothing(shop: Shop, delivered: Ran, purchases: Callable[[int], Path]) -> None:
    """A second run finds everything there and says so."""
    assert delivered.state.is_completed()
    before = shop.pointer()
    again = shop.run(data=purchases(ENOUGH))
    assert again.state.message == "churn version 1: already delivered"
    assert shop.pointer() == before


def test_a_rejection_is_a_decision_not_an_error(rejected: Ran) -> None:
    """Completed under the name Rejected, with the gate's reasons as the message."""
    assert rejected.state.is_completed()
    assert rejected.state.name == REJECTED
    assert rejected.result.status == "rejected"
    assert str(rejected.state.message).startswith("churn version 2: rejected: 150 evaluation rows")
    for reason in rejected.result.reasons:
        assert reason in str(rejected.state.message)


def test_a_rejection_can_be_looked_at_too(rejected: Ran) -> None:
    """The gate's table says what failed."""
    checks = json.loads(str(rejected.artifacts()["churn-gate"].data))
    assert "failed" in {row["outcome"] for row in checks}


def test_a_rejection_fails_the_run_that_asked_for_it(
    shop: Shop, rejected: Ran, purchases: Callable[[int], Path]
) -> None:
    """The same name and message, as a failure."""
    failed = shop.run(data=purchases(TOO_FEW), fail_on_rejection=True)
    assert failed.state.is_failed()
    assert failed.state.name == REJECTED
    assert failed.state.message == rejected.state.message
    assert isinstance(failed.result, MlopsError)


@pytest.mark.parametrize(
    ("parameters", "kind", "sentence"),
    [
        ({"data": "no-such-file.csv"}, NotFound, "purchases: there is no file no-such-file.csv"),
        ({"as_of": "1990-01-01"}, DataError, "as of 1990-01-01 there are no events yet"),
        ({"floor": float("nan")}, BadInput, "--floor: input should be a finite number"),
    ],
    ids=["missing file", "too early", "no number"],
)
def test_what_cannot_be_run_ends_with_our_sentence(
    shop: Shop, parameters: dict[str, Any], kind: type[MlopsError], sentence: str
) -> None:
    """Failed; the message is the sentence alone, and the result our error."""
    failed = shop.run(**parameters)
    assert failed.state.is_failed()
    assert str(failed.state.message).startswith(sentence)
    assert "Traceback" not in str(failed.state.message)
    assert "\n" not in str(failed.state.message)
    assert isinstance(failed.result, kind)


def test_a_setting_that_is_none_ends_with_our_sentence(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt environment variable of ours is told, not passed over."""
    monkeypatch.setenv("MLOPS_HOEM", "elsewhere")
    failed = shop.run()
    assert failed.state.is_failed()
    assert (
        failed.state.message == "the environment variable MLOPS_HOEM is no setting: did you mean MLOPS_HOME?"
    )


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"candidates": ["forest"]}, "--candidates: input should be 'logistic' or 'boosting', got 'forest'"),
        ({"floor": "high", "workers": 0}, "--workers: input should be greater than or equal to 1, got 0"),
    ],
    ids=["candidate", "two"],
)
def test_a_bad_parameter_never_runs(shop: Shop, parameters: dict[str, Any], sentence: str) -> None:
    """Failed before the first task, with the sentence that the command line has."""
    failed = shop.run(**parameters)
    assert failed.state.is_failed()
    assert sentence in str(failed.state.message)
    assert isinstance(failed.result, BadInput)
    assert failed.task_runs(0) == {}
