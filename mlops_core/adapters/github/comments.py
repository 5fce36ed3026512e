"""One comment of a pull request, written once and then kept up to date."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlops_core.adapters.github.answers import Comment, parsed
from mlops_core.adapters.github.errors import Purpose
from mlops_core.errors import BadInput

if TYPE_CHECKING:
    from mlops_core.adapters.github.client import Client

__all__ = ["write_comment"]

_LONGEST = 65_536  # letters that GitHub takes
_CUT = "\n\n…\n\nThe rest is cut: GitHub takes no longer comments. The run has the whole text."


def write_comment(github: Client, pull: int, mark: str, text: str, *, by_bot: bool) -> str:
    """Write the comment that `mark` names, or write it anew; returns its address.

    It is found by a line that is not shown. With `by_bot` only among what programs wrote: anybody may put
    that line into a comment of their own, and could change ours there afterwards.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", mark):
        raise BadInput(f"{mark!r} is no mark: give letters, digits, '.', '_' and '-', such as churn-metrics")
    line = f"<!-- mlops:{mark} -->"
    body = f"{line}\n{text}"
    if _length(body) > _LONGEST:
        body = f"{_beginning(body, _LONGEST - _length(_CUT))}{_CUT}"
    purpose = Purpose(f"the comments of pull request {pull}", "pull-requests: write")
    there = _found(github, pull, line, purpose, by_bot=by_bot)
    if there is not None and there.body == body:
        return there.html_url
    if there is not None:
        answer = github.write("PATCH", f"/issues/comments/{there.id}", purpose, {"body": body})
    else:
        answer = github.write("POST", f"/issues/{pull}/comments", purpose, {"body": body})
    return parsed(Comment, answer, purpose.what).html_url


def _found(github: Client, pull: int, line: str, purpose: Purpose, *, by_bot: bool) -> Comment | None:
    for page in github.pages(f"/issues/{pull}/comments", purpose):
        for one in parsed(tuple[Comment, ...], page, purpose.what):
            ours = not by_bot or (one.user is not None and one.user.type == "Bot")
            if ours and (one.body or "").splitlines()[:1] == [line]:
                return one
    return None


def _length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2  # as JavaScript counts, the stricter way


def _beginning(text: str, units: int) -> str:
    return text.encode("utf-16-le")[: 2 * units].decode("utf-16-le", errors="ignore")
