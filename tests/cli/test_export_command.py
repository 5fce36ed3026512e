"""`mlops export` as a person uses it."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from mlops_core.commands.export import TARGETS
from mlops_core.exporters import from_text

if TYPE_CHECKING:
    from tests.cli.conftest import Terminal

ARCHITECTURE = Path(__file__).parents[2] / "docs" / "architecture.md"


def test_the_diagram_is_printed(fresh: Terminal) -> None:
    said = fresh("export", "churn", "--to", "mermaid")
    assert said.code == 0
    assert said.out in ARCHITECTURE.read_text()
    assert not fresh.home.exists()


def test_a_feast_repository_holds_definitions_and_data(delivered: Terminal, tmp_path: Path) -> None:
    """Aggregates stand at the close of every month and at the last day."""
    said = delivered("export", "churn", "--to", "feast", "--into", str(tmp_path / "repo"))
    assert said.code == 0, said.err
    assert "FeatureView(" in (tmp_path / "repo" / "feature_repo.py").read_text()
    assert (tmp_path / "repo" / "feature_store.yaml").exists()
    rows = pq.read_table(tmp_path / "repo" / "data" / "purchase_history.parquet")
    days = {moment.date().isoformat() for moment in rows["event_timestamp"].to_pylist()}
    assert {"2021-01-31", "2022-06-30"} <= days
    assert len(days) == 18


def test_a_repository_needs_a_folder_and_events(fresh: Terminal, tmp_path: Path) -> None:
    said = fresh("export", "churn", "--to", "feast")
    assert (said.code, "--into FOLDER" in said.err) == (2, True)
    said = fresh("export", "churn", "--to", "feast", "--into", str(tmp_path / "repo"))
    assert (said.code, "features materialise churn" in said.err) == (2, True)
    assert not (tmp_path / "repo").exists()


def test_nothing_is_needed_and_nothing_is_made_but_the_files(
    fresh: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No data, no state: each target in an empty folder leaves its own files and no other."""
    monkeypatch.chdir(tmp_path)
    for name, target in TARGETS.items():
        if name == "feast":
            continue
        said = fresh("export", "churn", "--to", name, "--into", name)
        files = [file.format("churn") for file in target.files]
        assert (said.code, said.err) == (0, "")
        assert said.out.splitlines() == [f"{name}/{file}: written" for file in files]
        assert sorted(os.listdir(tmp_path / name)) == sorted(files)  # noqa: PTH208 - their names
    assert sorted(os.listdir(tmp_path)) == sorted(set(TARGETS) - {"feast"})  # noqa: PTH208 - as above
    assert not fresh.home.exists()


def test_a_text_is_printed_as_it_is_written(fresh: Terminal, tmp_path: Path) -> None:
    for name, file in (("yaml", "churn.yaml"), ("json", "churn.json")):
        fresh("export", "churn", "--to", name, "--into", str(tmp_path))
        assert fresh("export", "churn", "--to", name).out == (tmp_path / file).read_text()


def test_parameters_and_schedule_go_into_the_document(fresh: Terminal) -> None:
    words = ["--floor", "0.8", "--candidates", "logistic", "--timezone", "Europe/Berlin"]
    said = fresh("export", "churn", "--to", "json", *words, "--schedule", "0 6 * * 1")
    document = from_text(said.out, "it")
    assert document.parameters == {"floor": 0.8, "candidates": ["logistic"]}
    assert document.schedule is not None
    assert (document.schedule.cron, document.schedule.timezone) == ("0 6 * * 1", "Europe/Berlin")
    assert "model_training.boosting" not in {one.name for one in document.tasks}


def test_the_command_in_the_head_makes_the_file_again(fresh: Terminal) -> None:
    """Whatever it was told; the options of a run and the schedule are in it."""
    told = [
        "--candidates",
        "boosting",
        "--data",
        "a b/*.csv",
        "--as-of",
        "1998-05-31",
        "--no-fail-on-rejection",
    ]
    words = [
        "--floor",
        "-0.5",
        "--actor",
        "o'hara",
        *told,
        "--schedule",
        "0 6 * * 1",
        "--timezone",
        "Asia/Tokyo",
    ]
    said = fresh("export", "churn", "--to", "yaml", *words)
    assert (said.code, said.err) == (0, "")
    command = said.out.splitlines()[0].partition("made by: ")[2]
    assert fresh(*shlex.split(command)[1:]).out == said.out


