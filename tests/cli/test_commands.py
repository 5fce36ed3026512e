"""`mlops …` as a person or a script uses it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.published import meets

if TYPE_CHECKING:
    from tests.cli.conftest import Terminal


def test_running_again_says_so_and_changes_nothing(delivered: Terminal) -> None:
    """The second run names the version that is there, and all but the note of its own coming is as it was."""
    before = written(delivered)
    said = delivered("run", "churn", "--data", str(delivered.events), "--floor", "0.6", "--quiet")
    assert said.code == 0
    assert said.out.startswith("churn version 1 is already delivered")
    assert written(delivered) == before


def written(terminal: Terminal) -> dict[str, int]:
    """When each file was last written. SQLite's own -wal and -shm files come and go with whoever looks."""
    files = [path for path in terminal.home.rglob("*") if path.is_file()]
    kept = [path for path in files if not path.name.endswith(("-wal", "-shm", ".lock"))]
    found = {path.relative_to(terminal.home).as_posix(): path.stat().st_mtime_ns for path in kept}
    return {name: at for name, at in found.items() if not name.startswith("runs/")}


def test_the_summary_says_all_that_matters(delivered: Terminal) -> None:
    """Rows, window, both candidates, the verdict and why, the version, the release, the report, what next."""
    out = delivered("run", "churn", "--data", str(delivered.events), "--floor", "0.6", "--quiet").out
    for part in (
        "purchases of 900 entities",
        "snapshots from 2021-01-31",
        "snapshot of 2022-03-31",
        "logistic",
        "boosting",
        "chosen",
        "gate        passed",
        "floor 0.6",
        "churn 1, Production",
        "releases/churn/1-",
        "report.html",
        "Next: mlops serve churn",
    ):
        assert part in out


def test_the_outcome_as_json(delivered: Terminal) -> None:
    """One document with the status, the figures and the reasons."""
    said = delivered("run", "churn", "--data", str(delivered.events), "--floor", "0.6", "--quiet", "--json")
    outcome = meets("run", said.out)
    assert outcome["status"] == "already delivered"
    assert outcome["version"] == 1
    assert 0.6 < outcome["metrics"]["roc_auc"] < 1


def test_progress_goes_to_standard_error(delivered: Terminal) -> None:
    """Standard output stays clean for what was asked."""
    said = delivered("run", "churn", "--data", str(delivered.events), "--floor", "0.6", "--json")
    assert "feature_store: finished in" in said.err
    assert json.loads(said.out)["use_case"] == "churn"


def test_versions_are_listed(delivered: Terminal) -> None:
    """As a table for people and as JSON for programs."""
    table = delivered("models", "list", "churn").out.splitlines()
    assert table[0].split()[:3] == ["version", "stage", "candidate"]
    assert table[1].split()[:2] == ["1", "Production"]
    listed = meets("models list", delivered("models", "list", "churn", "--json").out)
    assert [(one["number"], one["stage"]) for one in listed] == [(1, "Production")]


@pytest.mark.parametrize("reference", ["churn", "churn@production", "churn@Production", "churn@1"])
def test_a_version_is_shown_by_stage_or_number(delivered: Terminal, reference: str) -> None:
    """Production is what is meant when nothing is said."""
    shown = meets("models show", delivered("models", "show", reference, "--json").out)
    assert shown["number"] == 1
    assert shown["decision"]["verdict"] == "passed"
    assert "roc_auc" in delivered("models", "show", reference).out


def test_predictions_by_id(delivered: Terminal) -> None:
    """In the order asked, with the version and the instant of the features."""
    said = delivered("predict", "churn", "--id", "2", "1", "--id", "3", "--json")
    found = meets("predict", said.out)
    assert [one["id"] for one in found] == [2, 1, 3]
    assert all(0 <= one["probability"] <= 1 for one in found)
    assert {one["features_as_of"][:10] for one in found} == {"2022-06-30"}
    assert delivered("predict", "churn", "--id", "2").out.splitlines()[1].split()[0] == "2"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["run", "chrun"], 2, "no use case 'chrun': did you mean 'churn'?"),
        (["run", "churn", "--as-of", "soon"], 2, "--as-of: expected a date like 1998-06-30, got 'soon'"),
        (["run", "churn", "--candidate", "logistic"], 2, "did you mean --candidates?"),
        (["run", "churn", "--data", "nowhere.parquet"], 2, "there is no file nowhere.parquet"),
        (["run", "churn", "--as-of", "1990-01-01"], 2, "as of 1990-01-01 there are no events yet"),
        (["models", "show", "churn@7"], 2, "churn has no version @7: there are 1 (Production)"),
        (["predict", "churn", "--id", "999999"], 2, "1 of 1 ids have no features"),
        (["predict", "churn"], 2, "the following arguments are required: --id"),
        (["run", "no.such.module:CHURN"], 2, "no use case no.such.module:CHURN"),
        (["rn"], 2, "invalid choice: 'rn'"),
    ],
)
def test_a_mistake_ends_in_one_sentence(
    delivered: Terminal, words: list[str], code: int, message: str
) -> None:
    """On standard error, with the exit code for bad input, and nothing on standard output."""
    if words[:2] == ["run", "churn"] and "--data" not in words:
        words = [*words, "--data", str(delivered.events)]
    said = delivered(*words)
    assert message in said.err.splitlines()[-1]
    assert said.err.splitlines()[-1].startswith("mlops: ")
    assert (said.code, said.out) == (code, "")


def test_nothing_delivered_yet_is_said_with_what_to_type(fresh: Terminal) -> None:
    """Looking at an empty state folder is no error for a list, and one for a version."""
    assert "deliver one with `mlops run churn`" in fresh("models", "list", "churn").out
    assert json.loads(fresh("models", "list", "churn", "--json").out) == []
    assert fresh("models", "show", "churn").code == 2
    assert "deliver it with `mlops run churn`" in fresh("predict", "churn", "--id", "1").err


def test_a_rejection_is_an_answer_and_on_request_an_exit_code(fresh: Terminal) -> None:
    """0 unless `--fail-on-rejection` asks for 3; the version is kept, nothing is released."""
    words = ("run", "churn", "--data", str(fresh.events), "--floor", "0.999", "--candidates", "logistic")
    said = fresh(*words, "--quiet")
    assert said.code == 0
    assert "was rejected by the gate" in said.out
    assert "below the floor 0.999" in said.out
    assert fresh(*words, "--quiet", "--fail-on-rejection").code == 3
    assert not (fresh.home / "releases").exists()
    assert [one["stage"] for one in json.loads(fresh("models", "list", "churn", "--json").out)] == ["Staging"]


def test_without_a_command_the_help_is_shown(fresh: Terminal) -> None:
    """Every verb is listed."""
    said = fresh()
    assert said.code == 0
    assert all(verb in said.out for verb in ("run", "models", "predict", "serve"))


def test_a_second_run_imports_no_engine(delivered: Terminal) -> None:
    """What is delivered already is looked up, not loaded: that is why it is quick."""
    engines = ("duckdb", "mlflow", "numpy", "pandas", "pyarrow", "skops", "sklearn")
    words = ["run", "churn", "--data", str(delivered.events), "--floor", "0.6", "--quiet"]
    script = (
        f"import sys; from mlops_core.cli import main; main({words!r});"
        f"print('loaded', *(name for name in {engines!r} if name in sys.modules))"
    )
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"MLOPS_HOME": str(delivered.home)},
    )
    assert "already delivered" in done.stdout
    assert done.stdout.splitlines()[-1] == "loaded"
