"""What GitHub refuses or limits: waited for as it asks, or said in a sentence, never with the token."""

from __future__ import annotations

import logging
import time
import traceback
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from mlops_core.adapters.github import GitHubDeployer, client
from mlops_core.errors import BadInput, MlopsError, NotFound, Unavailable
from mlops_core.settings import Settings
from tests.github.conftest import ORDER
from tests.github.fake import REPOSITORY, TOKEN, Fault

if TYPE_CHECKING:
    from tests.github.conftest import Scene

SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes"


@pytest.mark.parametrize(
    ("fault", "pause"),
    [
        (Fault("answer", status=429, headers={"Retry-After": "7"}), 7.0),
        (Fault("answer", status=403, headers={"Retry-After": "60"}, message=SECONDARY), 60.0),
        (Fault("answer", status=403, message=SECONDARY), 60.0),
        (Fault("answer", status=429), 60.0),
        (Fault("answer", status=403, headers={"X-RateLimit-Remaining": "0"}), 60.0),
        (Fault("answer", status=403, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}), 1.0),
        (Fault("answer", status=503), 1.0),
        (Fault("hang up before"), 1.0),
    ],
)
def test_a_limit_is_waited_for_as_github_asks(scene: Scene, fault: Fault, pause: float) -> None:
    scene.github.fail(fault)
    assert scene.deployer().dispatch(ORDER).state == "queued"
    assert scene.paused == [pause]


def test_a_limit_is_waited_for_before_writing_too(scene: Scene) -> None:
    scene.github.fail(None, Fault("answer", status=403, headers={"Retry-After": "9"}))
    scene.deployer().dispatch(ORDER)
    assert (scene.paused, scene.asked.count("POST /deployments")) == ([9.0], 2)


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "61"},
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 1800)},
    ],
)
def test_a_limit_of_more_than_a_minute_is_left_to_the_task(scene: Scene, headers: dict[str, str]) -> None:
    scene.github.fail(Fault("answer", status=403, headers=headers, message="slow down"))
    with pytest.raises(Unavailable, match=r"403 slow down.*, to be asked again in \d+ s: run the same again"):
        scene.deployer().dispatch(ORDER)
    assert scene.paused == []


def test_limits_after_one_another_are_not_waited_for_without_end(scene: Scene) -> None:
    scene.github.fail(*[Fault("answer", status=429, headers={"Retry-After": "50"})] * 9)
    with pytest.raises(Unavailable, match="429 Server Error"):
        scene.deployer().dispatch(ORDER)
    assert scene.paused == [50.0, 50.0]


def test_a_github_that_stays_ill_is_given_up_for_now(scene: Scene) -> None:
    scene.github.fail(*[Fault("answer", status=502)] * 9)
    with pytest.raises(Unavailable, match="the deployments of acme/churn, said '502 Server Error'"):
        scene.deployer().dispatch(ORDER)
    assert scene.paused == [1.0, 2.0, 4.0]


def test_an_answer_that_comes_too_late_is_a_lost_one(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_SECONDS", httpx.Timeout(0.4))
    scene.github.fail(None, Fault("slow", seconds=0.6))

    def until_done(seconds: float) -> None:  # noqa: ARG001 - it waits for what happens
        for _ in range(3000):
            if scene.github.memory.deployments:
                return
            time.sleep(0.01)

    assert scene.deployer(pause=until_done).dispatch(ORDER).state == "queued"
    assert (len(scene.states), scene.runs) == (1, ["1"])


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (
            Fault("answer", 403, message="Resource not accessible by integration"),
            BadInput,
            "deployments: write",
        ),
        (Fault("answer", 401, message="Bad credentials"), BadInput, "GITHUB_TOKEN or GH_TOKEN"),
        (Fault("answer", 404, message="Not Found"), NotFound, "MLOPS_GITHUB_REPOSITORY"),
        (Fault("answer", 301, {"Location": "https://evil.example/"}), NotFound, "it has moved"),
        (Fault("answer", 307, {"Location": "https://evil.example/"}), NotFound, "is sent nowhere else"),
        (Fault("answer", 422, message="Validation Failed"), BadInput, "422 Validation Failed"),
        (Fault("answer", 418, message="I'm a teapot\x1b[2J"), MlopsError, "418 I'm a teapot [2J"),
    ],
)
def test_a_refusal_is_said_with_what_to_do(
    scene: Scene, fault: Fault, kind: type[MlopsError], words: str
) -> None:
    scene.github.fail(fault)
    with pytest.raises(kind) as raised:
        scene.deployer().dispatch(ORDER)
    assert words in str(raised.value)
    assert "\x1b" not in str(raised.value)
    assert (scene.paused, len(scene.github.requests)) == ([], 1)


