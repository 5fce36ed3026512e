"""Names in the text of an error: quoted, and never more than a reader can use."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["listed"]


def listed(names: Collection[str], limit: int = 100) -> str:
    """`'a', 'b', 'c'`, at most `limit` of them, with how many were left out."""
    shown = ", ".join(repr(name) for name in islice(names, limit))
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit:,} more"
