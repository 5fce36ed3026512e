"""`mlops approvals`, `approve` and `reject` as a person or a job of a CI system uses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlops_core.domain.ledger import Approved, Promoted
from tests.cli.published import meets

if TYPE_CHECKING:
    from mlops_core.domain.standing import Request
    from tests.cli.conftest import Terminal
    from tests.promotion.desk import Desk

pytestmark = pytest.mark.live  # each delivers a model first

CASE = "asking_case:CHURN"


@pytest.fixture
def asked(asking: Desk) -> Request:
    """Version 1 waits for an answer; ana started its run."""
    return asking.ask(asking.judged(1))


def test_what_waits_is_told_with_how_to_answer(fresh: Terminal, asked: Request) -> None:
    said = fresh("approvals", CASE)
    assert said.code == 0
    for part in (
        "churn 1 waits for an answer until ",
        f"question  {asked.digest[:12]}",
        "run started by ana",
        str(fresh.home / "report.html"),
        "floor: roc_auc is 0.81",
        f"mlops approve {CASE} 1 --question {asked.digest[:12]} --reason …",
    ):
        assert part in said.out
    (one,) = meets("approvals", fresh("approvals", "--json").out)
    assert (one["name"], one["version"], one["question"]) == ("churn", 1, asked.digest)
    assert (one["void"], one["decision"]["verdict"]) == (None, "passed")
    assert "awaits approval" in fresh("models", "list", "churn").out


def test_consent_puts_the_version_into_production(fresh: Terminal, asking: Desk, asked: Request) -> None:
    words = ("approve", CASE, "1", "--question", asked.digest[:12].upper(), "--reason", "read the report")
    said = fresh(*words, "--actor", "bo")
    assert (said.code, said.err) == (0, "")
    answered, promoted = said.out.splitlines()
    assert answered.startswith("churn version 1 is approved by bo at ")
    assert promoted.startswith("churn version 1 is in Production, served from releases/churn/1-")
    assert asking.served == 1
    events = [entry.event for entry in asking.standing.entries]
    assert Approved(request=asked.digest) in events
    assert any(isinstance(event, Promoted) and event.request == asked.digest for event in events)
    assert "approved    " in fresh("history", "churn", "--at", _now(asking)).out
    assert fresh("approvals").out == "nothing waits for an approval\n"


def test_the_same_answer_again_changes_nothing_and_names_who_gave_it(
    fresh: Terminal, asking: Desk, asked: Request
) -> None:
    assert asked.answered is None
    assert fresh("approve", CASE, "1", "--reason", "read it", "--actor", "bo").code == 0
    before = asking.standing.entries
    said = fresh("approve", CASE, "1", "--reason", "me too", "--actor", "eva")
    assert (said.code, "approved by bo" in said.out) == (0, True)
    assert asking.standing.entries == before
    said = fresh("reject", CASE, "1", "--reason", "wait", "--actor", "eva")
    assert (said.code, "was answered already: approved by bo" in said.err) == (1, True)


def test_a_refusal_keeps_the_version_where_it_is(fresh: Terminal, asking: Desk, asked: Request) -> None:
    assert asked.answered is None
    said = fresh("reject", CASE, "1", "--reason", "the slices are thin", "--actor", "bo")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("churn version 1 is refused by bo at ")
    assert (asking.stages, asking.served) == ({1: "Staging"}, None)
    shown = fresh("models", "show", "churn@1").out
    assert "approval      refused" in shown
    assert "by bo: the slices are thin" in shown
    said = fresh("approve", CASE, "1", "--reason", "but yes", "--actor", "eva")
    assert (said.code, "was answered already: refused by bo" in said.err) == (1, True)


def test_the_one_who_started_the_run_may_be_refused_as_approver(fresh: Terminal, asked: Request) -> None:
    assert asked.asked.actor == "ana"
    said = fresh("approve", CASE, "1", "--reason", "mine is good", "--actor", "Ana")
    assert said.code == 2
    assert "wants the answer of another person (--actor)" in said.err


def test_the_environment_names_the_actor(
    fresh: Terminal, asking: Desk, asked: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asked.answered is None
    monkeypatch.setenv("MLOPS_ACTOR", "release-job")
    assert fresh("approve", CASE, "1", "--reason", "run 17 of the pipeline").code == 0
    since = asking.standing.since(1)
    assert since is not None
    assert since.actor == "release-job"


def test_another_question_than_the_one_looked_at_is_not_answered(fresh: Terminal, asked: Request) -> None:
    said = fresh("approve", CASE, "1", "--question", "0123", "--reason", "good", "--actor", "bo")
    assert said.code == 1
    assert f"is {asked.digest[:12]}, not 0123: look at it again" in said.err


def test_a_changed_policy_voids_the_question(fresh: Terminal, asked: Request) -> None:
    """The bundled use case has the model's name and asks for no person."""
    assert asked.answered is None
    said = fresh("approve", "churn", "1", "--reason", "good", "--actor", "bo")
    assert said.code == 1
    assert "the gate's policy changed since it decided on churn version 1" in said.err


def test_another_champion_voids_the_question(fresh: Terminal, asking: Desk, asked: Request) -> None:
    assert asked.answered is None
    second = asking.judged(2)
    asking.ask(second)
    assert fresh("approve", CASE, "2", "--reason", "better", "--actor", "bo").code == 0
    out = fresh("approvals", CASE).out
    assert "void      version 2 went to Production since: run `mlops run asking_case:CHURN`" in out
    said = fresh("approve", CASE, "1", "--reason", "also good", "--actor", "bo")
    assert said.code == 1
    assert "version 2 is there now" in said.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["approve", "churn", "1"], "say why with --reason"),
        (["reject", "churn", "1", "--reason", ""], "say why with --reason"),
        (["approve", "churn@1", "--reason", "good"], "arguments are required: VERSION"),
        (["approve", "churn", "1", "--reason", "good"], "no approval of churn version 1 was asked for"),
        (["approve", "churn", "1", "--qestion", "ab", "--reason", "good"], "did you mean --question?"),
        (["aprove", "churn", "1"], "did you mean 'approve'?"),
        (["approvals", "chrun"], "did you mean 'churn'?"),
    ],
)
def test_a_mistake_ends_in_one_sentence(delivered: Terminal, words: list[str], message: str) -> None:
    said = delivered(*words)
    assert message in said.err
    assert (said.code, said.out, len(said.err.splitlines())) == (2, "", 1)


def _now(desk: Desk) -> str:
    return desk.standing.entries[-1].at.isoformat()
