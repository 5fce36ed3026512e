"""The route that predictions take: its errors are FastAPI's, and so is its description."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI
from starlette.requests import ClientDisconnect

from mlops_core.serving.arms import Arms
from mlops_core.serving.predictions import add_predictions

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from starlette.types import Message

    from mlops_core.domain.release import Bundle
    from mlops_core.serving.follower import ReleaseFollower

    Ask = Callable[..., httpx.Response]


@pytest.fixture
def sent(follower: ReleaseFollower, deploy: Callable[..., Bundle]) -> Callable[..., list[Message]]:
    """What is answered to a body that comes in these messages."""
    deploy()
    follower.refresh()
    app = FastAPI()
    add_predictions(app, Arms(follower))

    def send(*messages: Message) -> list[Message]:
        coming = list(messages)
        answers: list[Message] = []

        async def receive() -> Message:
            return coming.pop(0)

        async def answer(message: Message) -> None:
            answers.append(message)

        scope = {"type": "http", "method": "POST", "path": "/predict", "query_string": b"", "headers": []}
        asyncio.run(app(scope, receive, answer))
        return answers

    return send


def part(body: bytes, *, more: bool = False) -> Message:
    """A message with a part of a body."""
    return {"type": "http.request", "body": body, "more_body": more}


def test_a_body_may_come_in_parts(sent: Callable[..., list[Message]]) -> None:
    """As a server hands them on."""
    start, body, *_ = sent(part(b'{"id', more=True), part(b"", more=True), part(b's": [1]}'))
    assert start["status"] == 200
    assert json.loads(body["body"])["predictions"][0]["id"] == 1


def test_a_caller_who_has_gone_is_not_answered(sent: Callable[..., list[Message]]) -> None:
    """Half a body is none."""
    with pytest.raises(ClientDisconnect):
        sent(part(b'{"ids": [1', more=True), {"type": "http.disconnect"})


@pytest.mark.parametrize("path", ["/v2/models/{name}/infer", "/v2/models/{name}/versions/{version}/infer"])
def test_it_is_described_as_fastapi_describes_any_route(ask: Ask, path: str) -> None:
    """Its body, its answer, its errors and what the address names."""
    operation: dict[str, Any] = ask("GET", "/openapi.json").json()["paths"][path]["post"]
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert body["$ref"].endswith("/InferenceRequest")
    assert answer["$ref"].endswith("/InferenceResponse")
    assert {"4XX", "5XX"} <= operation["responses"].keys()
    named = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
    assert named == {word.strip("{}") for word in path.split("/") if word.startswith("{")}


def test_an_error_says_where_it_is_and_not_what_was_sent(ask: Ask, deploy: Callable[..., Bundle]) -> None:
    """By the position in the body, as for any other address."""
    deploy()
    answer = ask("POST", "/predict", json={"ids": [1, {"jane": "secret"}]})
    assert answer.status_code == 400
    assert "body.ids.1" in answer.json()["error"]
    assert "secret" not in answer.text
