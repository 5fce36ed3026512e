"""The server's settings: from the environment to what it lets in."""

from __future__ import annotations

import pytest

from mlops_core.errors import DefinitionError
from mlops_core.serving.guard import Admission, admission_by
from mlops_core.settings import Settings

TOKEN = "correct-horse-battery"  # noqa: S105 - a test's own


def test_what_the_environment_says_is_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing said is what an application has by itself."""
    assert admission_by(Settings.load()) == Admission()
    given = {"TOKEN": TOKEN, "RATE_LIMIT": "2.5", "MAX_BODY": "2048", "MAX_REQUESTS": "7"}
    for name, value in given.items():
        monkeypatch.setenv(f"MLOPS_{name}", value)
    settings = Settings.load()
    assert admission_by(settings) == Admission(token=TOKEN, rate=2.5, max_body=2048, max_requests=7)
    assert TOKEN not in repr(settings) + settings.model_dump_json()


@pytest.mark.parametrize(
    "token", ["too-brief", "with a blank in it", "naïve-is-not-ascii", "line\nbreak-in-a-token"]
)
def test_a_token_that_cannot_be_sent_is_refused(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    """By the setting's name, without the secret."""
    monkeypatch.setenv("MLOPS_TOKEN", token)
    with pytest.raises(DefinitionError, match="MLOPS_TOKEN cannot be used") as refused:
        Settings.load()
    assert token not in str(refused.value)
    assert token not in repr(refused.value.__cause__)


@pytest.mark.parametrize(
    ("name", "value"), [("RATE_LIMIT", "0"), ("MAX_BODY", "100"), ("MAX_REQUESTS", "0"), ("DRAIN", "-1")]
)
def test_a_bound_that_lets_nobody_in_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """Rather than served to nobody."""
    monkeypatch.setenv(f"MLOPS_{name}", value)
    with pytest.raises(DefinitionError, match=f"MLOPS_{name}"):
        Settings.load()
