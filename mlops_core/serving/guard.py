"""Who may ask, how often, and how many at once: decided before anything of a request is read."""

from __future__ import annotations

import hmac
import logging
import math
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING

from mlops_core.serving.problem import problem
from mlops_core.serving.rate import RateLimit, caller_of

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from mlops_core.target_settings import ServerSettings

__all__ = ["HEALTH", "Admission", "Guard", "admission_by"]

_LOG = logging.getLogger(__name__)
HEALTH = frozenset({"/v2/health/live", "/v2/health/ready", "/ping"})
_LIGHT = frozenset({"/metrics"})  # asked most when the server is busiest


@dataclass(frozen=True, kw_only=True)
class Admission:
    """What a server lets in.

    `token` is what callers must know, `rate` the requests a second of one address, `max_body` the bytes of a
    body, and `max_requests` how many requests may be under way at once. That last is by default five times
    the 40 threads for what takes long: who waits behind more is better told at once to come back.
    """

    token: str | None = field(default=None, repr=False)
    rate: float | None = None
    max_body: int = 8 * 2**20
    max_requests: int = 200

    def warn_of(self, host: str) -> None:
        """Log that everybody may ask, where others than this machine reach `host` and there is no token."""
        if self.token is None and not _loopback(host):
            _LOG.warning(
                "everyone who reaches %s may ask this server: set MLOPS_TOKEN to a secret of your callers",
                host,
            )


def admission_by(settings: ServerSettings) -> Admission:
    """What the settings of a server say about who may ask."""
    return Admission(
        token=settings.token.get_secret_value() if settings.token is not None else None,
        rate=settings.rate_limit,
        max_body=settings.max_body,
        max_requests=settings.max_requests,
    )


class Guard:
    """ASGI middleware that answers 401, 429 and 503 in the app's place; health is open to all.

    The rate goes by the peer's address, and before the token, so that nobody guesses tokens faster. What a
    proxy says of whom it asks for is not believed, for callers can write it themselves.
    """

    def __init__(self, app: ASGIApp, *, admission: Admission) -> None:
        self._app = app
        self._token = admission.token.encode() if admission.token is not None else None
        self._rate = RateLimit(admission.rate) if admission.rate is not None else None
        self._most = admission.max_requests
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http" or scope["path"] in HEALTH:
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        self._under_way += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._under_way -= 1

    def _refusal(self, scope: Scope) -> Response | None:
        if self._rate is not None:
            wait = self._rate.wait(caller_of((scope.get("client") or ("",))[0]))
            if wait:
                return _later(429, "too many requests from this address; ask less often", wait)
        if self._token is not None and not _knows(scope, self._token):
            return problem(
                401,
                "this server wants `Authorization: Bearer TOKEN`, with the token that it was started with",
                {"WWW-Authenticate": "Bearer"},
            )
        if self._under_way >= self._most and scope["path"] not in _LIGHT:
            return _later(503, "too many requests are under way; try again", 1)
        return None


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _later(status: int, message: str, seconds: float) -> Response:
    return problem(status, message, {"Retry-After": str(math.ceil(seconds))})


def _knows(scope: Scope, token: bytes) -> bool:
    """Whether the one `Authorization` holds the token; compared in a time that says nothing of it.

    Where a way to the server keeps that header for itself, as the proxy of Kubernetes' API server does,
    `X-Mlops-Token` holds the token alone.
    """
    said = [value for name, value in scope["headers"] if name == b"authorization"]
    aside = [value for name, value in scope["headers"] if name == b"x-mlops-token"]
    if len(said) + len(aside) != 1:
        return False
    if aside:
        return hmac.compare_digest(aside[0].strip(), token)
    scheme, _, given = said[0].partition(b" ")
    return hmac.compare_digest(given.strip(), token) and scheme.lower() == b"bearer"
