"""`--json`: one document a verb, of the published shape, alone on standard output."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # it has no types

from mlops_core.cli import _parser
from mlops_core.commands.documents import DOCUMENTS, ELSEWHERE, command_line_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import Terminal
    from tests.promotion.desk import Desk

DOCS = Path(__file__).parents[2] / "docs"
FILE = DOCS / "schemas" / "command-line.json"
AGAIN = "python -m mlops_core.commands.documents > docs/schemas/command-line.json writes it again"


def closed(part: Any) -> Any:
    """The schema as a document of today meets it: no field that it does not name."""
    if isinstance(part, list):
        return [closed(one) for one in part]
    if not isinstance(part, dict):
        return part
    found = {key: closed(one) for key, one in part.items()}
    named = part.get("type") == "object" and "properties" in part
    return {"additionalProperties": False, **found} if named else found


@pytest.fixture(scope="module")
def strict() -> dict[str, Any]:
    """The published schema, closed."""
    found: dict[str, Any] = closed(json.loads(FILE.read_text()))
    return found


def meets(schema: dict[str, Any], verb: str, text: str) -> Any:
    """The one document in `text`, once it is seen to be as the schema of the verb has it."""
    document = json.loads(text)
    assert text.endswith("\n")
    Draft202012Validator({"$defs": schema["$defs"], **schema["properties"][verb]}).validate(document)
    return document


def test_the_published_schema_is_up_to_date() -> None:
    assert json.loads(FILE.read_text()) == command_line_schema(), AGAIN
    Draft202012Validator.check_schema(command_line_schema())


CHURN = [
    ("plan", "plan churn"),
    ("why", "why churn.gate"),
    ("features list", "features list churn"),
    ("features show", "features show churn recency_days"),
    ("features get", "features get churn --id 1 2"),
    ("features get", "features get churn --id 1 --at 2022-03-31"),
    ("features history", "features history churn"),
    ("features verify", "features verify churn --sample 5"),
    ("models list", "models list churn"),
    ("models show", "models show churn"),
    ("models compare", "models compare churn@1"),
    ("gate", "gate churn 1"),
    ("approvals", "approvals"),
    ("traffic", "traffic churn"),
    ("history", "history churn"),
    ("history --at", "history churn --at 2020-01-01"),
    ("evidence", "evidence churn"),
    ("registry verify", "registry verify churn --check"),
    ("gc", "gc"),
    ("predict", "predict churn --id 1 2"),
    ("export", "export churn --to yaml"),
    ("task list", "task list churn"),
]


@pytest.mark.parametrize(("verb", "words"), CHURN)
def test_what_a_verb_prints_has_the_published_shape(
    delivered: Terminal, strict: dict[str, Any], verb: str, words: str
) -> None:
    """On a real delivery; no field is missing and none is there that the schema does not name."""
    said = delivered(*words.split(), "--json")
    assert said.code == 0, said.err
    meets(strict, verb, said.out)


def test_a_run_and_what_it_stores_have_the_published_shape(
    delivered: Terminal, strict: dict[str, Any], tmp_path: Path
) -> None:
    """Of verbs that take events."""
    data = ("--data", str(delivered.events))
    run = delivered("run", "churn", *data, "--floor", "0.6", "--json")
    assert meets(strict, "run", run.out)["status"] == "already delivered"
    meets(strict, "features validate", delivered("features", "validate", "churn", *data, "--json").out)
    said = delivered("export", "churn", "--to", "airflow", "--into", str(tmp_path), "--json")
    assert [one["state"] for one in meets(strict, "export", said.out)["files"]] == ["written"]


def test_answers_have_the_published_shape(asking: Desk, fresh: Terminal, strict: dict[str, Any]) -> None:
    """Two questions, one of them refused and one consented to."""
    because = ("--reason", "seen", "--actor", "bo", "--json")
    for seed in (1, 2):
        asking.ask(asking.judged(seed))
    assert len(meets(strict, "approvals", fresh("approvals", "--json").out)) == 2
    said = fresh("reject", "asking_case:CHURN", "2", *because)
    assert meets(strict, "reject", said.out)["answer"] == "refused"
    said = fresh("approve", "asking_case:CHURN", "1", *because)
    assert meets(strict, "approve", said.out)["deed"]["production"] == 1
    assert meets(strict, "models list", fresh("models", "list", "churn", "--json").out)


def test_deeds_have_the_published_shape(desk: Desk, fresh: Terminal, strict: dict[str, Any]) -> None:
    """Two promotions, a trip back, and what was in Production meanwhile."""
    because = ("--reason", "seen", "--json")
    for number in (1, 2):
        desk.judged(number)
        done = meets(strict, "promote", fresh("promote", "churn", str(number), *because).out)
        assert (done["production"], done["previous"]) == (number, number - 1 or None)
    back = meets(strict, "rollback", fresh("rollback", "churn", *because).out)
    assert (back["production"], back["previous"]) == (1, 2)
    now = desk.standing.entries[-1].at.isoformat()
    assert meets(strict, "history --at", fresh("history", "churn", "--at", now, "--json").out)["production"]
    assert meets(strict, "history", fresh("history", "churn", "--json").out)[0]["number"] == 1


def test_an_error_stays_a_sentence(delivered: Terminal) -> None:
    """On standard error, and nothing on standard output that could be taken for a result."""
    said = delivered("models", "show", "churn@7", "--json")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("mlops: churn has no version @7")


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
    page = (DOCS / "command-line.md").read_text()
    found = {one.prog.removeprefix("mlops "): one for one in verbs(_parser([]))}
    described = {verb.partition(" --")[0] for verb in DOCUMENTS} | ELSEWHERE.keys()
    assert described == found.keys()
    assert {verb for verb in found if f"`mlops {verb}`" in page} == found.keys()
    without = {verb for verb, one in found.items() if "--json" not in one._option_string_actions}
    assert without == {"serve", "completion"}
    assert all("--quiet" in one._option_string_actions for one in found.values())
