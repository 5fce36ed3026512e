"""What one check found."""

from __future__ import annotations

import re
from typing import Literal

from mlops_core.domain.value import Value

__all__ = ["Finding", "masked", "note", "ok", "problem"]


class Finding(Value):
    """What a check found: `ok`, a `note` (it works, and there is something to know) or a `problem`.

    `remedy` says what to do, where there is something to do; secrets of URLs are masked in both texts.
    """

    check: str
    state: Literal["ok", "note", "problem"]
    says: str
    remedy: str = ""


def ok(check: str, says: str) -> Finding:
    """It is as it should be."""
    return Finding(check=check, state="ok", says=masked(says))


def note(check: str, says: str, remedy: str = "") -> Finding:
    """It works, and there is something to know."""
    return Finding(check=check, state="note", says=masked(says), remedy=masked(remedy))


def problem(check: str, says: str, remedy: str = "") -> Finding:
    """It does not work, or will not where the settings want it; without a remedy `says` has it already."""
    return Finding(check=check, state="problem", says=masked(says), remedy=masked(remedy))


def masked(text: str) -> str:
    """The text with `***` for whatever may be a secret in a URL: user information, and what a query holds.

    A password may hold any sign but blanks and quotes, so what counts is the last @ of the word.
    """
    without_user = re.sub(r"([a-z][a-z0-9+.-]*://)[^\s'\"]*@", r"\1***@", text, flags=re.IGNORECASE)
    return re.sub(r"([a-z][a-z0-9+.-]*://[^\s'\"?]*\?)[^\s'\"]+", r"\1***", without_user, flags=re.IGNORECASE)