def test_a_wrong_token_or_repository_is_told_by_github_itself(scene: Scene) -> None:
    with pytest.raises(BadInput, match="401 Bad credentials"):
        scene.deployer(token="another").dispatch(ORDER)  # noqa: S106 - made up
    with pytest.raises(NotFound, match="the deployments of acme/chrun"):
        scene.deployer(repository="acme/chrun").dispatch(ORDER)


def test_the_token_is_in_no_word_and_no_error(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    faults = (
        Fault("hang up before"),
        Fault("answer", 401, message=f"Bad token {TOKEN}"),
        Fault("answer", 502, message=TOKEN),
    )
    for fault in faults:
        scene.github.fail(*[fault] * 9)
        with pytest.raises(MlopsError) as raised:
            scene.deployer().dispatch(ORDER)
        assert TOKEN not in "".join(traceback.format_exception(raised.value))
        assert all(TOKEN not in repr(vars(error)) for error in _chain(raised.value))
        assert all(TOKEN not in str(dict(request.headers)) for request in _requests(raised.value))
    assert TOKEN not in repr(scene.deployer())
    assert TOKEN not in caplog.text
    assert {heard["Authorization"] for heard in scene.github.heard} == {f"Bearer {TOKEN}"}


def _chain(error: BaseException | None) -> list[BaseException]:
    return [] if error is None else [error, *_chain(error.__cause__)]


def _requests(error: BaseException) -> list[httpx.Request]:
    return [one.request for one in _chain(error) if isinstance(one, httpx.RequestError)]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"token": ""}, "wants a token"),
        ({"token": "se cret\n"}, "as one word"),
        ({"repository": ""}, "give OWNER/NAME as MLOPS_GITHUB_REPOSITORY"),
        ({"repository": "acme"}, "'acme' is none"),
        ({"api": "http://github.example"}, "over https alone"),
        ({"api": "https://[github"}, "MLOPS_GITHUB_API is no URL"),
        ({"api": "https://github:port"}, "MLOPS_GITHUB_API is no URL"),
    ],
)
def test_what_cannot_be_asked_is_said_before_anything_is_sent(
    scene: Scene, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadInput, match=words) as raised:
        scene.deployer(**changes).dispatch(ORDER)
    assert "cret" not in str(raised.value)
    assert scene.github.requests == []


@pytest.mark.parametrize(
    ("body", "words"), [(b"<html>", "without JSON"), (b'[{"id": "x"}]', "is not GitHub's")]
)
def test_an_answer_of_somebody_else_is_seen(
    scene: Scene, body: bytes, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy's page, say."""
    answer = httpx.Response(200, content=body)
    monkeypatch.setattr(httpx.Client, "send", lambda *_: answer)
    with pytest.raises(MlopsError, match=words):
        scene.deployer().dispatch(ORDER)


def test_settings_come_first_and_then_what_github_gives_its_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_API_URL", "GITHUB_REPOSITORY", "GITHUB_TOKEN", "GH_TOKEN", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    bare = GitHubDeployer.of(Settings())
    assert (bare.api, bare.repository, bare.token) == ("https://api.github.com", "", "")
    monkeypatch.setenv("GITHUB_API_URL", "https://ghe.example/api/v3")
    monkeypatch.setenv("GITHUB_REPOSITORY", REPOSITORY)
    monkeypatch.setenv("GH_TOKEN", f"{TOKEN}\n")
    job = GitHubDeployer.of(Settings(), known_as="cases:CHURN")
    assert (job.api, job.repository, job.token) == ("https://ghe.example/api/v3", REPOSITORY, TOKEN)
    assert (job.known_as, job.target) == ("cases:CHURN", "local")
    monkeypatch.setenv("GITHUB_TOKEN", "the-job-s-own")
    told = Settings(github_api="https://other.example", github_repository="acme/fork", github_target="vertex")
    chosen = GitHubDeployer.of(told)
    assert (chosen.api, chosen.repository, chosen.token) == (
        "https://other.example",
        "acme/fork",
        "the-job-s-own",
    )
    assert chosen.target == "vertex"
