"""Command-line options made from a pydantic model: one field, one option."""

from __future__ import annotations

import argparse
import re
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, get_args, get_origin

from mlops_core.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

__all__ = ["OptionParser", "add_options"]


class OptionParser(argparse.ArgumentParser):
    """An argument parser that raises `BadInput` with one sentence and suggests what may have been meant."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **(kwargs | {"allow_abbrev": False}))

    def error(self, message: str) -> NoReturn:
        wrong = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)
        close = get_close_matches(wrong[1], re.findall(r"[\w-]+", wrong[2]), n=1) if wrong else []
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise BadInput(f"{message} {hint}(see {self.prog} --help)")

    def parse(self, words: Sequence[str] | None) -> argparse.Namespace:
        """Parse all words; one that means nothing is refused with the nearest that would."""
        found, unknown = self.parse_known_args(words)
        if unknown:
            choices = _all_options(self)
            close = get_close_matches(unknown[0].partition("=")[0], choices, n=1)
            hint = f"did you mean {close[0]}?" if close else f"see {self.prog} --help"
            raise BadInput(f"unknown argument {unknown[0]!r}: {hint}")
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
    kinds = [kind for kind in (get_args(annotation) or (annotation,)) if kind is not type(None)]
    return {Path: "FILE", date: "YYYY-MM-DD", float: "NUMBER", int: "N"}.get(kinds[0], "VALUE")


def _all_options(parser: argparse.ArgumentParser) -> list[str]:
    # argparse keeps its options in this attribute only; it has been there since Python 2.7.
    options = list(parser._option_string_actions)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                options += _all_options(child)
    return options
