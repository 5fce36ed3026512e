"""The Open Inference Protocol v2, as a client of it sees the server."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mlops_core.adapters.deployer.memory import MemoryDeployer
from mlops_core.adapters.trainer.memory import MemoryTrainer

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from mlops_core.domain.release import Bundle
    from mlops_core.serving.follower import ReleaseFollower

    Ask = Callable[..., httpx.Response]

INFER = "/v2/models/churn/infer"


@pytest.fixture
def deployer() -> MemoryDeployer:
    """Nothing here is about files."""
    return MemoryDeployer(MemoryTrainer())


@pytest.fixture
def served(follower: ReleaseFollower, deploy: Callable[..., Bundle]) -> int:
    """Version 1 is served."""
    deploy(1)
    follower.refresh()
    return 1


def body(orders: Any = (9, 1), basket: Any = (80.0, None), **changes: Any) -> dict[str, Any]:
    """A request of two rows; `changes` go into both tensors."""
    tensors = [("orders", orders), ("basket", basket)]
    return {
        "inputs": [
            {"name": name, "shape": [len(data)], "datatype": "FP64", "data": list(data), **changes}
            for name, data in tensors
        ]
    }


def error(answer: httpx.Response, status: int) -> str:
    """The message of an error that has nothing beside it."""
    assert answer.status_code == status, answer.text
    content = answer.json()
    assert list(content) == ["error"]
    return str(content["error"])


def expected(deployer: MemoryDeployer, rows: list[list[float]]) -> list[float]:
    """What the model itself says."""
    release = deployer.current("churn")
    assert release is not None
    answer: list[float] = deployer.load(release).predict(np.array(rows)).tolist()
    return answer


@pytest.mark.usefixtures("served")
def test_server_and_model_describe_themselves(ask: Ask) -> None:
    """Names, versions and tensors, as the protocol words them."""
    assert set(ask("GET", "/v2").json()) == {"name", "version", "extensions"}
    model = ask("GET", "/v2/models/churn").json()
    assert model == {
        "name": "churn",
        "versions": ["1"],
        "platform": "mlops_logistic",
        "inputs": [
            {"name": "orders", "datatype": "FP64", "shape": [-1]},
            {"name": "basket", "datatype": "FP64", "shape": [-1]},
        ],
        "outputs": [
            {"name": "probability", "datatype": "FP64", "shape": [-1]},
            {"name": "label", "datatype": "BOOL", "shape": [-1]},
        ],
    }
    assert ask("GET", "/v2/models/churn/versions/1").json() == model


@pytest.mark.usefixtures("served")
def test_a_ready_server_says_so(ask: Ask) -> None:
    """Live, ready, and ready by model and version."""
    assert ask("GET", "/v2/health/live").json() == {"live": True}
    assert ask("GET", "/v2/health/ready").json() == {"ready": True}
    for path in ("/v2/models/churn/ready", "/v2/models/churn/versions/1/ready"):
        assert ask("GET", path).json() == {"name": "churn", "ready": True}


def test_a_server_without_a_release_is_live_but_not_ready(ask: Ask) -> None:
    """Every question about the model is answered 503, with what to type."""
    assert ask("GET", "/v2/health/live").status_code == 200
    for path in ("/v2/health/ready", "/v2/models/churn", "/v2/models/churn/ready"):
        assert "mlops run churn" in error(ask("GET", path), 503)
    assert "mlops run churn" in error(ask("POST", INFER, json=body()), 503)
    assert "mlops run churn" in error(ask("POST", "/predict", json={"ids": [1]}), 503)


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize("version", ["", "/versions/1"])
def test_inference_gives_what_the_model_gives(ask: Ask, deployer: MemoryDeployer, version: str) -> None:
    """Bit for bit, with null as a missing value."""
    probabilities = expected(deployer, [[9.0, 80.0], [1.0, np.nan]])
    answer = ask("POST", f"/v2/models/churn{version}/infer", json=body())
    assert answer.json() == {
        "model_name": "churn",
        "model_version": "1",
        "outputs": [
            {"name": "probability", "shape": [2], "datatype": "FP64", "data": probabilities},
            {"name": "label", "shape": [2], "datatype": "BOOL", "data": [p >= 0.5 for p in probabilities]},
        ],
    }


@pytest.mark.usefixtures("served")
def test_the_id_comes_back_and_only_asked_outputs_in_the_order_asked(ask: Ask) -> None:
    """Parameters are accepted wherever the protocol has them."""
    asked = {
        **body(parameters={"a": 1}),
        "id": "request 7",
        "parameters": {"binary_data_output": True, "note": "x", "n": 1, "r": 0.5},
        "outputs": [{"name": "label", "parameters": {"binary_data": True}}, {"name": "probability"}],
    }
    answer = ask("POST", INFER, json=asked).json()
    assert answer["id"] == "request 7"
    assert [output["name"] for output in answer["outputs"]] == ["label", "probability"]
    only = ask("POST", INFER, json={**body(), "outputs": [{"name": "label"}]}).json()
    assert [output["name"] for output in only["outputs"]] == ["label"]


@pytest.mark.usefixtures("served")
def test_tensors_may_come_in_any_order_flat_or_nested(ask: Ask) -> None:
    """The names decide, and [n, 1] may be written either way."""
    plain = ask("POST", INFER, json=body()).json()
    reversed_order = {"inputs": body()["inputs"][::-1]}
    flat = body(shape=[2, 1])
    nested = body(orders=[[9], [1]], basket=[[80.0], [None]], shape=[2, 1])
    for same in (reversed_order, flat, nested):
        assert ask("POST", INFER, json=same).json() == plain


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(
    ("datatype", "sent", "read"),
    [
        ("FP64", 0.1, 0.1),
        ("FP64", 3, 3.0),
        ("FP32", 0.1, float(np.float32(0.1))),
        ("INT32", -(2**31), -(2.0**31)),
        ("INT64", 2**53, 2.0**53),
        ("INT64", -(2**63), -(2.0**63)),
        ("INT64", None, np.nan),
    ],
)
def test_every_number_is_read_exactly(
    ask: Ask, deployer: MemoryDeployer, datatype: str, sent: float | None, read: float
) -> None:
    """An FP32 is the single-precision number that its text names."""
    answer = ask("POST", INFER, json=body(orders=[sent], basket=[1], datatype=datatype))
    assert answer.json()["outputs"][0]["data"] == expected(deployer, [[read, 1.0]])


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(
    ("datatype", "value", "message"),
    [
        ("INT64", 2**53 + 1, "orders: the value at position 0 has no exact FP64"),
        ("INT64", 2**63, "orders: the value at position 0 is no INT64"),
        ("INT32", 2**31, "orders: the value at position 0 is no INT32"),
        ("INT32", 1.0, "orders: the value at position 0 is no INT32"),
        ("FP32", 1e39, "orders holds a number that is too large for FP32"),
        ("FP64", 10**400, "orders holds a number that is too large for FP64"),
        ("FP64", True, "body.inputs.0.data.0: Input should be a valid integer"),
        ("FP64", "7", "body.inputs.0.data.0: Input should be a valid integer"),
        ("FP16", 1, "body.inputs.0.datatype: Input should be 'FP64', 'FP32', 'INT64' or 'INT32'"),
    ],
)
def test_a_number_that_cannot_be_meant_is_refused(
    ask: Ask, datatype: str, value: object, message: str
) -> None:
    """Rather than rounded, wrapped around or read as another type."""
    answer = ask("POST", INFER, json=body(orders=[value], basket=[1], datatype=datatype))
    assert error(answer, 400).startswith(message)


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize("value", [b"NaN", b"Infinity", b"1e999"])
def test_a_number_that_is_not_finite_is_refused(ask: Ask, value: bytes) -> None:
    """The message says how a missing value is written."""
    content = json.dumps(body()).encode().replace(b"80.0", value)
    answer = ask("POST", INFER, content=content)
    assert "null stands for a missing value" in error(answer, 400)


def _changed(position: int = 0, **fields: Any) -> dict[str, Any]:
    changed = body()
    changed["inputs"][position].update(fields)
    return changed


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (_changed(name="jane"), r"inputs\[0\] is not a feature; expected are orders, basket"),
        (_changed(position=1, name="orders"), r"inputs\[1\]: orders is given twice"),
        ({"inputs": body()["inputs"][:1]}, "inputs lack basket"),
        ({"inputs": []}, "body.inputs: List should have at least 1 item"),
        ({}, "body.inputs: Field required"),
        (_changed(data=[1]), "orders has 1 values, its shape says 2"),
        (_changed(position=1, shape=[1], data=[1]), r"basket must have shape \[2\] or \[2, 1\]"),
        (_changed(shape=[2, 2], data=[1, 2]), r"orders must have shape"),
        (_changed(shape=[2, 2], data=[[1, 2], [3, 4]]), "body.inputs.0.data.0: .*at most 1 item"),
        (_changed(shape=[1, 2]), "orders must have shape"),
        (_changed(shape=[]), "body.inputs.0.shape"),
        (_changed(shape=[-2]), "body.inputs.0.shape.0"),
        (_changed(shape=[2.0]), "body.inputs.0.shape.0"),
        (_changed(data=[[1], [2]]), "orders has nested data"),
        (_changed(shape=[2, 1], data=[[1], 2]), "body.inputs.0.data"),
        (body(orders=[], basket=[]), "a request has 1 to 10,000 rows, not 0"),
        (body(orders=[1] * 10_001, basket=[1] * 10_001), "a request has 1 to 10,000 rows, not 10,001"),
        ({**body(), "outputs": [{"name": "jane"}]}, "body.outputs.0.name: Input should be 'probability',"),
        ({**body(), "jane": 1}, "body: a field that does not belong there"),
        (_changed(jane=1), "body.inputs.0: a field that does not belong there"),
        ({**body(), "parameters": {"jane": {"a": "b"}}}, "body.parameters: "),
        ({**body(), "id": 7}, "body.id: Input should be a valid string"),
    ],
)
def test_a_request_that_does_not_fit_is_refused(ask: Ask, sent: dict[str, Any], message: str) -> None:
    """Saying where, without a word of what the caller wrote."""
    answer = ask("POST", INFER, json=sent)
    assert re.match(message, error(answer, 400)), answer.text
    assert "jane" not in answer.text


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/v2/models/jane", "there is no such model; 'churn' is served here"),
        ("/v2/models/churn/versions/2", "this version is not served; version 1 of 'churn' is"),
        ("/v2/models/churn/versions/01/ready", "this version is not served; version 1 of 'churn' is"),
        ("/v2/models/churn/nothing", "Not Found"),
        ("/docs", "Not Found"),
    ],
)
def test_what_is_not_served_is_not_found(ask: Ask, path: str, message: str) -> None:
    """Other names, other versions, other addresses."""
    assert error(ask("GET", path), 404) == message


@pytest.mark.usefixtures("served")
def test_a_wrong_method_is_told(ask: Ask) -> None:
    """Also that is an error in the protocol's form."""
    assert error(ask("GET", INFER), 405) == "Method Not Allowed"


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(
    "kind", [None, "application/x-www-form-urlencoded", "text/plain", "application/json"]
)
def test_json_is_read_whatever_it_is_called(ask: Ask, kind: str | None) -> None:
    """tritonclient names no content type, and `curl -d` that of a form."""
    headers = {"content-type": kind} if kind else {}
    assert ask("POST", INFER, content=json.dumps(body()), headers=headers).status_code == 200


