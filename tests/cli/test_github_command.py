"""`mlops github dispatch` and `approval` on a model that is registered, judged and asked about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlops_core.domain.ledger import Promoted
from mlops_core.settings import Settings
from mlops_core.wiring import ConfiguredEngines
from tests.cli.published import meets
from tests.github.fake import REPOSITORY, TOKEN, FakeGitHub
from tests.promotion.desk import Desk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_core.domain.standing import Request
    from tests.cli.conftest import Said, Terminal

pytestmark = pytest.mark.live  # each delivers a model first

CASE = "asking_case:CHURN"
RUN = "https://github.com/acme/churn/actions/runs/77"


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGitHub]:
    """What settings and environment point to."""
    with FakeGitHub() as fake:
        monkeypatch.setenv("MLOPS_GITHUB_API", fake.url)
        monkeypatch.setenv("MLOPS_GITHUB_REPOSITORY", REPOSITORY)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        monkeypatch.delenv("GITHUB_RUN_ID", raising=False)  # where the tests themselves run there
        yield fake
        assert fake.complaints == []


@pytest.fixture
def asked(asking: Desk) -> Request:
    """Version 1 waits for an answer; ana started its run."""
    return asking.ask(asking.judged(1))


def _reviewed(fresh: Terminal, github: FakeGitHub, asked: Request, *said: dict[str, str]) -> Said:
    """Reviewers speak, and then the job does."""
    github.memory.review("77", [dict(one) for one in said])
    return fresh("github", "approval", CASE, "1", "--question", asked.digest[:12], "--run", "77")


def test_a_version_is_handed_over_once(fresh: Terminal, asking: Desk, github: FakeGitHub) -> None:
    version = asking.judged(1)
    first = fresh("github", "dispatch", CASE, "1", "--actor", "bo")
    assert (first.code, first.err) == (0, "")
    url = "https://github.com/acme/churn/actions/runs/9001"
    assert first.out == f"churn version 1 is handed over to GitHub, queued: {url}.\n"
    again = fresh("github", "dispatch", CASE, "1", "--reason", "by hand", "--json")
    assert meets("github dispatch", again.out) == {
        "name": "churn",
        "version": 1,
        "digest": version.digest,
        "to": "GitHub",
        "state": "queued",
        "url": url,
    }
    (run,) = github.memory.runs
    assert (run["inputs"]["use_case"], run["inputs"]["digest"]) == (CASE, version.digest)
    deployment = github.memory.deployments[0]
    assert deployment["description"].startswith("churn 1 for bo: ordered with ")
    said = fresh("github", "status", str(deployment["id"]), "success", "--json")
    assert meets("github status", said.out) == {"deployment": deployment["id"], "state": "success"}
    said = fresh("github", "dispatch", CASE, "9")
    assert (said.code, "churn has no version 9" in said.err) == (2, True)


def test_what_was_rolled_back_from_is_not_handed_over(
    fresh: Terminal, asking: Desk, github: FakeGitHub
) -> None:
    for seed in (1, 2):
        asking.ask(asking.judged(seed))
        assert fresh("approve", CASE, str(seed), "--reason", "good", "--actor", "bo").code == 0
    asking.roll_back()
    said = fresh("github", "dispatch", CASE, "2")
    assert (said.code, "was rolled back from by ana" in said.err) == (1, True)
    assert github.requests == []


def test_a_reviewer_s_consent_is_entered_and_promotes_nothing(
    fresh: Terminal, asking: Desk, asked: Request, github: FakeGitHub
) -> None:
    said = _reviewed(
        fresh, github, asked, {"state": "approved", "login": "ann", "comment": "read the report"}
    )
    assert (said.code, said.err) == (0, "")
    assert said.out == "churn version 1 is approved by github:ann, by GitHub.\n"
    answered = asking.standing.requests[1].answered
    assert answered is not None
    assert answered.actor == "github:ann"
    assert answered.reason == f"read the report (approved in GitHub run {RUN})"
    assert asking.stages == {1: "Staging"}
    assert not any(isinstance(entry.event, Promoted) for entry in asking.standing.entries)
    github.requests.clear()
    again = fresh("github", "approval", CASE, "1", "--question", asked.digest)
    assert (again.code, "github:ann approved it" in again.out) == (0, True)
    again = fresh("github", "approval", CASE, "1", "--question", asked.digest, "--json")
    assert meets("github approval", again.out)["approval"] == "approved"
    assert github.requests == []  # nobody has to be asked any more
    assert fresh("promote", CASE, "1", "--reason", "approved").code == 0


def test_all_reviewers_are_named_and_one_answers(
    fresh: Terminal, asking: Desk, asked: Request, github: FakeGitHub
) -> None:
    said = _reviewed(
        fresh,
        github,
        asked,
        {"state": "approved", "login": "ann", "comment": "fine"},
        {"state": "approved", "login": "bo"},
    )
    assert said.code == 0
    answered = asking.standing.requests[1].answered
    assert answered is not None
    assert answered.reason == f"approved in GitHub run {RUN} by github:ann: fine; github:bo"


def test_one_rejection_refuses_the_version(
    fresh: Terminal, asking: Desk, asked: Request, github: FakeGitHub
) -> None:
    said = _reviewed(
        fresh,
        github,
        asked,
        {"state": "approved", "login": "ann"},
        {"state": "rejected", "login": "bo", "comment": "the slices are thin"},
    )
    assert (said.code, said.out) == (3, "churn version 1 is refused by github:bo, by GitHub.\n")
    answered = asking.standing.requests[1].answered
    assert answered is not None
    assert answered.reason.startswith("the slices are thin (rejected in GitHub run ")
    again = fresh("github", "approval", CASE, "1", "--question", asked.digest)
    assert (again.code, "github:bo refused it" in again.out) == (3, True)


def test_nobody_has_answered_and_how_to(
    fresh: Terminal, asking: Desk, asked: Request, github: FakeGitHub
) -> None:
    elsewhere = {"state": "approved", "login": "ann", "environments": ["staging"]}
    github.memory.review("77", [elsewhere])
    said = fresh("github", "approval", CASE, "1", "--question", asked.digest[:12], "--run", "77")
    assert said.code == 1
    command = f"mlops approve {CASE} 1 --question {asked.digest[:12]} --reason … --hold"
    assert command in said.out
    typed = [*command.replace("…", "good").split()[1:], "--actor", "bo"]
    assert fresh(*typed).code == 0
    assert asking.stages == {1: "Staging"}
    assert fresh("github", "approval", CASE, "1", "--question", asked.digest[:12]).code == 0


def test_who_started_the_run_is_passed_over_for_another_reviewer(
    fresh: Terminal, asking: Desk, github: FakeGitHub
) -> None:
    settings = Settings(home=fresh.home, actor="github:ann")
    own = Desk(ConfiguredEngines(settings), policy=asking.policy)
    asked = own.ask(own.judged(1))
    said = _reviewed(fresh, github, asked, {"state": "approved", "login": "Ann"})
    assert (said.code, "wants the answer of another person" in said.err) == (2, True)
    assert own.standing.requests[1].answered is None
    both = ({"state": "approved", "login": "Ann"}, {"state": "approved", "login": "bo"})
    said = _reviewed(fresh, github, asked, *both)
    assert (said.code, said.out) == (0, "churn version 1 is approved by github:bo, by GitHub.\n")


def test_another_question_than_the_one_shown_is_not_answered(
    fresh: Terminal, asking: Desk, asked: Request, github: FakeGitHub
) -> None:
    github.memory.review("77", [{"state": "approved", "login": "ann"}])
    words = ("github", "approval", CASE, "1", "--run", "77")
    said = fresh(*words, "--question", "0123")
    assert (said.code, f"is {asked.digest[:12]}, not 0123: look at it again" in said.err) == (1, True)
    said = fresh(*words)
    assert (said.code, "say with --question" in said.err) == (2, True)
    said = fresh(*words[:4], "--question", asked.digest)
    assert (said.code, "'' is no run (--run): give its number" in said.err) == (2, True)
    assert asking.standing.requests[1].answered is None


def test_nothing_is_asked_where_the_policy_wants_nobody(
    fresh: Terminal, desk: Desk, github: FakeGitHub
) -> None:
    desk.judged(1)
    said = fresh("github", "approval", "churn", "1", "--run", "77")
    assert (said.code, "no person is asked" in said.out) == (0, True)
    desk.judged(2, "floor")
    said = fresh("github", "approval", "churn", "2", "--run", "77")
    assert (said.code, "the gate rejected it for floor" in said.out) == (3, True)
    assert github.requests == []
