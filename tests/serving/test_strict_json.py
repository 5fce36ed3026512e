"""What is no JSON, or not the same JSON to everybody, is refused in one sentence without quoting it."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, strategies

from mlops_core.adapters.deployer.memory import MemoryDeployer
from mlops_core.adapters.trainer.memory import MemoryTrainer
from mlops_core.errors import BadInput
from mlops_core.serving.strict_json import parsed

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from mlops_core.domain.release import Bundle
    from mlops_core.serving.follower import ReleaseFollower

    Ask = Callable[..., httpx.Response]

INFER = "/v2/models/churn/infer"
VALUES = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers()
    | strategies.floats(allow_nan=False, allow_infinity=False)
    | strategies.text(),
    lambda inner: strategies.lists(inner) | strategies.dictionaries(strategies.text(), inner),
)


@pytest.fixture
def deployer() -> MemoryDeployer:
    """Nothing here is about files."""
    return MemoryDeployer(MemoryTrainer())


@pytest.fixture(autouse=True)
def served(follower: ReleaseFollower, deploy: Callable[..., Bundle]) -> None:
    """Version 1 is served."""
    deploy(1)
    follower.refresh()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"ids": [1], "ids": [2]}', "names a field twice"),
        (b'{"ids": [1], "jane": {"a": 1, "a": 1}}', "names a field twice"),
        (b'{"ids": [1, NaN]}', "NaN or Infinity"),
        (b'{"ids": [-Infinity]}', "NaN or Infinity"),
        (b'{"ids": ["jane\xff"]}', "one JSON object"),
        (b'\xef\xbb\xbf{"ids": [1]}', "one JSON object"),
        ('{"ids": [1]}'.encode("utf-16"), "one JSON object"),
        (b'{"ids": ["\xed\xa0\x80"]}', "one JSON object"),
        (b'{"ids": [' + b"9" * 5000 + b"]}", "one JSON object"),
        (b'{"ids": [1e999]}', "Input should be a valid integer"),
        (b'{"ids": ' + b"[" * 5000 + b"]" * 5000 + b"}", "one JSON object"),
        (b'{"ids": ' + b"[" * 500 + b"]" * 500 + b"}", "body.ids.0"),
        (b'{"ids": ' + b'{"jane":' * 3000 + b"1" + b"}" * 3001, "one JSON object"),
        (b'{"ids": [01]}', "one JSON object"),
        (b'{"ids": [1],}', "one JSON object"),
        (b"{'ids': [1]}", "one JSON object"),
        (b'{"ids": [1]} {"jane": 1}', "one JSON object"),
        (b'{"ids": ["jane\x00"]}', "one JSON object"),
    ],
)
def test_it_is_refused_in_one_sentence(
    ask: Ask, content: bytes, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    """By every address that takes a body, with nothing of it in the answer or in the log."""
    with caplog.at_level(logging.DEBUG, logger="mlops_core"):
        answer = ask("POST", "/predict", content=content)
        other = ask("POST", INFER, content=content)
    assert (answer.status_code, other.status_code) == (400, 400)
    assert message in answer.json()["error"]
    assert "jane" not in answer.text + other.text + caplog.text


@given(VALUES)
def test_json_is_read_as_it_was_written(value: Any) -> None:
    """Strictness takes nothing away from what is JSON."""
    assert parsed(json.dumps(value, ensure_ascii=True).encode()) == value


@given(strategies.binary())
def test_whatever_comes_is_read_or_refused(content: bytes) -> None:
    """Nothing else is raised."""
    with suppress(BadInput):
        parsed(content)