@pytest.mark.usefixtures("served")
def test_binary_tensors_are_refused_by_name(ask: Ask) -> None:
    """It is the default of tritonclient, so the message says how to turn it off."""
    headers = {"Inference-Header-Content-Length": "13"}
    answer = ask("POST", INFER, content=b'{"inputs":[]}\x00\x01', headers=headers)
    assert "binary_data=False" in error(answer, 400)


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"ids":[' + b"9" * 5000]
)
def test_a_body_that_is_no_object_is_refused(ask: Ask, content: bytes) -> None:
    """Nothing of it comes back, and nothing breaks."""
    headers = {"content-type": "application/json"}
    for path in (INFER, "/predict"):
        assert "body" in error(ask("POST", path, content=content, headers=headers), 400)


@pytest.mark.usefixtures("served")
def test_a_body_that_is_too_large_is_refused_while_it_comes(ask: Ask) -> None:
    """Also without a declared length."""

    async def endless() -> Any:
        for _ in range(10):
            yield b" " * 2**20

    message = "a body has 8,388,608 bytes at most; send fewer rows at once"
    assert error(ask("POST", INFER, content=endless()), 413) == message


@pytest.mark.usefixtures("served")
def test_every_address_declares_its_errors(ask: Ask) -> None:
    """The description promises the form of errors that is really sent."""
    description = ask("GET", "/openapi.json").json()
    for operations in description["paths"].values():
        for operation in operations.values():
            assert sorted(operation["responses"]) == ["200", "4XX", "5XX"]
