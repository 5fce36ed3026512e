"""The form in Prefect's UI, the command line and our own model say the same of every parameter."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flows.backfill import BackfillParameters, backfill
from flows.churn import ChurnParameters, churn
from flows.materialize import materialize
from flows.promote import promote
from flows.rollback import rollback
from flows.simulator import SimulatorParameters, simulator
from mlops_core.errors import BadInput
from mlops_core.options import OptionParser, add_options
from mlops_core.parameters import PromotionParameters, RefreshParameters, RollbackParameters
from mlops_core.usecases.churn import CHURN
from mlops_core.validation import validated

if TYPE_CHECKING:
    from prefect import Flow
    from pydantic import BaseModel

PROJECT = Path(__file__).parents[2]
FLOWS: list[Any] = [
    (backfill, BackfillParameters),
    (churn, ChurnParameters),
    (materialize, RefreshParameters),
    (promote, PromotionParameters),
    (rollback, RollbackParameters),
    (simulator, SimulatorParameters),
]
EACH = pytest.mark.parametrize(("flow", "model"), FLOWS, ids=lambda one: getattr(one, "name", ""))
OF_THE_PLACE = {"title", "position"}  # how a form names and orders its fields


def fields(flow: Flow[Any, Any]) -> dict[str, dict[str, Any]]:
    """The form's fields, from the schema that Prefect keeps with a deployment."""
    return dict(flow.parameters.model_dump()["properties"])


@EACH
def test_the_form_has_every_field_of_the_model(flow: Flow[Any, Any], model: type[BaseModel]) -> None:
    """Type, choice, bounds, default, description are the model's, and what is required; there is a title."""
    expected = model.model_json_schema()["properties"]
    assert list(fields(flow)) == list(expected)
    for name, field in fields(flow).items():
        said = {key: value for key, value in field.items() if key not in OF_THE_PLACE}
        assert said == {key: value for key, value in expected[name].items() if key != "title"}
        assert field["title"]
        assert field["description"]
        assert ("default" in field) != (name in flow.parameters.required)


def test_the_candidates_are_a_closed_choice() -> None:
    """The form offers those of the use case, at least one of which has to be taken."""
    field = fields(churn)["candidates"]
    assert field["items"]["enum"] == [candidate.name for candidate in CHURN.candidates]
    assert field["minItems"] == 1


def test_numbers_are_bounded() -> None:
    """The form refuses what the flow would refuse."""
    field = fields(simulator)["entities"]
    assert (field["minimum"], field["maximum"], field["default"]) == (1, 10_000, 5)


def test_a_rollback_needs_a_reason() -> None:
    """The form asks for it, and takes no empty one; versions count from 1."""
    assert rollback.parameters.required == ["reason"]
    assert fields(rollback)["reason"]["minLength"] == 1
    for flow, name in ((rollback, "to"), (promote, "version")):
        assert fields(flow)[name]["anyOf"][0] == {"type": "integer", "minimum": 1}


def test_dates_choices_and_files_are_fields_of_their_kind() -> None:
    """A date has a calendar, a choice its list, a file is text."""
    assert fields(backfill)["first"]["format"] == "date"
    assert fields(churn)["as_of"]["anyOf"][0] == {"type": "string", "format": "date"}
    assert fields(churn)["task_runner"]["enum"] == ["threads", "dask", "ray"]
    assert fields(churn)["data"]["anyOf"][0] == {"type": "string", "format": "path"}


@EACH
def test_fields_stand_in_the_order_of_the_model(flow: Flow[Any, Any], model: type[BaseModel]) -> None:
    """What the flow is about comes first, where it runs last."""
    positions = {field["position"]: name for name, field in fields(flow).items()}
    assert [positions[place] for place in sorted(positions)] == list(model.model_fields)
    if "workers" in model.model_fields:
        assert list(model.model_fields)[-2:] == ["task_runner", "workers"]


@EACH
def test_no_parameter_is_a_secret(flow: Flow[Any, Any], model: type[BaseModel]) -> None:
    """By type or by name: Prefect keeps parameters in clear. Settings are where secrets go."""
    for name, field in model.model_fields.items():
        assert not re.search("secret|passw|token|credential|api_?key", name)
        assert "Secret" not in str(field.annotation)
    assert not re.search("writeOnly|password", str(fields(flow)))


