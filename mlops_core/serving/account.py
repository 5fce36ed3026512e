"""What is kept of one request for the metrics and the log: never an id, a value or an address."""

from __future__ import annotations

import os
import re
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlops_core.serving.arms import Answer

__all__ = ["ACCOUNT", "Account", "answered", "request_id"]

_SANE = re.compile(rb"[A-Za-z0-9._-]{1,64}")


@dataclass(slots=True, kw_only=True)
class Account:
    """One request: its own `id`, what was asked (`route` is a template), and how it went.

    `status` is None until an answer begins, and stays it where none did; `answer` is None for what is no
    prediction, and for a prediction that failed.
    """

    id: str
    method: str
    route: str
    status: int | None = None
    answer: Answer[Any] | None = None


# Of the request that this task, or a thread that works for it, is at: handlers know nothing of accounts.
ACCOUNT: ContextVar[Account] = ContextVar("mlops_account")


def answered(answer: Answer[Any]) -> None:
    """Say what the request under way was answered; outside of one it is nobody's."""
    account = ACCOUNT.get(None)
    if account is not None:
        account.answer = answer


def request_id(headers: list[tuple[bytes, bytes]]) -> str:
    """The caller's `X-Request-Id` where it is a short word, else a new one."""
    for name, value in headers:
        if name == b"x-request-id" and _SANE.fullmatch(value):
            return value.decode()
    return os.urandom(16).hex()
