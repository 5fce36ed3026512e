"""What commands print."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

__all__ = ["aside", "moment", "one_line", "print_json", "print_table", "say", "warn"]

_away: ContextVar[Callable[[], AbstractContextManager[object]]] = ContextVar("away", default=nullcontext)


@contextmanager
def aside(away: Callable[[], AbstractContextManager[object]]) -> Iterator[None]:
    """Have all that is said meanwhile be said in an `away()`: a display leaves the terminal for it."""
    token = _away.set(away)
    try:
        yield
    finally:
        _away.reset(token)


def say(text: str) -> None:
    """A line (or several) for the person at the terminal."""
    with _away.get()():
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def warn(text: str) -> None:
    """The same on standard error: progress, and what went wrong."""
    sys.stderr.write(f"{text}\n")


def moment(at: datetime) -> str:
    """An instant to the second, as people read it."""
    return f"{at:%Y-%m-%d %H:%M:%S}"


def one_line(text: str, longest: int | None = None) -> str:
    """What somebody wrote, as one line that cannot steer a terminal, cut where it is longer than that."""
    line = "".join(sign if sign.isprintable() else "?" for sign in " ".join(text.split()))
    return line if longest is None or len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def print_json(value: Any) -> None:
    """One JSON document, indented, keys in the order given."""
    say(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Left-aligned columns, as wide as their widest cell."""
    lines = [heads, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
