"""Bodies that pydantic reads at once are those that the slower reader takes, and come out the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mlops_core.errors import BadInput
from mlops_core.serving.inference import InferenceRequest
from mlops_core.serving.instances import CloudRequest
from mlops_core.serving.prediction import PredictRequest
from mlops_core.serving.prediction_route import _at_once
from mlops_core.serving.strict_json import parsed

NAMES = st.text(max_size=3)
NUMBERS = st.none() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.booleans()
FIELDS = st.sampled_from(
    ["id", "inputs", "outputs", "parameters", "name", "shape", "datatype", "data", "ids"]
)
TENSORS = st.fixed_dictionaries(
    {
        "name": NAMES,
        "shape": st.lists(st.integers(0, 3), max_size=2),
        "datatype": st.sampled_from(["FP64", "INT64", "BOOL"]),
        "data": st.lists(NUMBERS | st.lists(NUMBERS, max_size=2), max_size=3),
    },
    optional={"parameters": st.none() | st.dictionaries(NAMES, NUMBERS | NAMES, max_size=2), "more": NUMBERS},
)
OUTPUTS = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["probability", "label", "x"])}, optional={"parameters": st.none()}
    ),
    max_size=2,
)
ROWS = st.fixed_dictionaries(
    {"inputs": st.lists(TENSORS, max_size=3)},
    optional={"id": st.none() | NAMES, "outputs": st.none() | OUTPUTS, "parameters": st.none()},
)
KEYS = st.integers(-(2**65), 2**65) | NAMES | st.floats(allow_nan=False) | st.booleans()
INSTANCES = st.fixed_dictionaries(
    {
        "instances": st.lists(
            st.lists(NUMBERS, max_size=2) | st.dictionaries(NAMES, NUMBERS, max_size=2), max_size=3
        )
    }
)
ENTITIES = st.fixed_dictionaries({"ids": st.lists(KEYS | st.lists(KEYS, max_size=3), max_size=4)})


def slowly(kind: Any, body: bytes) -> Any:
    try:
        return kind.model_validate(parsed(body))
    except (BadInput, ValidationError):
        return None


@given(
    st.one_of(
        st.tuples(st.just(CloudRequest), ROWS | INSTANCES),
        st.tuples(st.just(InferenceRequest), ROWS),
        st.tuples(st.just(PredictRequest), ENTITIES),
    ),
    st.booleans(),
)
def test_what_is_read_at_once_is_what_is_read_with_care(asked: tuple[Any, Any], plain: bool) -> None:
    kind, value = asked
    body = json.dumps(value, ensure_ascii=plain).encode(errors="surrogatepass")
    at_once = _at_once(kind, body)
    assert at_once is None or at_once == slowly(kind, body)


@given(FIELDS, NUMBERS, st.integers(0, 5))
def test_a_field_that_is_there_twice_is_never_read_at_once(name: str, value: Any, place: int) -> None:
    tensor = '{"name": "a", "shape": [1], "datatype": "FP64", "data": [1.0]}'
    body = f'{{"id": "b", "inputs": [{tensor}], "outputs": [{{"name": "label"}}]}}'
    again = f'"{name}": {json.dumps(value)}, '
    places = [position + 1 for position, sign in enumerate(body) if sign == "{"]
    at = places[place % len(places)]
    twice = (body[:at] + again + body[at:]).encode()
    assert _at_once(InferenceRequest, twice) is None or slowly(InferenceRequest, twice) is not None


@pytest.mark.parametrize("kind", [InferenceRequest, PredictRequest])
def test_what_callers_send_is_read_at_once(kind: Any) -> None:
    rows = b'{"inputs": [{"name": "a", "shape": [1], "datatype": "FP64", "data": [null]}], "id": "x"}'
    body = rows if kind is InferenceRequest else b'{"ids": [1, "2", [3, "four"]]}'
    assert _at_once(kind, body) == slowly(kind, body) is not None
