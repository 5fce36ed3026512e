"""How text stands in a GitHub workflow: YAML scalars, expressions that are none, ids of jobs."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "broken",
    "command_line",
    "comment",
    "expression",
    "job_ids",
    "literal",
    "meant",
    "scalar",
    "script",
]

_OPEN = "${{"
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_WORDS_OF_YAML = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}
_RESERVED = {"do", "done", "then", "else", "elif", "fi", "if", "for", "while", "until", "case", "esac", "in"}
_ID_LENGTH = 100


def scalar(text: str) -> str:
    """A YAML scalar on one line that is read as this text by any reader."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS_OF_YAML:
        return text
    plain = text.isprintable()  # what cannot be seen is escaped
    return yaml.safe_dump(text, default_style='"', allow_unicode=plain, width=float("inf")).rstrip("\n")


def literal(text: str) -> str:
    """The text where GitHub looks for expressions, so that it finds none of the text's own."""
    return text.replace(_OPEN, expression(f"'{_OPEN}'"))


def broken(text: str) -> str:
    """The text where GitHub allows no expression and people alone read it: with a space after the dollar."""
    return text.replace(_OPEN, "$ {{")


def expression(code: str) -> str:
    """An expression, evaluated by GitHub."""
    return f"${{{{ {code} }}}}"


def comment(text: str) -> str:
    """Text within a comment, which ends with the line: quoted where it is more than plain words."""
    seen = text.isprintable() and text == text.strip() and text and not text.startswith('"')
    return text if seen else scalar(text)


def script(lines: Sequence[str], indent: str) -> list[str]:
    """`run:` of a step: the lines of a shell script."""
    if all(line.isprintable() for line in lines):
        return [f"{indent}run: |", *(f"{indent}  {line}" for line in lines)]
    # A line break of another kind would end a line of a block.
    text = "".join(f"{line}\n" for line in lines)
    return [f"{indent}run: {scalar(text)}"]


def command_line(words: Sequence[str]) -> str:
    """A command as a line of a shell script, in which GitHub finds no expression."""
    # A word that holds ${{ is in single quotes: these are closed and opened again between $ and {{.
    return shlex.join(words).replace(_OPEN, "$''{{")


def meant(words: Sequence[str]) -> list[str]:
    """The line before a command with words that shellcheck takes for slips: names are meant as they are."""
    odd = any(word in _RESERVED or sign in word for word in words for sign in "$`\\")
    return ["# shellcheck disable=SC1003,SC1010,SC2016 # names are meant as they are"] if odd else []


def job_ids(names: Iterable[str]) -> dict[str, str]:
    """An id for each name: letters, digits, `-` and `_`, at most 100, unlike in more than case."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        base = re.sub(r"[^A-Za-z0-9_-]", "_", name)
        base = base if re.match("[A-Za-z_]", base) else f"_{base}"
        made, count = base[:_ID_LENGTH], 1
        while made.lower() in taken:
            count += 1
            made = f"{base[: _ID_LENGTH - len(str(count)) - 1]}-{count}"
        taken.add(made.lower())
        found[name] = made
    return found
