"""Every request, from outside: its id, its time, its line in the log, and an answer whatever broke."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from typing import TYPE_CHECKING

from mlops_core.serving.account import ACCOUNT, Account, request_id
from mlops_core.serving.guard import HEALTH
from mlops_core.serving.problem import broken, problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from mlops_core.serving.drain import Drain
    from mlops_core.serving.metrics import ServerMetrics

__all__ = ["Observer"]

_LOG = logging.getLogger(__name__)
_ACCESS = logging.getLogger("mlops_core.serving.access")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_QUIET = HEALTH | {"/metrics"}


class Observer:
    """ASGI middleware, the outermost: keeps an `Account` of each request and hands it to metrics and log."""

    def __init__(
        self, app: ASGIApp, *, template: Callable[[str], str], metrics: ServerMetrics, drain: Drain
    ) -> None:
        self._app = app
        self._template = template
        self._metrics = metrics
        self._drain = drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and keep what came of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        account = self._account(scope)
        ACCOUNT.set(account)  # a server runs each request in a context of its own
        self._metrics.under_way += 1
        began = time.perf_counter()
        try:
            await self._answer(account, scope, receive, send)
        finally:
            seconds = time.perf_counter() - began
            self._metrics.under_way -= 1
            self._metrics.count(account, seconds)
            if scope["path"] not in _QUIET:
                _tell(account, seconds)

    def _account(self, scope: Scope) -> Account:
        method = scope["method"]
        return Account(
            id=request_id(scope["headers"]),
            method=method if method in _METHODS else "other",
            route=self._template(scope["path"]),
        )

    async def _answer(self, account: Account, scope: Scope, receive: Receive, send: Send) -> None:
        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                account.status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", account.id.encode())]
                if self._drain.began:
                    message["headers"].append((b"connection", b"close"))  # the caller comes back elsewhere
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception as error:  # an engine's own: the caller is told no more than that
            _LOG.error("a request failed: %s", _where(error))
            if account.status is not None:
                raise RuntimeError("the answer broke off") from None
            await broken()(scope, receive, noted)
        except asyncio.CancelledError:  # the server stops, and this took longer than it waits
            if account.status is not None:
                raise
            stopped = problem(503, "the server stopped before it had an answer; ask another")
            await stopped(scope, receive, noted)


def _tell(account: Account, seconds: float) -> None:
    if not _ACCESS.isEnabledFor(logging.INFO):
        return
    status = account.status if account.status is not None else "unanswered"
    milliseconds = round(seconds * 1000, 2)
    fields: dict[str, object] = {
        "method": account.method,
        "route": account.route,
        "status": account.status,
        "ms": milliseconds,
        "request_id": account.id,
    }
    text = f"{account.method} {account.route or '(no such address)'} {status} {milliseconds} ms"
    if account.answer is not None:
        release, rows = account.answer.by.release, len(account.answer.scores)
        fields |= {"rows": rows, "version": release.version, "digest": release.digest}
        text += f", rows {rows}, version {release.version} {release.digest[:12]}"
    text += f", request {account.id}"
    # What `info` does, but for finding its caller's line in the source: a third of what a line costs
    record = logging.LogRecord(_ACCESS.name, logging.INFO, "", 0, text, None, None)
    record.__dict__["fields"] = fields
    _ACCESS.handle(record)


def _where(error: BaseException) -> str:
    """What kind of error, through which lines of code; not its message, which may quote a caller's values."""
    chain = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None and cause not in chain:
        chain.append(cause)
    kinds = ", from ".join(type(one).__name__ for one in chain)
    return f"{kinds}\n{''.join(traceback.format_tb(error.__traceback__))}".rstrip()
