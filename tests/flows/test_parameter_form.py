"""The form in Prefect's UI, the command line and our own model say the same of every parameter."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prefect.exceptions import ParameterTypeError, SignatureMismatchError

from flows.churn import ChurnParameters, churn
from flows.promote import promote
from flows.rollback import rollback
from flows.simulator import SimulatorParameters, simulator
from mlops_core.parameters import PromotionParameters, RollbackParameters
from mlops_core.usecases.churn import CHURN

if TYPE_CHECKING:
    from prefect import Flow
    from pydantic import BaseModel

PROJECT = Path(__file__).parents[2]
FLOWS: list[Any] = [
    (churn, ChurnParameters),
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


@pytest.mark.parametrize(
    ("flow", "bad"),
    [
        (rollback, {"reason": ""}),
        (rollback, {"reason": "why", "to": 0}),
        (promote, {"version": 0}),
        (promote, {"request": "no digest"}),
        (promote, {"reason": ""}),
    ],
    ids=lambda given: getattr(given, "name", str(given)),
)
def test_prefect_refuses_what_nobody_can_be_promoted_by(flow: Any, bad: dict[str, Any]) -> None:
    """Before anything runs."""
    with pytest.raises(ParameterTypeError):
        flow.validate_parameters(bad)


@pytest.mark.parametrize(
    "bad",
    [
        {"candidates": ["forest"]},
        {"candidates": []},
        {"as_of": "yesterday"},
        {"as_of": "1998-02-30"},
        {"floor": "high"},
        {"fail_on_rejection": "perhaps"},
    ],
    ids=str,
)
def test_prefect_refuses_a_bad_value(bad: dict[str, Any]) -> None:
    """Before anything runs, naming the parameter."""
    with pytest.raises(ParameterTypeError, match=next(iter(bad))):
        churn.validate_parameters(bad)


def test_prefect_refuses_an_unknown_parameter() -> None:
    """A misspelt one is not passed over."""
    with pytest.raises(SignatureMismatchError, match="flor"):
        churn.validate_parameters({"flor": 0.8})


def test_text_from_a_form_or_a_shell_becomes_typed() -> None:
    """What JSON can say is enough for every parameter."""
    given = {"data": "events.csv", "as_of": "1998-06-30", "candidates": ["boosting"], "floor": "0.8"}
    found = churn.validate_parameters(given)
    assert found == ChurnParameters.model_validate(given).model_dump()
    assert isinstance(found["data"], Path)


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
    assert options - {"help"} - {f"no-{name}" for name in offered} == offered
    for field in fields(churn).values():
        assert field["description"] in text
