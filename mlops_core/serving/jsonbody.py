"""What a body may be: JSON, of a bounded size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["JsonBody"]


class JsonBody:
    """ASGI middleware by which every body is read as JSON, and refused with 413 beyond `limit` bytes.

    The content type is set aside: tritonclient sends none and `curl -d` a wrong one. The bytes are counted as
    they come, whatever length was declared.
    """

    def __init__(self, app: ASGIApp, *, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, without its content type and counting what comes in."""
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._limit:
                raise HTTPException(413, f"a body has {self._limit:,} bytes at most; send fewer rows at once")
            return message

        if scope["type"] == "http":
            kept = [(name, value) for name, value in scope["headers"] if name != b"content-type"]
            scope = {**scope, "headers": kept}
        await self._app(scope, counted, send)