def test_what_was_exported_is_replaced_and_anything_else_is_kept(fresh: Terminal, tmp_path: Path) -> None:
    for name, target in TARGETS.items():
        if name in ("feast", "prefect"):
            continue
        file = tmp_path / target.files[0].format("churn")
        words = ("export", "churn", "--to", name, "--into", str(tmp_path))
        assert fresh(*words).out == f"{file}: written\n"
        text = file.read_text()
        assert fresh(*words).out == f"{file}: unchanged\n"
        assert fresh(*words, "--candidates", "boosting").out == f"{file}: replaced\n"
        assert file.read_text() != text
        file.write_text("# mine\n")
        said = fresh(*words)
        assert (said.code, file.read_text()) == (2, "# mine\n")
        assert f"{file}: it is there and does not say that an export wrote it: move it away" in said.err
    assert not [one for one in os.listdir(tmp_path) if one.startswith(".")]  # noqa: PTH208 - their names


def test_entries_of_others_in_prefect_yaml_are_kept(fresh: Terminal, tmp_path: Path) -> None:
    """The entry is printed, to be put in by hand; the flow is written all the same."""
    words = ("export", "churn", "--to", "prefect", "--into", str(tmp_path))
    (tmp_path / "prefect.yaml").write_text("deployments: []\n")
    said = fresh(*words)
    assert (said.code, (tmp_path / "prefect.yaml").read_text()) == (0, "deployments: []\n")
    assert f"{tmp_path / 'prefect.yaml'}: it is there already and was left as it is" in said.err
    assert "\ndeployments:" in said.out
    assert said.out.startswith(f"{tmp_path / 'churn_flow.py'}: written\n")
    (tmp_path / "prefect.yaml").unlink()
    assert fresh(*words).out.splitlines()[1] == f"{tmp_path / 'prefect.yaml'}: written"
    again = fresh(*words, "--schedule", "0 6 * * 1")
    assert again.out.splitlines()[1] == f"{tmp_path / 'prefect.yaml'}: replaced"


WRONG = {
    "no target": (["--to", "yml"], "did you mean 'yaml'?"),
    "no cron": (["--to", "yaml", "--schedule", "daily"], "--schedule: expected the five fields of a cron"),
    "no zone": (
        ["--to", "yaml", "--schedule", "0 6 * * 1", "--timezone", "Berlin"],
        "--timezone: expected the name of a time zone, such as Europe/Berlin, got 'Berlin'",
    ),
    "a zone alone": (["--to", "yaml", "--timezone", "UTC"], "--timezone: it is the schedule's: give --sched"),
    "a diagram's schedule": (
        ["--to", "mermaid", "--schedule", "0 6 * * 1"],
        "--schedule: an export to mermaid cannot say that: leave it away",
    ),
    "a diagram's floor": (["--to", "mermaid", "--floor", "0.8"], "--floor: an export to mermaid cannot"),
    "Feast's candidates": (["--to", "feast", "--candidates", "boosting"], "--candidates: an export to feast"),
    "several files": (["--to", "prefect"], "an export to prefect is several files: say where with --into"),
    "no candidate": (["--to", "yaml", "--candidates", "boosted"], "did you mean 'boosting'?"),
    "no day": (["--to", "yaml", "--as-of", "june"], "--as-of: expected a date like 1998-06-30, got 'june'"),
}


@pytest.mark.parametrize(("words", "said"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_exported_is_said_in_one_sentence(
    fresh: Terminal, words: list[str], said: str
) -> None:
    found = fresh("export", "churn", *words)
    assert (found.code, found.out, found.err.count("\n")) == (2, "", 1)
    assert said in found.err


def test_a_folder_that_is_none_is_said(fresh: Terminal, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = fresh("export", "churn", "--to", "yaml", "--into", str(tmp_path / "file"))
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert "cannot write an export in" in said.err


def test_json_of_another_kind_is_kept(fresh: Terminal, tmp_path: Path) -> None:
    (tmp_path / "churn.json").write_text(json.dumps({"name": "churn"}))
    assert fresh("export", "churn", "--to", "json", "--into", str(tmp_path)).code == 2
