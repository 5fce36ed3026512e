"""Command-line options made from a pydantic model: one field, one option."""

from __future__ import annotations

import argparse
import re
import sys
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn, get_args, get_origin

from mlops_core.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

__all__ = ["OptionParser", "add_options"]


class OptionParser(argparse.ArgumentParser):
    """An argument parser that raises `BadInput` with one sentence and suggests what may have been meant."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **(kwargs | {"allow_abbrev": False}))
        # Every verb's and the program's own, so that it may stand before the verb; what is not given is left
        # out, or a verb's default would undo it
        self.add_argument(
            "--quiet", action="store_true", default=argparse.SUPPRESS, help="no progress, no log but warnings"
        )

    def error(self, message: str) -> NoReturn:
        wrong = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)
        close = get_close_matches(wrong[1], re.findall(r"[\w-]+", wrong[2]), n=1) if wrong else []
        if close:
            message = f"{message.partition(' (choose from')[0]}: did you mean {close[0]!r}?"
        raise BadInput(f"{message} (see {self.prog} --help)")

    def verb(self, words: Sequence[str]) -> str:
        """The verb that the words name, such as "features verify"."""
        return _verb(self, words).prog.removeprefix(f"{self.prog} ")

    def parse(self, words: Sequence[str] | None) -> argparse.Namespace:
        """Parse all words; one that means nothing is refused with the nearest that would."""
        words = sys.argv[1:] if words is None else words
        found, unknown = self.parse_known_args(words)
        if unknown:
            verb = _verb(self, words)
            raise BadInput(f"unknown argument {unknown[0]!r}: {_hint(verb, unknown[0], words)}")
        return found


def add_options(parser: argparse.ArgumentParser, model: type[BaseModel]) -> None:
    """Add `--field-name` for every field; what is not given is left out: defaults stay the model's."""
    for name, field in model.model_fields.items():
        flag = f"--{name.replace('_', '-')}"
        text = (field.description or "").replace("%", "%%")
        common: dict[str, Any] = {"dest": name, "default": argparse.SUPPRESS, "help": text}
        if field.annotation is bool:
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, **common)
        elif get_origin(field.annotation) is tuple:
            choices = get_args(get_args(field.annotation)[0])
            metavar = "|".join(choices) if choices else "VALUE"
            parser.add_argument(flag, nargs="+", metavar=metavar, **common)
        else:
            parser.add_argument(flag, metavar=_metavar(field.annotation), **common)


def _metavar(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return "|".join(get_args(annotation))
    kinds = [kind for kind in (get_args(annotation) or (annotation,)) if kind is not type(None)]
    return {Path: "FILE", date: "YYYY-MM-DD", float: "NUMBER", int: "N"}.get(kinds[0], "VALUE")


def _verb(parser: argparse.ArgumentParser, words: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of the verb that the words name, down to its last sub-command."""
    # argparse keeps what it was given in such attributes only; they have been there since Python 2.7.
    choices = [one.choices for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
    for number, word in enumerate(words):
        for known in choices:
            if word in known:
                return _verb(known[word], words[number + 1 :])
    return parser


def _hint(verb: argparse.ArgumentParser, unknown: str, words: Sequence[str]) -> str:
    if not unknown.startswith("-") and "--reason" in words:
        return "put what --reason says in quotes, when it is several words"
    close = get_close_matches(unknown.partition("=")[0], list(verb._option_string_actions), n=1)
    return f"did you mean {close[0]}?" if close else f"see {verb.prog} --help"
