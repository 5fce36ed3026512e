"""`mlops run --from`: a run of an exported file is a run of its use case."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

import mlops_core.pipeline
from mlops_core.commands.export import exported
from mlops_core.domain.pipeline import Retry
from mlops_core.errors import Unavailable
from mlops_core.exporters import to_json, to_yaml
from mlops_core.stages.feature_verification import feature_verification
from mlops_core.usecases.churn import CHURN
from tests.cli.conftest import Said, Terminal
from tests.cli.published import meets

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_core.domain.pipeline import PipelineDocument


@pytest.fixture(scope="module")
def terminal(delivered: Terminal, tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """A state folder of our own in which all is done already."""
    home = tmp_path_factory.mktemp("copied") / "home"
    shutil.copytree(delivered.home, home)
    return Terminal(delivered.events, home)


def document_of_a_run(events: Path, **more: Any) -> PipelineDocument:
    """The document of the run that `delivered` made."""
    return exported(CHURN, {"data": events, "floor": 0.6} | more).document


@pytest.fixture
def file(events: Path, tmp_path: Path) -> Path:
    """That document as a file."""
    path = tmp_path / "churn.yaml"
    path.write_text(to_yaml(document_of_a_run(events)))
    return path


def receipts(home: Path) -> dict[str, Any]:
    """What each stage returned, by the folder that its inputs name; not how long predicting took."""
    found = {}
    for path in home.glob("stages/*/*/receipt.json"):
        receipt = json.loads(path.read_text())["receipt"]
        for check in receipt.get("decision", {}).get("checks", ()):
            if check["measured"]:
                del check["measured"], check["sentence"]
        found[str(path.parent.relative_to(home))] = receipt
    return found


def outcome(said: Said) -> Any:
    """What a run with `--json` said of itself."""
    assert (said.code, said.err) == (0, "")
    return meets("run", said.out)


@pytest.mark.live
@pytest.mark.parametrize("write", [to_yaml, to_json])
def test_a_run_from_a_file_is_that_of_the_use_case(terminal: Terminal, tmp_path: Path, write: Any) -> None:
    """The same inputs: nothing is made again, and the outcome is the same."""
    path = tmp_path / "pipeline"
    path.write_text(write(document_of_a_run(terminal.events)))
    words = ("--data", str(terminal.events), "--floor", "0.6", "--json", "--quiet")
    told = outcome(terminal("run", "churn", *words))
    stages = sorted(terminal.home.glob("stages/*/*"))
    assert outcome(terminal("run", "--from", str(path), "--json", "--quiet")) == told
    assert sorted(terminal.home.glob("stages/*/*")) == stages


@pytest.mark.live
def test_a_first_run_from_a_file_makes_the_same(delivered: Terminal, file: Path, tmp_path: Path) -> None:
    """Under the same keys the same receipts, in a state folder in which nothing was."""
    other = Terminal(delivered.events, tmp_path / "home")
    assert other("run", "--from", str(file), "--quiet").code == 0
    assert receipts(other.home) == receipts(delivered.home) != {}


def test_options_hold_over_the_file(fresh: Terminal, file: Path) -> None:
    said = fresh("run", "--from", str(file), "--data", "none.csv", "--quiet")
    assert (said.code, "none.csv" in said.err) == (2, True)


def written(document: PipelineDocument, folder: Path, attempts: int) -> str:
    """The document as a file by which each task is attempted so often, without a wait."""
    retry = Retry(attempts=attempts, delay_seconds=0.0)
    tasks = tuple(one.model_copy(update={"retry": retry}) for one in document.tasks)
    path = folder / "churn.yaml"
    path.write_text(to_yaml(document.model_copy(update={"tasks": tasks})))
    return str(path)


@pytest.mark.parametrize("attempts", [1, 3])
def test_a_task_is_attempted_as_often_as_the_file_says(
    fresh: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attempts: int
) -> None:
    calls = []

    def busy(*words: object, **engines: object) -> object:
        calls.append((words, engines))
        raise Unavailable("the store is busy")

    monkeypatch.setattr(mlops_core.pipeline, "feature_store", busy)
    file = written(document_of_a_run(fresh.events), tmp_path, attempts)
    said = fresh("run", "--from", file, "--quiet")
    assert (said.code, said.err, len(calls)) == (1, "mlops: the store is busy\n", attempts)


@pytest.mark.live
@pytest.mark.parametrize(("attempts", "code"), [(1, 1), (2, 0)])
def test_a_task_that_fails_once_is_made_good_where_the_file_says_so(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attempts: int, code: int
) -> None:
    calls = []

    def busy_once(*words: Any, **engines: Any) -> object:
        calls.append(words)
        if len(calls) == 1:
            raise Unavailable("the store is busy")
        return feature_verification(*words, **engines)

    monkeypatch.setattr(mlops_core.pipeline, "feature_verification", busy_once)
    said = terminal("run", "--from", written(document_of_a_run(terminal.events), tmp_path, attempts))
    assert (said.code, len(calls)) == (code, attempts), said.err


def test_a_use_case_or_a_file_is_run(fresh: Terminal, file: Path, tmp_path: Path) -> None:
    said = fresh("run")
    assert (said.code, "expected USE_CASE or --from FILE, got neither" in said.err) == (2, True)
    said = fresh("run", "churn", "--from", str(file))
    assert (said.code, f"expected USE_CASE or --from FILE, got churn and {file}" in said.err) == (2, True)
    said = fresh("run", "--from", str(tmp_path))
    assert (said.code, f"--from {tmp_path}: it cannot be read: Is a directory" in said.err) == (2, True)
    (tmp_path / "latin").write_bytes("é".encode("latin-1"))
    said = fresh("run", "--from", str(tmp_path / "latin"))
    assert (said.code, "expected a text in UTF-8" in said.err) == (2, True)


CHANGES = {
    "another stage": (
        "- name: gate\n",
        "- name: door\n",
        "task 'door': churn has no such task, but feature_",
    ),
    "another name": ("name: churn\n", "name: chrn\n", "name: churn is the use case 'churn', got 'chrn'"),
    "no use case": ("use_case: churn\n", "use_case: chrn\n", "no use case 'chrn': did you mean 'churn'?"),
    "no field": (
        "use_case: churn\n",
        "usecase: churn\n",
        "usecase: there is no such field: did you mean 'us",
    ),
    "no parameter": (
        "floor: 0.6",
        "flor: 0.6",
        "parameters: unknown argument '--flor': did you mean --floor?",
    ),
    "no number": ("floor: 0.6", "floor: low", "parameters: --floor: "),
    "no error": (
        "  - name: gate\n    upstream: [feature_store, training_set, model_evaluation, model_registry]\n"
        "    retry: {attempts: 4",
        "  - name: gate\n    upstream: [feature_store, training_set, model_evaluation, model_registry]\n"
        "    retry: {retry_on: [Unavailble], attempts: 4",
        "retry_on: there is no error 'Unavailble'",
    ),
}


@pytest.mark.parametrize(("old", "new", "said"), CHANGES.values(), ids=CHANGES)
def test_a_file_that_is_not_its_use_case_s_is_refused(
    fresh: Terminal, file: Path, old: str, new: str, said: str
) -> None:
    """In one sentence, and before anything runs."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    found = fresh("run", "--from", str(file))
    assert (found.code, found.out, found.err.count("\n")) == (2, "", 1)
    assert said in found.err


def test_other_candidates_than_the_file_s_are_refused(fresh: Terminal, file: Path) -> None:
    found = fresh("run", "--from", str(file), "--candidates", "logistic")
    assert found.code == 2
    assert "task 'model_training.boosting': churn has no such task" in found.err
    assert "export it again, with the options of this run: mlops export churn --to yaml" in found.err