BAD: list[tuple[Any, dict[str, Any], str]] = [
    (rollback, {"reason": ""}, "--reason: string should have at least 1 character, got ''"),
    (rollback, {}, "--reason: has to be given"),
    (rollback, {"reason": "why", "to": 0}, "--to: input should be greater than or equal to 1, got 0"),
    (promote, {"version": 0}, "--version: input should be greater than or equal to 1, got 0"),
    (promote, {"request": "no digest"}, "--request: string should match pattern"),
    (churn, {"candidates": ["logistik"]}, "got 'logistik': did you mean 'logistic'?"),
    (churn, {"candidates": []}, "--candidates: expected at least one, got []"),
    (churn, {"candidates": "logistic"}, "--candidates: expected a list, got 'logistic'"),
    (churn, {"as_of": "yesterday"}, "--as-of: expected a date like 1998-06-30, got 'yesterday'"),
    (churn, {"as_of": "1998-02-30"}, "--as-of: expected a date like 1998-06-30, got '1998-02-30'"),
    (churn, {"data": 5}, "--data: expected a path, got 5"),
    (churn, {"floor": "high"}, "--floor: input should be a valid number"),
    (churn, {"fail_on_rejection": "perhaps"}, "--fail-on-rejection: input should be a valid boolean"),
    (churn, {"workers": 0}, "--workers: input should be greater than or equal to 1, got 0"),
    (churn, {"flor": 0.8}, "unknown argument '--flor': did you mean --floor?"),
    (churn, {"as-of": "1998-06-30"}, "unknown argument 'as-of': did you mean 'as_of'?"),
    (simulator, {"wings": 2}, "unknown argument '--wings': there are --entities, --level,"),
]


@pytest.mark.parametrize(
    ("flow", "bad", "sentence"), BAD, ids=lambda given: getattr(given, "name", str(given))
)
def test_a_bad_parameter_is_one_sentence(flow: Any, bad: dict[str, Any], sentence: str) -> None:
    """The failed state has it as its message, and our error as its result."""
    state = flow.fn(**bad)
    assert state.is_failed()
    assert sentence in state.message
    assert "\n" not in state.message
    assert isinstance(state.result(raise_on_failure=False), BadInput)


def test_a_bad_parameter_is_told_once() -> None:
    """One of a list that is no good is not called missing as well; several mistakes are all told."""
    state = churn.fn(candidates=["forest"], floor="high")
    assert state.message.count("--candidates") == 1
    assert "forest" in state.message
    assert "--floor" in state.message


def test_the_words_are_those_of_the_command_line() -> None:
    """A number that came as text is no other mistake than one that came as a number."""
    parser = OptionParser(prog="simulator")
    add_options(parser, SimulatorParameters)
    for bad, words in (
        ({"entities": 0}, ["--entities", "0"]),
        ({"level": "high"}, ["--level", "high"]),
        ({"task_runner": "dusk"}, ["--task-runner", "dusk"]),
        ({"entitis": 3}, ["--entitis", "3"]),
    ):
        with pytest.raises(BadInput) as refused:
            validated(SimulatorParameters, vars(parser.parse(words)))
        assert simulator.fn(**bad).message == str(refused.value)


def test_text_from_a_form_or_a_shell_becomes_typed() -> None:
    """What JSON can say is enough for every parameter."""
    given = {"data": "events.csv", "as_of": "1998-06-30", "candidates": ["boosting"], "floor": "0.8"}
    found = validated(ChurnParameters, given).model_dump()
    assert found == churn.validate_parameters(given)
    assert found["data"] == Path("events.csv")
    assert found["as_of"] == date(1998, 6, 30)


def test_the_command_line_has_the_same_parameters() -> None:
    """`python flows/churn.py --help` lists an option for each field of the form, with its description."""
    environment = os.environ | {"PREFECT_API_URL": "http://127.0.0.1:9/api"}  # so it needs no server
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        [sys.executable, "flows/churn.py", "--help"],
        env=environment,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    text = " ".join(done.stdout.split("options:")[1].split())
    options = set(re.findall(r"--([a-z-]+)", text))
    offered = {name.replace("_", "-") for name in fields(churn)}
    assert options - {"help", "quiet"} - {f"no-{name}" for name in offered} == offered
    for field in fields(churn).values():
        assert field["description"] in text
