"""GitHub's refusals as ours: what it said, and what to do; and how long it wants to be left alone."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from mlops_core.errors import BadInput, MlopsError, NotFound, Unavailable

if TYPE_CHECKING:
    import httpx

__all__ = ["BROKEN", "SEE_REF", "AnswerLost", "Purpose", "refusal", "said_by", "wanted_pause"]

BROKEN = (500, 502, 503, 504)
"""Statuses of a GitHub that is ill: whether it did what was asked is not known."""

SEE_REF = "see that the branch (MLOPS_GITHUB_REF) is there, with a deliver.yml that takes what is sent"
"""Advice for what rests on the branch that is delivered from."""

_LONGEST = 200  # letters of what a server says that go into a message
_A_MINUTE = 60.0  # "wait for at least one minute", where a limit says nothing more


class AnswerLost(Unavailable):
    """Something was asked that may have been done or not: look, before it is asked again."""


class Purpose(NamedTuple):
    """What a request is about, the permission that a token needs for it, and what to do if it is refused."""

    what: str
    permission: str
    advice: str = ""


def said_by(response: httpx.Response) -> str:
    """What GitHub says in an answer, in one line."""
    try:
        found: Any = response.json()
    except ValueError:
        found = None
    words = str(found.get("message", "")) if isinstance(found, dict) else ""
    words = " ".join("".join(sign if sign.isprintable() else " " for sign in words).split())
    return f"{response.status_code} {words or response.reason_phrase}"[:_LONGEST]


def wanted_pause(response: httpx.Response) -> float | None:
    """Seconds to wait by GitHub's limits, which count requests; None for any other answer.

    https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
    """
    if response.status_code not in (403, 429):
        return None
    after = response.headers.get("retry-after", "")
    if after.isdecimal():
        return float(after)
    if response.headers.get("x-ratelimit-remaining") == "0":
        reset = response.headers.get("x-ratelimit-reset", "")
        return max(1.0, math.ceil(int(reset) - time.time())) if reset.isdecimal() else _A_MINUTE
    if response.status_code == 429 or "rate limit" in said_by(response).lower():
        return _A_MINUTE
    return None


def refusal(response: httpx.Response, said: str, repository: str, purpose: Purpose) -> MlopsError:
    """The error for an answer that is none of those hoped for; `said` is what GitHub said in it."""
    what = f"GitHub, asked about {purpose.what} of {repository}, said {said!r}"
    match response.status_code:
        case 401:
            return BadInput(
                f"{what}: it does not know the token. Put one that holds into GITHUB_TOKEN or GH_TOKEN"
            )
        case 403:
            return BadInput(f"{what}: the token needs the permission {purpose.permission}")
        case 404 | 410:
            return NotFound(
                f"{what}: it is not there, or the token may not see it. Check OWNER/NAME "
                f"(MLOPS_GITHUB_REPOSITORY), and that the token has {purpose.permission}"
            )
        case 301 | 302 | 307 | 308:
            return NotFound(
                f"{what}: it has moved. Give its present OWNER/NAME as MLOPS_GITHUB_REPOSITORY; the token is "
                "sent nowhere else"
            )
        case 400 | 409 | 422:
            return BadInput(f"{what}: {purpose.advice}" if purpose.advice else what)
        case _:
            return MlopsError(what)
