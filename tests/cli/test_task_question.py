"""`mlops task question` and `answer`: how another orchestrator puts a run's question to a person."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from mlops_core.domain.receipts import ApprovalReceipt, GateReceipt, ModelRegistryReceipt
from mlops_core.run_folder import RunFolder
from tests.cli.published import meets

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_core.domain.standing import Request
    from tests.cli.conftest import Said, Terminal
    from tests.promotion.desk import Desk

pytestmark = pytest.mark.live  # each has a registry of its own

CASE = "asking_case:CHURN"


@pytest.fixture
def folder(asking: Desk, fresh: Terminal, tmp_path: Path) -> RunFolder:
    """A run up to its approval, which waits for an answer about version 1; ana started it."""
    version, folder = asking.judged(1), RunFolder(str(tmp_path / "run"))
    folder.begin(CASE, {"actor": "ana"})
    registration = ModelRegistryReceipt(
        name="churn", version=1, digest=version.digest, run_id="7", report="report.html"
    )
    folder.finished("model_registry", registration, {})
    folder.finished("gate", GateReceipt(decision=asking.standing.decisions[1]), {})
    assert mlops(fresh, tmp_path, "run --quiet", "approval").code == 0
    return folder


def mlops(terminal: Terminal, tmp_path: Path, words: str, *more: str) -> Said:
    """`mlops task` on this run's folder."""
    deed, *others = shlex.split(words)
    return terminal("task", deed, CASE, *more, *others, "--run", str(tmp_path / "run"))


def answer(terminal: Terminal, tmp_path: Path, what: str, actor: str) -> Said:
    """A person's answer."""
    return mlops(terminal, tmp_path, f"answer --answer {what} --reason 'read it' --actor {actor}")


def status(folder: RunFolder) -> str:
    """That of the approval's receipt."""
    receipt = folder.receipt("approval")
    assert isinstance(receipt, ApprovalReceipt)
    return receipt.status


def asked(desk: Desk) -> Request:
    """The question in the ledger."""
    return desk.standing.requests[1]


def test_the_question_is_one_line_with_all_that_an_answer_rests_on(
    fresh: Terminal, asking: Desk, folder: RunFolder, tmp_path: Path
) -> None:
    said = mlops(fresh, tmp_path, "question")
    assert (said.code, said.err, status(folder)) == (0, "", "waiting")
    assert said.out.count("\n") == 1
    told = meets("task question", said.out)
    assert told["subject"] == "May churn version 1 go to Production?"
    assert (told["name"], told["version"]) == ("churn", 1)
    assert told["question"] == asked(asking).digest
    assert told["expires_at"] == asked(asking).what.expires_at.isoformat()
    for part in (
        "- **may answer:** anyone, but not ana, who started the run",
        "- **floor, passed:** roc_auc is 0.81",
        "report.html",
        f"- **evidence:** `mlops evidence {CASE}@1` makes it",
        f"- **question:** `{asked(asking).digest[:12]}`",
    ):
        assert part in told["body"]


def test_an_answer_makes_the_receipt_say_so_and_promotes_nothing(
    fresh: Terminal, asking: Desk, folder: RunFolder, tmp_path: Path
) -> None:
    said = answer(fresh, tmp_path, "approve", "bo")
    assert (said.code, said.err, status(folder)) == (0, "", "approved")
    assert said.out.startswith("churn version 1: approved by bo at ")
    assert (asking.stages, asking.served) == ({1: "Staging"}, None)
    entries = asking.standing.entries
    again = mlops(fresh, tmp_path, "answer --answer approve --reason 'read it' --actor eva --json")
    assert meets("task answer", again.out)["status"] == "approved"
    said = answer(fresh, tmp_path, "reject", "eva")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("mlops: churn version 1 is not refused: approved by bo at ")
    assert asking.standing.entries == entries
    said = mlops(fresh, tmp_path, "question")
    assert (said.code, said.out) == (99, "")
    assert said.err.startswith("mlops: nobody is asked: approved by bo at ")


def test_whoever_may_not_answer_changes_nothing(
    fresh: Terminal, asking: Desk, folder: RunFolder, tmp_path: Path
) -> None:
    said = answer(fresh, tmp_path, "approve", "ana")
    assert (said.code, said.out, status(folder)) == (2, "", "waiting")
    assert "ana started the run of churn version 1" in said.err
    assert asked(asking).answered is None


@pytest.mark.parametrize(("late", "code"), [("reject", 0), ("approve", 1)])
def test_an_answer_that_was_given_elsewhere_counts(
    fresh: Terminal, asking: Desk, folder: RunFolder, tmp_path: Path, late: str, code: int
) -> None:
    asking.answer(asking.engines.registry.versions("churn")[0], consent=False)
    said = answer(fresh, tmp_path, late, "eva")
    assert (said.code, status(folder)) == (code, "refused")
    assert "refused by bo at " in (said.err if code else said.out)


def test_the_question_notices_an_answer_that_was_given_elsewhere(
    fresh: Terminal, asking: Desk, folder: RunFolder, tmp_path: Path
) -> None:
    """So that the tasks after it go by that answer."""
    asking.answer(asking.engines.registry.versions("churn")[0])
    assert status(folder) == "waiting"
    assert mlops(fresh, tmp_path, "question").code == 99
    assert status(folder) == "approved"


def test_nobody_is_asked_where_the_receipt_says_so(
    fresh: Terminal, folder: RunFolder, tmp_path: Path
) -> None:
    why = "the gate rejected it, so nobody is asked"
    folder.finished("approval", ApprovalReceipt(status="not wanted", why=why), {})
    said = mlops(fresh, tmp_path, "question")
    assert (said.code, said.out, said.err) == (99, "", f"mlops: nobody is asked: {why}\n")
    said = answer(fresh, tmp_path, "approve", "bo")
    assert (said.code, said.out) == (0, f"churn version 1: nothing to answer: {why}\n")


def test_a_question_of_a_run_that_has_not_come_so_far_is_said(
    fresh: Terminal, folder: RunFolder, tmp_path: Path
) -> None:
    folder.failed("approval", OSError("the disk is full"), retry=False)
    said = mlops(fresh, tmp_path, "question")
    assert (said.code, said.out) == (2, "")
    assert "approval has not finished there: run that first" in said.err
