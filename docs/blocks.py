"""The fenced blocks of a page, as CommonMark finds them, and where in the page they stand."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["SHELL", "Block", "blocks_of", "commands_of"]

SHELL = ("bash", "console", "sh")
_PROMPT = "$ "


@dataclass(frozen=True)
class Block:
    """One fenced block: `language` is its first word, `options` are what follows, such as title="my.yaml"."""

    page: str
    line: int
    section: str
    language: str
    code: str
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """As a person looks it up."""
        return f"{self.page}:{self.line}"

    @property
    def first(self) -> str:
        """The first line, by which lists name a block: it moves with it."""
        return self.code.strip().split("\n")[0]


def blocks_of(page: Path) -> Iterator[Block]:
    """Every block of a page, from its top, also those in lists and quotations."""
    section = ""
    tokens = MarkdownIt().parse(page.read_text(encoding="utf-8"))
    for before, token in zip([None, *tokens], tokens, strict=False):
        if before is not None and before.type == "heading_open":
            section = token.content
        if token.type == "fence":
            language, *rest = shlex.split(token.info) or [""]
            options = dict(word.partition("=")[::2] for word in rest)
            line = (token.map or [0])[0] + 1
            yield Block(page.name, line, section, language, token.content, options)


def commands_of(block: Block) -> list[list[str]]:
    """The words of each command that a block of a shell shows: continued lines joined, comments gone.

    In a `console` these are the lines behind a prompt; the others are what was printed.
    """
    text = block.code.replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines()]
    if block.language == "console":
        lines = [line.removeprefix(_PROMPT) for line in lines if line.startswith(_PROMPT)]
    return [words for line in lines for words in _split(line)]


def _split(line: str) -> Iterator[list[str]]:
    """The commands of a line, parted at && || | ; and &; assignments before a command are left out."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if word and set(word) <= set("&|;"):
            while words and re.fullmatch(r"[A-Za-z_]\w*=.*", words[0], re.DOTALL):
                words = words[1:]
            if words:
                yield words
            words = []
        else:
            words.append(word)
