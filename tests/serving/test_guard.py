"""Who may ask, how often, how much and how many at once."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest
from starlette.exceptions import HTTPException

from mlops_core.adapters.deployer.memory import MemoryDeployer
from mlops_core.adapters.trainer.memory import MemoryTrainer
from mlops_core.serving.guard import HEALTH, Admission, Guard
from mlops_core.serving.jsonbody import JsonBody
from mlops_core.serving.rate import RateLimit, caller_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from mlops_core.domain.release import Bundle
    from mlops_core.serving.follower import ReleaseFollower

    Ask = Callable[..., httpx.Response]

TOKEN = "correct-horse-battery"  # noqa: S105 - a test's own
SIGNED = {"Authorization": f"Bearer {TOKEN}"}


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
    "path", ["/v2", "/v2/models/churn", "/metrics", "/openapi.json", "/nothing", "/docs"]
)
def test_without_the_token_everything_is_refused(ask_with: Callable[..., Ask], path: str) -> None:
    """Also what does not exist: an address is no secret worth telling."""
    answer = ask_with(admission=Admission(token=TOKEN))("GET", path)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert "Authorization: Bearer" in answer.json()["error"]


@pytest.mark.parametrize(
    "headers",
    [
        [("Authorization", f"Bearer {TOKEN}x")],
        [("Authorization", f"Bearer {TOKEN[:-1]}")],
        [("Authorization", f"Basic {TOKEN}")],
        [("Authorization", TOKEN)],
        [("Authorization", "Bearer")],
        [("Authorization", "Bearer ü".encode())],
        [("Authorization", f"Bearer {TOKEN}"), ("Authorization", "Bearer another")],
        [("X-Mlops-Token", f"{TOKEN}x")],
        [("X-Mlops-Token", "")],
        [("X-Mlops-Token", f"{TOKEN}x"), ("Authorization", f"Bearer {TOKEN}")],
    ],
)
def test_another_token_is_no_token(
    ask_with: Callable[..., Ask], headers: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the right one nor the wrong one is logged."""
    with caplog.at_level(logging.DEBUG):
        answer = ask_with(admission=Admission(token=TOKEN))("GET", "/v2", headers=headers)
    assert answer.status_code == 401
    assert TOKEN[:-1] not in caplog.text + answer.text


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_with_the_token_everything_is_answered(ask_with: Callable[..., Ask], scheme: str) -> None:
    """The scheme is written as anyone likes (RFC 9110, 11.1)."""
    ask = ask_with(admission=Admission(token=TOKEN))
    headers = {"Authorization": f"{scheme} {TOKEN}"}
    assert ask("POST", "/predict", json={"ids": [1]}, headers=headers).status_code == 200
    assert ask("GET", "/metrics", headers=headers).status_code == 200


def test_the_token_comes_alone_where_a_proxy_keeps_the_other_header(ask_with: Callable[..., Ask]) -> None:
    ask = ask_with(admission=Admission(token=TOKEN))
    assert ask("GET", "/v2", headers={"X-Mlops-Token": TOKEN}).status_code == 200


def test_health_is_open_and_unlimited(ask_with: Callable[..., Ask]) -> None:
    """What watches a server holds no secrets and asks often."""
    ask = ask_with(admission=Admission(token=TOKEN, rate=1, max_requests=1))
    for _ in range(5):
        assert ask("GET", "/v2/health/live").status_code == 200
        assert ask("GET", "/v2/health/ready").status_code == 200


def test_the_description_says_what_wants_the_token(ask_with: Callable[..., Ask]) -> None:
    """Everything but health."""
    description = ask_with(admission=Admission(token=TOKEN))("GET", "/openapi.json", headers=SIGNED).json()
    assert description["components"]["securitySchemes"]["token"] == {"type": "http", "scheme": "bearer"}
    for path, operations in description["paths"].items():
        for operation in operations.values():
            assert operation["security"] == ([] if path in HEALTH else [{"token": []}])


def test_the_description_has_exact_bounds_and_json_errors(ask_with: Callable[..., Ask]) -> None:
    """As a float, 2^63 is another number to most readers; figures are text, but errors about them JSON."""
    description = ask_with()("GET", "/openapi.json")
    assert '"exclusiveMaximum":9223372036854775808' in description.text
    assert '"minimum":-9223372036854775808' in description.text
    responses = description.json()["paths"]["/metrics"]["get"]["responses"]
    assert [list(responses[status]["content"]) for status in ("200", "4XX", "5XX")] == [
        ["text/plain"],
        ["application/json"],
        ["application/json"],
    ]


def test_the_token_is_not_shown_with_the_settings() -> None:
    """A traceback or a log of them holds none."""
    assert TOKEN not in repr(Admission(token=TOKEN))


@pytest.mark.parametrize(("host", "warned"), [("127.0.0.1", 0), ("::1", 0), ("localhost", 0), ("0.0.0.0", 1)])  # noqa: S104 - that is what is warned of
def test_a_server_that_is_open_to_all_says_so(
    caplog: pytest.LogCaptureFixture, host: str, warned: int
) -> None:
    """Once, at the start; with a token there is nothing to say."""
    Admission().warn_of(host)
    Admission(token=TOKEN).warn_of(host)
    assert caplog.text.count("set MLOPS_TOKEN") == warned


