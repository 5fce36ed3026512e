"""Statuses, reviews and comments: what jobs say on GitHub, and what they read there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlops_core.domain.review import Review
from mlops_core.errors import BadInput, NotFound
from tests.github.conftest import ORDER, Scene
from tests.github.fake import FakeGitHub, Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

LINE = "<!-- mlops:churn-metrics -->"


@pytest.mark.parametrize("fault", [None, Fault("hang up after"), Fault("answer after", status=502)])
def test_a_status_is_told_once_even_where_the_answer_was_lost(scene: Scene, fault: Fault | None) -> None:
    scene.deployer().dispatch(ORDER)
    scene.github.fail(None, fault)
    for _ in range(2):
        scene.deployer().tell(1, "in_progress", "canary", "https://github.com/acme/churn/actions/runs/5")
    told = scene.github.memory.statuses[1]
    assert [status["state"] for status in told] == ["queued", "in_progress"]
    assert (told[1]["description"], told[1]["log_url"][-6:]) == ("canary", "runs/5")


def test_a_status_of_nothing_or_none_is_refused(scene: Scene) -> None:
    with pytest.raises(NotFound, match="deployment 12"):
        scene.deployer().tell(12, "success")
    with pytest.raises(BadInput, match="'done' is no state of a deployment: give one of queued, "):
        scene.deployer().tell(1, "done")


def test_only_reviews_of_our_environment_count(scene: Scene) -> None:
    scene.deployer().dispatch(ORDER)
    assert scene.deployer().reviews(9001) == []
    scene.github.memory.review(
        "9001",
        [
            {"state": "approved", "login": "Ann", "comment": " looks good "},
            {"state": "approved", "login": "bo", "environments": ["staging"]},
            {"state": "rejected", "login": "cy", "environments": ["staging", "production"]},
            {"state": "pending", "login": "di"},
        ],
    )
    assert scene.deployer().reviews(9001) == [
        Review(actor="github:Ann", consent=True, comment="looks good"),
        Review(actor="github:cy", consent=False),
    ]
    assert [one.actor for one in scene.deployer(environment="staging").reviews(9001)] == [
        "github:bo",
        "github:cy",
    ]
    with pytest.raises(NotFound, match="the reviews of run 7"):
        scene.deployer().reviews(7)


@pytest.mark.parametrize("fault", [None, Fault("hang up after"), Fault("hang up before")])
def test_one_comment_is_written_and_then_kept_up_to_date(scene: Scene, fault: Fault | None) -> None:
    scene.github.fail(None, fault)
    url = scene.deployer().comment(7, "churn-metrics", "AUC 0.81")
    assert url == "https://github.com/acme/churn/pull/7#issuecomment-500"
    assert scene.deployer().comment(7, "churn-metrics", "AUC 0.82") == url
    assert scene.deployer().comment(7, "churn", "another one") != url
    assert [one["body"] for one in scene.github.memory.comments[7]] == [
        f"{LINE}\nAUC 0.82",
        "<!-- mlops:churn -->\nanother one",
    ]


def test_a_comment_that_says_so_already_is_left_alone(scene: Scene) -> None:
    for _ in range(2):
        scene.deployer().comment(7, "churn-metrics", "AUC 0.81")
    assert [one.split()[0] for one in scene.github.requests] == ["GET", "POST", "GET"]


def test_ours_is_found_on_a_later_page(scene: Scene) -> None:
    for number in range(230):
        said = {"body": f"<!-- mlops:n{number} -->"}
        comments = "POST /repos/{owner}/{repo}/issues/{issue_number}/comments"
        scene.github.memory.operate(comments, {"issue_number": "7"}, {}, said)
    scene.deployer().comment(7, "n229", "words")
    assert [one.split()[0] for one in scene.github.requests] == ["GET", "GET", "GET", "PATCH"]
    assert len(scene.github.memory.comments[7]) == 230


@pytest.fixture
def talked() -> Iterator[Scene]:
    """A pull request where somebody put our line into a comment of their own."""
    with FakeGitHub(author="mallory") as github:
        scene = Scene(github)
        scene.deployer().comment(7, "churn-metrics", "AUC 0.99")
        yield scene
        assert github.complaints == []


def test_a_job_writes_into_no_comment_of_a_person(talked: Scene) -> None:
    talked.github.memory.author = "github-actions[bot]"
    for words in ("AUC 0.81", "AUC 0.82"):
        talked.deployer(by_bot=True).comment(7, "churn-metrics", words)
    theirs, ours = talked.github.memory.comments[7]
    assert (theirs["body"], ours["body"]) == (f"{LINE}\nAUC 0.99", f"{LINE}\nAUC 0.82")


def test_a_line_quoted_further_down_marks_nothing(scene: Scene) -> None:
    scene.deployer().comment(7, "reply", f"you wrote\n{LINE}")
    scene.deployer().comment(7, "churn-metrics", "AUC 0.81")
    assert len(scene.github.memory.comments[7]) == 2


@pytest.mark.parametrize("letter", ["a", "ä", "🎈"])
def test_a_comment_is_cut_to_what_github_takes_and_says_so(scene: Scene, letter: str) -> None:
    scene.deployer().comment(7, "churn-metrics", letter * 70_000)
    (made,) = scene.github.memory.comments[7]
    assert len(made["body"].encode("utf-16-le")) // 2 in (65_535, 65_536)
    assert made["body"].startswith(f"{LINE}\n{letter}")
    assert made["body"].endswith(
        f"{letter}\n\n…\n\nThe rest is cut: GitHub takes no longer comments. The run has the whole text."
    )


def test_a_mark_that_could_end_the_line_is_refused(scene: Scene) -> None:
    with pytest.raises(BadInput, match="is no mark"):
        scene.deployer().comment(7, "x --> y", "words")
