"""`mlops task` at a terminal: what is checked before anything is written, exit codes, how a run stands."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from mlops_core.commands.task_retry import policy_told
from mlops_core.dag import RetryPolicy
from mlops_core.domain.pipeline import Retry
from mlops_core.domain.receipts import ApprovalReceipt
from mlops_core.errors import BadInput, Conflict, Unavailable
from mlops_core.exporters.command import retry_words
from mlops_core.run_folder import RunFolder
from tests.cli.published import meets

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Said, Terminal

NOBODY = "redis://127.0.0.1:1/0"
"""An online store that does not answer: no server has this port."""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Where a run's folder is to be."""
    return tmp_path / "run"


def task(terminal: Terminal, run: Path, words: str) -> Said:
    """`mlops task` on this run's folder."""
    return terminal("task", *shlex.split(words), "--run", str(run))


def states_of(terminal: Terminal, run: Path) -> Any:
    """Its tasks and how they stand."""
    return meets("task list --run", task(terminal, run, "list churn --json").out)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("run churn gte", "no task 'gte': did you mean 'gate'?"),
        ("run churn model_trainig", "no task 'model_trainig': did you mean 'model_training'?"),
        ("run churn x", "no task 'x': there are feature_store, training_set,"),
        ("run chrn gate", "no use case 'chrn': did you mean 'churn'?"),
        ("run churn gate", "feature_store, training_set, model_evaluation, model_registry have not finished"),
        ("run churn model_training", "training_set has not finished there: run that first"),
        ("run churn feature_store --parameters '[1]'", "--parameters: expected a JSON object, got '[1]'"),
        ("run churn feature_store --parameters '{'", "--parameters: expected a JSON object, got '{'"),
        ("run churn feature_store --parameters '{\"flor\": 1}'", "'--flor': did you mean --floor?"),
        ("run churn feature_store --floor high", "--floor: "),
        ("run churn feature_store --timeout 0", "timeout_seconds must be above 0"),
        ("run churn feature_store --timeout nan", "timeout_seconds must be above 0"),
        ("run churn feature_store --retry attempts", "--retry attempts: expected such as attempts=4,"),
        ("show churn gate", "no run has begun there"),
        ("question churn", "no run has begun there"),
        ("answer churn --answer approve", "say why with --reason"),
        ("answer churn --answer approve --reason x", "no run has begun there"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(
    fresh: Terminal, run: Path, words: str, sentence: str
) -> None:
    said = task(fresh, run, words)
    assert (said.code, said.out) == (2, "")
    assert sentence in said.err
    assert not run.exists()
    assert not fresh.home.exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--floor 0.8", "it began with --floor 0.7, not with --floor 0.8: a run keeps its parameters"),
        ("--fail-on-rejection", "it began with --no-fail-on-rejection, not with --fail-on-rejection"),
        ("--as-of 2020-01-02", "it began with --as-of 2020-01-01, not with --as-of 2020-01-02"),
        ("--candidates boosting", "it began with --candidates logistic, not with --candidates boosting"),
        ("--actor 'ana b'", "it began without --actor, not with --actor 'ana b'"),
    ],
)
def test_a_run_keeps_its_parameters(fresh: Terminal, run: Path, words: str, sentence: str) -> None:
    RunFolder(str(run)).begin("churn", {"floor": 0.7, "as_of": "2020-01-01", "candidates": ["logistic"]})
    said = task(fresh, run, f"run churn feature_store {words}")
    assert (said.code, sentence in said.err) == (2, True), said.err
    assert (
        "it is a run of churn, not of mlops_core"
        in task(fresh, run, "run mlops_core.usecases.churn:CHURN gate").err
    )


def test_the_same_told_otherwise_is_the_same(fresh: Terminal, run: Path) -> None:
    """By value: a date as text, candidates in any order, and nulls and empty texts that say nothing."""
    RunFolder(str(run)).begin("churn", {"as_of": "2020-01-01"})
    told = json.dumps(
        {"as_of": "2020-01-01", "candidates": ["boosting", "logistic"], "floor": None, "actor": ""}
    )
    said = fresh("task", "run", "churn", "gate", "--run", str(run), "--parameters", told, "--actor", "")
    assert "have not finished there" in said.err  # which comes after


def test_of_several_parameters_the_last_word_counts_and_options_over_all(fresh: Terminal, run: Path) -> None:
    RunFolder(str(run)).begin("churn", {"floor": 0.7, "actor": "ana"})
    words = """run churn gate --parameters '{"floor": 0.1, "actor": "bo"}' --parameters '{"floor": 0.7}'"""
    assert "it began with --actor ana, not with --actor bo" in task(fresh, run, words).err
    assert "have not finished there" in task(fresh, run, f"{words} --actor ana").err
    later = """--parameters '{"floor": null}' --parameters null --parameters ''"""
    assert "have not finished there" in task(fresh, run, f"{words} {later} --actor ana").err