def test_a_caller_that_asks_too_often_is_told_when_to_come_back(ask_with: Callable[..., Ask]) -> None:
    """Others are answered meanwhile."""
    ask = ask_with(admission=Admission(rate=0.01))
    assert ask("GET", "/v2").status_code == 200
    refused = ask("GET", "/v2")
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 100
    assert "ask less often" in refused.json()["error"]
    assert ask("GET", "/v2", peer="192.0.2.7").status_code == 200


def test_a_rate_is_held_and_its_unused_part_kept_for_a_second() -> None:
    """Five at once, then one each fifth of a second."""
    now = 100.0
    limit = RateLimit(5, clock=lambda: now)
    waits = [limit.wait("a") for _ in range(7)]
    assert waits[:5] == [0.0] * 5
    assert waits[5:] == pytest.approx([0.2, 0.2])
    now += 0.2
    assert [limit.wait("a") for _ in range(2)] == [0.0, pytest.approx(0.2)]
    now += 60
    assert [limit.wait("a") == 0.0 for _ in range(6)] == [True] * 5 + [False]


def test_only_so_many_callers_are_remembered() -> None:
    """The one who asked longest ago is forgotten, not the one who just did."""
    limit = RateLimit(1, callers=2, clock=lambda: 0.0)
    assert [limit.wait(name) == 0.0 for name in ("a", "b", "a", "c")] == [True, True, False, True]
    assert limit.wait("a") > 0.0  # "b" was forgotten for "c"
    assert limit.wait("b") == 0.0


def test_a_network_of_ipv6_is_one_caller() -> None:
    """A machine there has 2^64 addresses to ask from."""
    same = {
        caller_of("2001:db8:1:2::1"),
        caller_of("2001:db8:1:2:ffff::9"),
        caller_of("2001:db8:1:2::3%eth0"),
    }
    assert len(same) == 1
    assert caller_of("2001:db8:1:3::1") not in same
    assert caller_of("192.0.2.1") == "192.0.2.1"


@pytest.mark.parametrize("length", ["2049", "9" * 30])
def test_a_body_that_declares_too_much_is_not_read(length: str) -> None:
    """The answer comes before the first byte of it does."""
    answer = asyncio.run(_sent(JsonBody(_reading, limit=2048), [], [(b"content-length", length.encode())]))
    assert answer[0]["status"] == 413


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    """It holds a place that others wait for."""
    app = JsonBody(_reading, limit=2048, seconds=0.01)
    with pytest.raises(HTTPException, match="the body did not come in time"):
        asyncio.run(_sent(app, [{"type": "http.request", "body": b"{", "more_body": True}], []))


def test_beyond_the_largest_number_at_once_others_come_back_later() -> None:
    """The next is answered once one of them is; scrapes of metrics do not wait."""
    release = asyncio.Event()

    async def waiting(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/slow":
            await release.wait()
        await _reading(scope, receive, send)

    async def crowd() -> list[int]:
        app = Guard(waiting, admission=Admission(max_requests=2))
        held = [asyncio.create_task(_sent(app, path="/slow")) for _ in range(2)]
        await asyncio.sleep(0)
        during = [(await _sent(app, path=path))[0] for path in ("/predict", "/metrics", "/v2/health/ready")]
        assert dict(during[0]["headers"])[b"retry-after"] == b"1"
        release.set()
        await asyncio.gather(*held)
        return [*(one["status"] for one in during), (await _sent(app))[0]["status"]]

    assert asyncio.run(crowd()) == [503, 200, 200, 200]


def test_large_bodies_are_held_up_to_a_bound_together() -> None:
    """Memory is bounded however many come at once, and free again when they are answered."""
    release = asyncio.Event()

    async def holding(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await release.wait()
        await _reading(scope, receive, send)

    body: Message = {"type": "http.request", "body": b" " * 1000, "more_body": False}

    async def crowd() -> list[str]:
        app = JsonBody(holding, limit=1000)
        tasks = [asyncio.create_task(_sent(app, [body, {"type": "http.disconnect"}])) for _ in range(9)]
        await asyncio.sleep(0.01)
        release.set()
        first = await asyncio.gather(*tasks, return_exceptions=True)
        again = await _sent(app, [body, {"type": "http.disconnect"}])
        return [str(one) for one in first if isinstance(one, BaseException)] + [str(again[0]["status"])]

    refused, then = asyncio.run(crowd())
    assert "as many large bodies as it can" in refused
    assert then == "200"


async def _reading(_: Scope, receive: Receive, send: Send) -> None:
    """An application that reads what there is and is content."""
    message = await receive()
    while message.get("more_body"):
        message = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def _sent(
    app: ASGIApp,
    messages: list[Message] | None = None,
    headers: list[tuple[bytes, bytes]] | None = None,
    path: str = "/predict",
) -> list[Message]:
    """What an application sends to one who sends these messages, and then nothing more."""
    coming = iter([{"type": "http.request", "body": b""}] if messages is None else messages)
    answer: list[Message] = []

    async def receive() -> Message:
        message = next(coming, None)
        return message if message is not None else await asyncio.Event().wait()  # type: ignore[return-value] # never

    async def send(message: Message) -> None:
        answer.append(message)

    scope = {"type": "http", "path": path, "method": "POST", "headers": headers or [], "client": ("a", 1)}
    await app(scope, receive, send)
    return answer
