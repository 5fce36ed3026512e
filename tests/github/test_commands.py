"""`mlops github status` and `comment`, and one sentence for whatever is wrong."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

import httpx
import pytest

from mlops_core.cli import main
from tests.cli.published import meets
from tests.github.conftest import ORDER
from tests.github.fake import REPOSITORY, TOKEN

if TYPE_CHECKING:
    from pathlib import Path

    from tests.github.conftest import Scene


@pytest.fixture(autouse=True)
def _job(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What GitHub gives a job."""
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GITHUB_API_URL", scene.github.url)
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.com")
    monkeypatch.setenv("GITHUB_REPOSITORY", REPOSITORY)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_RUN_ID", "77")


def test_a_job_says_how_its_deployment_goes(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    scene.deployer().dispatch(ORDER)
    assert main(["github", "status", "1", "in_progress", "--description", "canary"]) == 0
    assert capsys.readouterr().out == "deployment 1 is in_progress\n"
    told = scene.github.memory.statuses[1][-1]
    assert (told["state"], told["description"]) == ("in_progress", "canary")
    assert told["log_url"] == "https://github.com/acme/churn/actions/runs/77"


def test_a_job_writes_its_comment_from_a_file_or_a_pipe(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "metrics.md").write_text("AUC 0.81 ±0.02")
    words = ["github", "comment", "7", "--mark", "churn"]
    assert main([*words, "--file", str(tmp_path / "metrics.md")]) == 0
    assert capsys.readouterr().out == "https://github.com/acme/churn/pull/7#issuecomment-500\n"
    monkeypatch.setattr("sys.stdin", StringIO("AUC 0.82"))
    assert main([*words, "--file", "-", "--json"]) == 0
    told = meets("github comment", capsys.readouterr().out)
    assert told["url"].endswith("#issuecomment-500")
    (made,) = scene.github.memory.comments[7]
    assert made["body"] == "<!-- mlops:churn -->\nAUC 0.82"


@pytest.mark.parametrize(
    ("words", "words_said"),
    [
        (["status", "one", "success"], "'one' is no deployment: give its number"),
        (["status", "", "success"], "'' is no deployment"),
        (["status", "1", "done"], "'done' is no state of a deployment"),
        (["status", "12", "success"], "asked about deployment 12 of acme/churn, said '404 Not Found'"),
        (
            ["comment", "7", "--file", "none.md", "--mark", "m"],
            "--file none.md: cannot read it: No such",
        ),
        (["comment", "7", "--file", "/dev/null", "--mark", "m"], "there is nothing in it to be said"),
        (["comment", "x", "--file", "/dev/null", "--mark", "m"], "'x' is no pull request"),
        (["comment", "7", "--file", "pyproject.toml", "--mark", "a b"], "'a b' is no mark"),
        (["approval", "churn", "x"], "'x' is no version"),
        (["dispatch", "churn"], "arguments are required: VERSION"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    words: list[str], words_said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["github", *words]) == 2
    said = capsys.readouterr().err
    assert words_said in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("GITHUB_TOKEN", "stale", "401 Bad credentials"),
        ("GITHUB_TOKEN", "", "GitHub wants a token"),
        ("MLOPS_GITHUB_REPOSITORY", "acme/chrun", "Check OWNER/NAME (MLOPS_GITHUB_REPOSITORY)"),
        ("MLOPS_GITHUB_REPOSITORY", "acme", "give OWNER/NAME, got 'acme'"),
        ("GITHUB_REPOSITORY", "acme", "'acme' is none: give OWNER/NAME"),
        ("MLOPS_GITHUB_API", "api.github.com", "give a URL such as https://api.github.com"),
        ("GITHUB_API_URL", "http://github.example", "over https alone"),
    ],
)
def test_a_wrong_token_or_name_is_said_in_a_sentence(
    name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    assert main(["github", "status", "1", "success"]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert (said.count("\n"), "stale" in said) == (1, False)


def test_the_fake_tells_and_is_told_over_http(scene: Scene) -> None:
    """As whoever arranges a scene for workflows does."""
    said = [{"state": "approved", "login": "ann"}]
    state = httpx.post(f"{scene.github.url}/_reviews/*", json=said).json()
    assert state["reviews"]["*"][0]["user"]["login"] == "ann"
    httpx.post(
        f"{scene.github.url}/_faults", json=[{"request": 2, "kind": "answer", "status": 418}]
    ).raise_for_status()
    assert scene.deployer().reviews(1)[0].actor == "github:ann"
    assert main(["github", "status", "1", "success"]) == 1
    state = httpx.get(f"{scene.github.url}/_state").json()
    assert state["requests"] == [
        "GET /repos/acme/churn/actions/runs/1/approvals 200",
        "GET /repos/acme/churn/deployments/1/statuses?per_page=30 418",
    ]
    assert (state["deployments"], state["faults"], state["complaints"]) == ([], [], [])
