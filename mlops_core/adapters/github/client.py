"""Requests to GitHub's REST API, with HTTP's own retries and no others.

A limit of requests and a connection that was never made are waited out: nothing was done. Reading is asked
again after any failure of the line or the server. For writing that would be a guess, since the answer may
have been lost and not the request: it is left to who asked, as `AnswerLost`, to look first.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from mlops_core.adapters.github.errors import BROKEN, AnswerLost, refusal, said_by, wanted_pause
from mlops_core.errors import BadInput, MlopsError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType
    from typing import Self

    from mlops_core.adapters.github.errors import Purpose

__all__ = ["Client"]

_ATTEMPTS = 4
_LONGEST_PAUSE = 60.0
_PATIENCE = 120.0  # seconds waited in all
_SECONDS = httpx.Timeout(30.0, connect=10.0)
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_UNKNOWN = ". Whether it was done is not known: run the same again, which looks first"
_PAGE = 100
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_HEADERS = {
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
    "User-Agent": "mlops-core",
}


class Client:
    """One repository, for the length of `with`. `pause` waits for so many seconds."""

    def __init__(self, *, api: str, repository: str, token: str, pause: Callable[[float], None]) -> None:
        self._repository, self._token, self._pause = repository, _usable(token), pause
        self._left = _PATIENCE
        try:
            parts = urlsplit(api)
            if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
                raise BadInput(
                    "the token is sent over https alone: give an API that has it as MLOPS_GITHUB_API"
                )
            self._http = httpx.Client(
                base_url=f"{api.rstrip('/')}/repos/{repository}",
                headers=_HEADERS,
                timeout=_SECONDS,
                verify=parts.scheme == "https",  # else no certificates are read, which takes its time
                follow_redirects=False,  # the token goes where it was meant to go
            )
        except (ValueError, httpx.InvalidURL) as error:
            if isinstance(error, BadInput):
                raise
            raise BadInput("MLOPS_GITHUB_API is no URL: give one such as https://api.github.com") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def read(self, path: str, purpose: Purpose, **query: str | int) -> Any:
        """What is there, as JSON."""
        return self._json(self._answer("GET", path, purpose, query=query), purpose)

    def pages(self, path: str, purpose: Purpose, **query: str | int) -> Iterator[Any]:
        """What is there, page after page.

        The next one is asked for by its number: the address that GitHub gives with a page may be anybody's.
        """
        page, more = 1, True
        while more:
            answer = self._answer("GET", path, purpose, query={**query, "per_page": _PAGE, "page": page})
            yield self._json(answer, purpose)
            page, more = page + 1, "next" in answer.links

    def write(self, method: str, path: str, purpose: Purpose, body: Mapping[str, Any]) -> Any:
        """Do something; the answer as JSON, None where it has none. Raises `AnswerLost`."""
        return self._json(self._answer(method, path, purpose, body=body), purpose)

    def _json(self, response: httpx.Response, purpose: Purpose) -> Any:
        if response.status_code == 204:
            return None
        try:
            return response.json()
        except ValueError as error:
            raise MlopsError(
                f"GitHub, asked about {purpose.what} of {self._repository}, answered {response.status_code} "
                "without JSON: see that the API is the one meant (MLOPS_GITHUB_API)"
            ) from error

    def _answer(
        self,
        method: str,
        path: str,
        purpose: Purpose,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        """The answer, when it is a good one."""
        for attempt in range(_ATTEMPTS):
            try:
                request = self._http.build_request(method, path, params=query, json=body)
                response = self._sent(request)
            except httpx.RequestError as error:
                trouble = f"GitHub at {self._http.base_url.host} does not answer about {purpose.what}: " + (
                    self._hidden(f"{type(error).__name__}: {error}")
                )
                if method != "GET" and not isinstance(error, _NEVER_SENT):
                    raise AnswerLost(f"{trouble}{_UNKNOWN}") from error
                self._wait(attempt, None, trouble, error)
                continue
            if response.is_success:
                return response
            said = self._hidden(said_by(response))
            pause = wanted_pause(response)
            if pause is None and response.status_code not in BROKEN:
                raise refusal(response, said, self._repository, purpose)
            trouble = f"GitHub, asked about {purpose.what} of {self._repository}, said {said!r}"
            if pause is None and method != "GET":
                raise AnswerLost(f"{trouble}{_UNKNOWN}")
            self._wait(attempt, pause, trouble, None)
        raise AssertionError("the last attempt ends in an answer or an error")

    def _sent(self, request: httpx.Request) -> httpx.Response:
        request.headers["Authorization"] = f"Bearer {self._token}"
        try:
            return self._http.send(request)
        finally:
            del request.headers["Authorization"]  # errors and answers keep their request, and are kept

    def _wait(self, attempt: int, pause: float | None, trouble: str, error: Exception | None) -> None:
        """Wait for the next attempt. Raises `Unavailable` where there is none, or it would come too late."""
        seconds = float(2**attempt) if pause is None else pause
        if attempt + 1 == _ATTEMPTS or seconds > min(_LONGEST_PAUSE, self._left):
            asks = "" if pause is None else f", to be asked again in {seconds:.0f} s"
            raise Unavailable(f"{trouble}{asks}: run the same again later") from error
        self._left -= seconds
        self._pause(seconds)

    def _hidden(self, text: str) -> str:
        return text.replace(self._token, "***")


def _usable(token: str) -> str:
    if not re.fullmatch(r"[!-~]+", token):
        raise BadInput(
            "GitHub wants a token: put one that may write deployments and actions into GITHUB_TOKEN or "
            "GH_TOKEN, as one word"
        )
    return token
