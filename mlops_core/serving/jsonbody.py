"""What a body may be: JSON, of a bounded size, and soon there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from mlops_core.serving.problem import problem

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["JsonBody"]

_TOGETHER = 8  # bodies of the largest size that are held at once
_SECONDS = 30.0


class JsonBody:
    """ASGI middleware by which every body is read as JSON, and refused with 413 beyond `limit` bytes.

    The content type is set aside: tritonclient sends none and `curl -d` a wrong one. A body that declares too
    many bytes is not read; else they are counted as they come. One that is not there after `seconds` gets
    408, for it holds a place that others wait for, and 503 while all that are held are 8 times `limit`.
    """

    def __init__(self, app: ASGIApp, *, limit: int, seconds: float = _SECONDS) -> None:
        self._app = app
        self._limit = limit
        self._seconds = seconds
        self._held = 0
        self._awaited: set[_Body] = set()
        self._look_at: asyncio.TimerHandle | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, without its content type and counting what comes in."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = scope["headers"]
        if any(name == b"content-length" and _number(value) > self._limit for name, value in headers):
            await problem(413, self._too_large())(scope, receive, send)
            return
        body = _Body(self, receive)
        scope = {**scope, "headers": [(name, value) for name, value in headers if name != b"content-type"]}
        try:
            await self._app(scope, body.receive, send)
        finally:
            self._held -= body.received

    def hold(self, received: int, more: int) -> None:
        """Count `more` bytes of a body of which `received` are there. Raises `HTTPException` beyond."""
        self._held += more
        if received > self._limit:
            raise HTTPException(413, self._too_large())
        if self._held > self._limit * _TOGETHER:
            message = "the server holds as many large bodies as it can; try again"
            raise HTTPException(503, message, {"Retry-After": "1"})

    async def awaited(self, body: _Body, receive: Receive) -> Message:
        """The next part of a body. Raises `HTTPException` when it is not there in time.

        One timer looks after all bodies: one for each would take longer than reading it.
        """
        loop = asyncio.get_running_loop()
        if body.task is None:
            body.task, body.deadline = asyncio.current_task(), loop.time() + self._seconds
        self._awaited.add(body)
        if self._look_at is None:
            self._look_again(loop)
        try:
            return await receive()
        except asyncio.CancelledError:
            if not body.is_late or body.task is None:
                raise
            body.task.uncancel()
            raise HTTPException(408, "the body did not come in time; send it at once") from None
        finally:
            self._awaited.discard(body)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        for body in self._awaited:
            if body.deadline <= loop.time() and body.task is not None and not body.is_late:
                body.is_late = True
                body.task.cancel()
        self._look_at = None
        if self._awaited:
            self._look_again(loop)

    def _look_again(self, loop: asyncio.AbstractEventLoop) -> None:
        self._look_at = loop.call_later(min(self._seconds / 10, 1.0), self._look, loop)

    def _too_large(self) -> str:
        return f"a body has {self._limit:,} bytes at most; send fewer rows at once"


class _Body:
    """One request's body, as it comes; `task` reads it, until `deadline` by the loop's clock."""

    def __init__(self, bodies: JsonBody, receive: Receive) -> None:
        self.received = 0
        self.task: asyncio.Task[object] | None = None
        self.deadline = 0.0
        self.is_late = False
        self._bodies = bodies
        self._receive = receive
        self._complete = False

    async def receive(self) -> Message:
        if self._complete:
            return await self._receive()
        message = await self._bodies.awaited(self, self._receive)
        more = len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        self.received += more
        self._bodies.hold(self.received, more)
        return message


def _number(value: bytes) -> int:
    return int(value[:20]) if value.isdigit() else 0  # what is no number the server has refused