@pytest.mark.parametrize(
    ("words", "code", "attempts"),
    [
        ("", 75, 1),
        ("--retry attempts=1,retry_on=OSError", 1, 1),
        ("--retry attempts=3,delay_seconds=0,retry_on=OSError+Unavailable", 75, 3),
        ("--retry attempts=3,delay_seconds=0,retry_on=", 1, 1),
    ],
)
def test_another_attempt_is_worth_it_where_the_policy_says_so(
    fresh: Terminal, run: Path, monkeypatch: pytest.MonkeyPatch, words: str, code: int, attempts: int
) -> None:
    """One attempt, unless this process is told to make several; why it failed is kept in the folder."""
    monkeypatch.setenv("MLOPS_ONLINE_STORE", NOBODY)
    said = task(fresh, run, f"run churn feature_store --quiet --data {fresh.events} {words}")
    assert (said.code, said.out) == (code, "")
    assert said.err.count("; the next in 0.0 s") == attempts - 1
    failure = RunFolder(str(run)).failure("feature_store")
    assert failure is not None
    assert (failure.error, failure.retry) == ("Unavailable", code == 75)
    listed = states_of(fresh, run)
    assert (listed[0]["state"], listed[0]["next"]) == ("failed", True)
    assert listed[0]["why"] == f"Unavailable: {failure.message}"
    shown = task(fresh, run, "show churn feature_store")
    assert (shown.code, "feature_store failed at " in shown.err) == (1, True)


def test_a_task_s_receipt_is_the_last_line_and_the_same_again(fresh: Terminal, run: Path) -> None:
    words = f"run churn feature_store --json --data {fresh.events} --floor 0.6"
    said = task(fresh, run, words)
    assert said.code == 0, said.err
    assert json.loads(said.out.splitlines()[-1]) == json.loads(
        task(fresh, run, "show churn feature_store").out
    )
    assert task(fresh, run, words).out == said.out
    begun = json.loads((run / "run.json").read_text())
    assert begun["parameters"] == {"data": str(fresh.events), "floor": 0.6}


def test_a_run_s_folder_may_be_at_a_url(fresh: Terminal) -> None:
    url = f"memory://{uuid4()}"
    words = ("churn", "feature_store", "--run", url)
    assert fresh("task", "run", *words, "--quiet", "--data", str(fresh.events)).code == 0
    assert json.loads(fresh("task", "show", *words).out)["online_rows"] > 0
    assert fresh("task", "list", "churn", "--run", url).out.count("missing, next") == 2


def test_data_that_is_in_another_state_folder_is_said(fresh: Terminal, run: Path, tmp_path: Path) -> None:
    assert task(fresh, run, f"run churn feature_store --quiet --data {fresh.events}").code == 0
    fresh.home.rename(tmp_path / "elsewhere")
    for name in ("training_set", "feature_verification"):
        said = task(fresh, run, f"run churn {name}")
        assert (said.code, said.out) == (2, "")
        assert said.err.startswith("mlops: feature_store left features/churn/purchases-")
        assert f"not in the state folder {fresh.home}: all processes of a run need the same one" in said.err
    assert not fresh.home.exists()


def test_the_list_tells_how_a_run_stands(fresh: Terminal, run: Path) -> None:
    folder = RunFolder(str(run))
    folder.begin("churn", {"candidates": ["logistic"]})
    listed = {entry["name"]: entry for entry in states_of(fresh, run)}
    assert "model_training.boosting" not in listed
    assert [name for name, entry in listed.items() if entry["next"]] == ["feature_store"]
    assert listed["gate"] == {
        "name": "gate",
        "upstream": ["feature_store", "training_set", "model_evaluation", "model_registry"],
        "retry": Retry(attempts=4, jitter=0.2).model_dump(mode="json"),
        "timeout_seconds": None,
        "tags": [],
        "description": "",
        "state": "missing",
        "why": None,
        "next": False,
    }


def test_what_was_made_from_other_receipts_is_stale(fresh: Terminal, run: Path) -> None:
    """And so is what was made from that; what failed is next, and nothing below it."""
    folder = RunFolder(str(run))
    assert task(fresh, run, f"run churn feature_store --quiet --data {fresh.events}").code == 0
    assert task(fresh, run, "run churn feature_verification --quiet").code == 0
    unasked = ApprovalReceipt(status="not wanted", why="")
    folder.finished("approval", unasked, {})
    folder.failed("training_set", Unavailable("busy"), retry=True)
    listed = {entry["name"]: entry for entry in states_of(fresh, run)}
    assert listed["feature_verification"]["state"] == "finished"
    assert [name for name, entry in listed.items() if entry["next"]] == ["training_set"]
    receipt = folder.receipt("feature_store")
    assert receipt is not None
    folder.finished("feature_store", receipt.model_copy(update={"online_rows": 1}), {})
    text = task(fresh, run, "list churn").out
    assert text.splitlines()[0].split() == ["task", "state", "attempts", "time-out", "waits", "for"]
    assert "feature_verification stale: feature_store changed since" in text
    assert "approval stale: model_registry is missing, gate is missing" in text
    assert "training_set failed: Unavailable: busy" in text


