"""docs/lineage.md: its tree, its picture and its events are what the code makes of the session it shows."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # it has no types

from mlops_core.adapters.reporter.descent import draw_descent
from mlops_core.cli import main
from mlops_core.commands.lineage_tree import tree_of
from mlops_core.domain.descent import Descent
from mlops_core.exporters import to_openlineage
from tests.descent.cases import version_of

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "lineage.md").read_text()
SESSION = Descent.model_validate_json((ROOT / "tests" / "descent" / "page.json").read_text())


def test_the_tree_is_the_one_of_the_session() -> None:
    """To the character."""
    lines = "\n".join(tree_of(SESSION))
    assert f"churn version 2, Production; times are UTC\n\n{lines}\n```" in PAGE


def test_the_picture_is_the_one_of_the_session() -> None:
    """As the evidence pack and the page of `--html` have it, made a file of its own by its namespace."""
    alone = '<svg xmlns="http://www.w3.org/2000/svg" '
    drawn = draw_descent(SESSION).replace("<svg ", alone, 1)
    assert (ROOT / "docs" / "lineage.svg").read_text() == f"{drawn}\n"


def test_the_events_are_those_of_the_session() -> None:
    """Their times, jobs and datasets; the version's own facts are not shown there."""
    events = to_openlineage(version_of(created_at=SESSION.nodes[4].at), SESSION)
    shown = [line.split() for line in re.findall(r"^20\d\d-\d\d-\d\dT.*$", PAGE, re.MULTILINE)]
    assert shown == [
        [event["eventTime"], event["job"]["name"], event["outputs"][0]["name"]] for event in events
    ]
    (facets,) = re.findall(r"^```json\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    promoted = next(event for event in events if event["job"]["name"] == "churn.promotion")
    assert json.loads(facets) == promoted["run"]["facets"]


def test_the_facets_that_the_page_names_are_those_of_the_schema() -> None:
    """And the schema is one."""
    schema = json.loads((ROOT / "docs" / "lineage.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    named = {word.removeprefix("mlops_") for word in re.findall(r"`(mlops_\w+)`", PAGE)}
    assert named == set(schema["$defs"]) - {"facet", "digest"}


def test_the_page_s_commands_are_understood(capsys: pytest.CaptureFixture[str]) -> None:
    """Every command that the page shows exists, with the options that it is shown with."""
    shown = re.findall(r"^\$ mlops (.*)$", PAGE, re.MULTILINE) + re.findall(r"`mlops ([a-z].*?)`", PAGE)
    commands = [shlex.split(line.partition("|")[0]) for line in shown]
    assert {words[0] for words in commands} == {"lineage"}
    with pytest.raises(SystemExit):  # argparse ends so after help
        main(["lineage", "--help"])
    said = capsys.readouterr().out
    for option in {word for words in commands for word in words if word.startswith("--")}:
        assert option in said
