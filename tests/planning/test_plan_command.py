"""`mlops plan` and `mlops why`, as they are typed and as they answer, where nothing was ever run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from mlops_core.cli import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder that is not there."""
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


PLAN = """\
task                     plan     about       why
feature_store            run      no history  data: purchases: no events are stored for these definitions yet
training_set             run      no history  it was not made before
model_training.logistic  run      no history  it was not made before
model_training.boosting  run      no history  it was not made before
model_evaluation         run      no history  it was not made before
model_registry           run      no history  no version is of these definitions, candidates and rows
gate                     run      no history  judges a new version
approval                 reuse    -           the policy asks for no person's approval
feature_verification     run      no history  it was not made before
deployment               depends  no history  goes to Production if the gate passes it

8 of 10 tasks run, and 1 may, by what comes out before: no history says how long.
"""


def test_a_plan_is_a_line_a_task_and_one_for_all(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    assert main(["plan", "churn"]) == 0
    assert capsys.readouterr().out == PLAN
    assert not home.exists()


def test_a_plan_takes_the_options_of_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "churn", "--candidates", "boosting", "--as-of", "1998-03-31", "--floor", "0.8"]) == 0
    assert "model_training.logistic" not in capsys.readouterr().out


def test_a_plan_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "churn", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert set(plan) == {"use_case", "tasks", "seconds"}
    assert plan["tasks"][1] == {
        "task": "training_set",
        "status": "run",
        "why": "it was not made before",
        "changes": [],
        "after": [],
        "waits_for": ["feature_store"],
        "seconds": None,
        "output": None,
        "made_at": None,
        "took": None,
        "last_used": None,
    }


WHY = """\
churn.model_training.logistic: it runs
  why        it was not made before
  waits for  training_set
  last used  never
  takes      no history

churn.model_training.boosting: it runs
  why        it was not made before
  waits for  training_set
  last used  never
  takes      no history
"""


def test_why_explains_a_task_or_all_branches_of_a_stage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["why", "churn.model_training"]) == 0
    assert capsys.readouterr().out == WHY
    assert main(["why", "churn.model_training.logistic", "--json"]) == 0
    assert [one["task"] for one in json.loads(capsys.readouterr().out)] == ["model_training.logistic"]


def test_a_use_case_of_one_s_own_is_named_with_its_task(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["why", "mlops_core.usecases.churn:CHURN.gate"]) == 0
    assert capsys.readouterr().out.startswith("mlops_core.usecases.churn:CHURN.gate: it runs\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("why churn.trainng_set", "churn has no task 'trainng_set': did you mean churn.training_set?"),
        ("why churn.model_trainin", "did you mean churn.model_training"),
        ("why churn", "say which task: churn.feature_store, or one of training_set,"),
        ("why chrun.gate", "no use case 'chrun': did you mean 'churn'?"),
        ("plan chrun", "no use case 'chrun': did you mean 'churn'?"),
        ("plan churn --flor 1", "unknown argument '--flor': did you mean --floor?"),
        ("plan churn --as-of yesterday", "--as-of: expected a date like 1998-06-30, got 'yesterday'"),
        ("plan churn --data nothing.csv", "purchases: there is no file nothing.csv"),
    ],
)
def test_what_cannot_be_meant_is_told(capsys: pytest.CaptureFixture[str], words: str, sentence: str) -> None:
    assert main(words.split()) == 2
    assert sentence in capsys.readouterr().err
