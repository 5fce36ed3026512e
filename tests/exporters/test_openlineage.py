"""Run events against what OpenLineage asks, and against the descent that they tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # it has no types

from mlops_core.descent import (
    descent_of,
    descent_with_events,
    descent_with_history,
    descent_with_target,
)
from mlops_core.domain.ledger import Decided
from mlops_core.evidence import consent_of
from mlops_core.exporters import to_openlineage
from mlops_core.promotion.grounds import Grounds
from tests.descent.cases import (
    REGISTERED,
    SOURCES,
    decision_on,
    history_version,
    long_life,
    question_on,
    standing_after,
    version_before_there_was_much,
    version_of,
)

if TYPE_CHECKING:
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.standing import Standing

HERE = Path(__file__).parent
SPECIFICATION = json.loads((HERE / "openlineage_2_0_2.json").read_text())
OWN = json.loads((HERE.parents[1] / "docs" / "lineage.schema.json").read_text())
VERSION = version_of(SOURCES, features=12)
ASKED = decision_on(VERSION)
STANDINGS = {
    "long life": (VERSION, long_life(VERSION)),
    "asked": (
        VERSION,
        standing_after((2, REGISTERED), (2, Decided(decision=ASKED)), (2, question_on(ASKED))),
    ),
    "old": (version_before_there_was_much(), long_life(version_before_there_was_much())),
    "not in the ledger": (VERSION, standing_after((1, REGISTERED))),
}
CASES = pytest.mark.parametrize(("version", "standing"), STANDINGS.values(), ids=STANDINGS.keys())


def events_of(version: ModelVersion, standing: Standing) -> list[dict[str, Any]]:
    """As the command prints them."""
    grounds = Grounds.of(standing, version.number)
    descent = descent_of(version, grounds.decision, consent_of(grounds.request))
    descent = descent_with_events(
        descent_with_history(descent, standing), {"calls": history_version("calls")}
    )
    made: list[dict[str, Any]] = json.loads(
        json.dumps(to_openlineage(version, descent_with_target(descent, None, None)))
    )
    return made


@CASES
def test_events_are_what_the_specification_asks(version: ModelVersion, standing: Standing) -> None:
    """Times, ids and every facet, with no field that the specification does not name."""
    referee = Draft202012Validator(SPECIFICATION, format_checker=Draft202012Validator.FORMAT_CHECKER)
    for event in events_of(version, standing):
        assert [error.message for error in referee.iter_errors(event)] == []


def test_the_referee_refuses_what_the_specification_does() -> None:
    """A time without a day, an id that is none, a facet without its schema."""
    referee = Draft202012Validator(SPECIFICATION, format_checker=Draft202012Validator.FORMAT_CHECKER)
    for change in (
        {"eventTime": "noon"},
        {"run": {"runId": "r1"}},
        {"eventType": "DONE"},
        {"producer": "me"},
    ):
        assert list(referee.iter_errors(events_of(*STANDINGS["old"])[0] | change))
    bare = events_of(*STANDINGS["old"])[0]
    del bare["outputs"][0]["facets"]["version"]["_schemaURL"]
    assert list(referee.iter_errors(bare))


@CASES
def test_our_own_facets_are_what_their_schema_says(version: ModelVersion, standing: Standing) -> None:
    """docs/lineage.schema.json has a definition for each, under the name in its address."""
    for event in events_of(version, standing):
        for name, facet in event["run"]["facets"].items():
            if name.startswith("mlops_"):
                address, _, place = facet["_schemaURL"].partition("#")
                assert (address, place) == (OWN["$id"], f"/$defs/{name.removeprefix('mlops_')}")
                errors = Draft202012Validator({**OWN, "$ref": f"#{place}"}).iter_errors(facet)
                assert [error.message for error in errors] == []


@CASES
def test_every_input_is_an_event_or_was_made_before(version: ModelVersion, standing: Standing) -> None:
    """So that a catalogue draws one graph: name and version are those that it was made with."""
    made: set[tuple[str, str, str]] = set()
    for event in events_of(version, standing):
        assert event["inputs"]
        for one in event["inputs"]:
            if not one["name"].startswith("churn/events/"):
                assert place(one) in made
        made |= {place(one) for one in event["outputs"]}


def place(dataset: dict[str, Any]) -> tuple[str, str, str]:
    """What tells a dataset from others."""
    version = dataset["facets"].get("version", {"datasetVersion": ""})
    return dataset["namespace"], dataset["name"], version["datasetVersion"]


def test_ids_come_from_digests() -> None:
    """The same descent has the same ids, no two events share one, another model has others."""
    first, again = events_of(*STANDINGS["long life"]), events_of(*STANDINGS["long life"])
    assert first == again
    ids = [event["run"]["runId"] for event in first]
    assert len(set(ids)) == len(ids)
    assert {UUID(one).version for one in ids} == {5}
    other = version_of(SOURCES, features=12, digest="f" * 64)
    others = [event["run"]["runId"] for event in events_of(other, long_life(other))]
    assert not {*ids} & {*others}


def test_the_long_life_is_all_there() -> None:
    """One event a thing, in order, the newest facts in facets of our own."""
    events = events_of(*STANDINGS["long life"])
    assert [event["job"]["name"].removeprefix("churn.") for event in events] == [
        *("features", "training_set", "run", "version"),
        *("decision", "promotion", "release"),
        *("decision", "approval", "promotion", "release"),
    ]
    assert {event["eventType"] for event in events} == {"COMPLETE"}
    assert [event["eventTime"] for event in events] == sorted(event["eventTime"] for event in events)
    promoted = events[5]["run"]["facets"]["mlops_promotion"]
    assert promoted["waived"] == "drift, one_order"
    assert promoted["rolledBack"].startswith("to version 1 by ben")
    engine = events[2]["run"]["facets"]["processing_engine"]
    assert (engine["name"], engine["version"]) == ("scikit-learn", "1.9.1")
    assert events[2]["job"]["facets"]["sourceCodeLocation"]["version"] == VERSION.lineage.git_commit


def test_a_question_without_an_answer_is_still_running() -> None:
    """Nothing is complete before a person said something."""
    events = events_of(*STANDINGS["asked"])
    assert [event["eventType"] for event in events if event["job"]["name"] == "churn.approval"] == ["RUNNING"]


def test_features_lead_back_to_columns() -> None:
    """Each feature reads its column; one on demand what the features in its formula read."""
    (features,) = events_of(*STANDINGS["long life"])[0]["outputs"]
    fields = features["facets"]["columnLineage"]["fields"]
    assert list(fields) == [one["name"] for one in features["facets"]["schema"]["fields"]]
    read = [{"namespace": "mlops", "name": "churn/events/purchases", "field": "usd"}]
    assert fields["purc_0"]["inputFields"] == fields["trend"]["inputFields"] == read
    (events,) = (one for one in events_of(*STANDINGS["long life"])[0]["inputs"] if "calls" in one["name"])
    assert events["facets"]["schema"]["fields"] == [
        {"name": "at", "type": "timestamp"},
        {"name": "usd", "type": "number"},
    ]
