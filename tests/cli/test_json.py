"""`--json`: each verb has it, the page says what it prints, and its shape is published.

What verbs really print is held against that by `meets` where they are tested, and by test_json_live.py.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # it has no types

from mlops_core.cli import _parser
from mlops_core.commands.documents import DOCUMENTS, ELSEWHERE, command_line_schema
from tests.cli.published import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Iterator

AGAIN = "python -m mlops_core.commands.documents > docs/schemas/command-line.json writes it again"


def test_the_published_schema_is_up_to_date() -> None:
    assert json.loads(SCHEMAS.read_text()) == command_line_schema(), AGAIN
    Draft202012Validator.check_schema(command_line_schema())


def verbs(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parsers of all verbs, down to the last sub-command."""
    below = [one.choices for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
    if not below:
        yield parser
    for choices in below:
        for one in dict.fromkeys(choices.values()):
            yield from verbs(one)


def test_every_verb_stands_on_the_page_and_says_what_its_json_is() -> None:
    """And has `--json`, unless it prints no result; nothing else is on the page."""
    page = (SCHEMAS.parents[1] / "command-line.md").read_text()
    found = {one.prog.removeprefix("mlops "): one for one in verbs(_parser([]))}
    described = {verb.partition(" --")[0] for verb in DOCUMENTS} | ELSEWHERE.keys()
    assert described == found.keys()
    assert {verb for verb in found if f"`mlops {verb}`" in page} == found.keys()
    without = {verb for verb, one in found.items() if "--json" not in one._option_string_actions}
    assert without == {"serve", "completion"}
    assert all("--quiet" in one._option_string_actions for one in found.values())
