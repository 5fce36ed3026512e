"""Python source as a person would have it formatted: double quotes, one argument a line."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any

from mlops_core.exporters.python_source import WIDTH, Code, literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import timedelta

__all__ = ["Verbatim", "call", "command_source", "docstring", "duration"]


class Verbatim(str):
    """A paragraph that is not wrapped."""

    __slots__ = ()


def call(name: str, arguments: Mapping[str, Any], *first: Any) -> Iterator[str]:
    """The lines of a call, an argument on each; `first` are those without a name."""
    yield f"{name}("
    yield from (f"    {literal(value)}," for value in first)
    yield from (f"    {argument}={literal(value)}," for argument, value in arguments.items())
    yield ")"


def docstring(paragraphs: Iterable[str]) -> str:
    """A module's docstring; a paragraph that begins with a dash is an item of a list."""
    lines: list[str] = []
    for one in paragraphs:
        indent = "  " if one.startswith("- ") else ""
        lines += [one] if isinstance(one, Verbatim) else wrap(one, WIDTH, subsequent_indent=indent) or [""]
    text = "\n".join(lines).replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f'"""{text}\n"""'


def duration(value: timedelta) -> Code:
    """Such as timedelta(days=7)."""
    parts = {"days": value.days, "seconds": value.seconds, "microseconds": value.microseconds}
    told = ", ".join(f"{name}={number}" for name, number in parts.items() if number)
    return Code(f"timedelta({told})")


def command_source(command: str) -> Code:
    """A command's source, after what each of them begins with."""
    line = f"BEGIN + {literal(_untemplated(command))}"
    return Code(
        line if len(line) <= WIDTH - len("        bash_command=,") else line.replace(" ", "\n        ", 1)
    )


def _untemplated(text: str) -> str:
    """Text that Airflow's templates leave as it is: an opening brace of theirs is itself made by one."""
    return text.replace("{", "{{ '{' }}") if any(sign in text for sign in ("{{", "{%", "{#")) else text