def test_without_a_run_the_list_tells_the_tasks(fresh: Terminal) -> None:
    listed = meets("task list", fresh("task", "list", "churn", "--json").out)
    assert [entry["name"] for entry in listed][:2] == ["feature_store", "training_set"]
    assert "state" not in listed[0]
    assert fresh("task", "list", "churn").out.splitlines()[1].split()[:2] == ["feature_store", "4,"]


@pytest.mark.parametrize(
    "retry",
    [
        Retry(),
        Retry(attempts=7, jitter=0.25),
        Retry(delay_seconds=0.5, backoff=1.5, max_delay_seconds=9.0, retry_on=("OSError", "Conflict")),
        Retry(retry_on=()),
        Retry(retry_on=("hypothesis.errors:Flaky",)),
    ],
)
def test_a_policy_is_read_as_exports_write_it(retry: Retry) -> None:
    from mlops_core.exporters.document import policy_of

    words = retry_words(retry)
    assert (policy_told(words) if words else RetryPolicy()) == policy_of(retry)


def test_a_policy_s_spaces_do_not_matter() -> None:
    told = policy_told("attempts = 2, retry_on=Unavailable+Conflict")
    assert (told.attempts, told.retry_on) == (2, (Unavailable, Conflict))


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("attempts=x", "--retry attempts=x: attempts: input should be a valid integer"),
        ("attempts=0", "--retry attempts=0: attempts: input should be greater than or equal to 1, got '0'"),
        ("attemts=2", "unknown 'attemts': did you mean 'attempts'?"),
        ("when=2", "unknown 'when': there are attempts, delay_seconds,"),
        ("attempts=2,attempts=3", "attempts is given twice"),
        ("attempts=2,", "expected such as attempts=4,jitter=0.2,retry_on=Unavailable[+]OSError, got ''"),
        ("retry_on=Unavailabel", "there is no error 'Unavailabel'"),
        ("delay_seconds=1e300", "delay_seconds must be a finite number"),
        ("backoff=inf", "backoff"),
        ("backoff=nan", "backoff"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(spec: str, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        policy_told(spec)


@pytest.mark.live
def test_the_last_task_says_how_the_run_ended(fresh: Terminal, tmp_path: Path) -> None:
    """With exit code 3 when the gate said no and the run was to say so; the same receipts as `mlops run`."""
    told = f"--data {fresh.events} --floor 0.99"
    names = [entry["name"] for entry in meets("task list", fresh("task", "list", "churn", "--json").out)]
    stages = list(dict.fromkeys(name.partition(".")[0] for name in names))  # all candidates in turn
    for silent, code in ((False, 3), (True, 0)):
        folder = tmp_path / f"silent {silent}"
        first = told if silent else f"{told} --fail-on-rejection"
        ends = [task(fresh, folder, f"run churn {stages[0]} --quiet {first}")]
        ends += [task(fresh, folder, f"run churn {stage}") for stage in stages[1:]]
        assert [said.code for said in ends] == [0] * (len(stages) - 1) + [code], ends[-1].err
        assert "churn version 1 was rejected by the gate; what serves now goes on serving." in ends[-1].err
    kept = RunFolder(str(folder))
    assert {entry["state"] for entry in states_of(fresh, folder)} == {"finished"}
    outcome = json.loads(fresh("run", "churn", *shlex.split(told), "--json", "--quiet").out)
    receipts = kept.receipts(names)
    assert outcome["version"] == receipts["model_registry"].version == 1
    assert outcome["report"] == receipts["model_registry"].report
    assert outcome["reasons"] == list(receipts["gate"].decision.reasons)


@pytest.mark.live
def test_a_candidate_that_fails_keeps_no_other_from_its_turn(fresh: Terminal, run: Path) -> None:
    """Nor does an error that nobody foresaw go without a trace."""
    for name in ("feature_store", "training_set"):
        assert task(fresh, run, f"run churn {name} --quiet --data {fresh.events}").code == 0
    blocked = fresh.home / "stages" / "model_training.logistic"
    blocked.write_text("a file where its folder is to be")
    with pytest.raises(NotADirectoryError):
        task(fresh, run, "run churn model_training --quiet")
    states = {one["name"]: one["state"] for one in states_of(fresh, run)}
    assert (states["model_training.logistic"], states["model_training.boosting"]) == ("failed", "finished")
    assert "model_training.logistic failed: NotADirectoryError: " in task(fresh, run, "list churn").out
    blocked.unlink()
    said = task(fresh, run, "run churn model_training --json --quiet")
    assert [json.loads(line)["candidate"] for line in said.out.splitlines()] == ["logistic", "boosting"]
