"""Python source as a person would have it formatted: what exporters that write Python share."""

from __future__ import annotations

from typing import Any

__all__ = ["WIDTH", "Code", "literal"]

WIDTH = 110
"""Characters of a line, where it can be broken."""


class Code(str):
    """Source that stands for itself, not for a text."""

    __slots__ = ()


def literal(value: Any) -> str:
    """A value's source on one line, with double quotes where they need no backslash."""
    if isinstance(value, Code):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    found = repr(value)
    if isinstance(value, str) and found.startswith("'") and '"' not in value:
        return f'"{found[1:-1]}"'
    return found
