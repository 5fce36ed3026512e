"""Python as ruff would format it: literals, calls with an argument a line, docstrings."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any

from mlops_core.exporters.python_source import WIDTH, Code, literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["call", "docstring"]


def call(name: str, arguments: Mapping[str, Any], depth: int) -> str:
    """A call and the comma after it, `depth` spaces from the left."""
    lines = [f"{name}("]
    for argument, value in arguments.items():
        line = f"    {argument}={literal(value)},"
        if isinstance(value, list) and depth + len(line) > WIDTH:
            line = "\n".join([f"    {argument}=[", *(f"        {literal(one)}," for one in value), "    ],"])
        lines += line.split("\n")
    return "\n".join(" " * depth + line for line in [*lines, "),"])


def docstring(paragraphs: Iterable[str], depth: int) -> str:
    """What stands between the quotes of a docstring: each paragraph wrapped, empty ones as empty lines.

    A paragraph that begins with a dash goes on further to the right, so does an argument, which begins with
    spaces. A `Code` is left as it is.
    """
    lines = []
    for paragraph in paragraphs:
        if isinstance(paragraph, Code):
            lines.append(str(paragraph))
            continue
        left = " " * (len(paragraph) - len(paragraph.lstrip(" ")))
        more = left + "    " if left else "  " if paragraph.startswith("- ") else ""
        lines += wrap(
            paragraph.strip(),
            WIDTH - depth,
            initial_indent=left,
            subsequent_indent=more,
            break_on_hyphens=False,
            break_long_words=False,
        ) or [""]
    text = f"\n{' ' * depth}".join(lines).replace(f"\n{' ' * depth}\n", "\n\n")
    return "".join(map(_escaped, text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"'))).rstrip()


def _escaped(sign: str) -> str:
    return sign if sign.isprintable() or sign == "\n" else repr(sign)[1:-1]
