"""The addresses that SageMaker and Vertex AI ask a container at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from mlops_core.domain.release import Bundle

TENSORS = {
    "id": "7",
    "inputs": [
        {"name": "basket", "shape": [2], "datatype": "FP64", "data": [20.0, None]},
        {"name": "orders", "shape": [2], "datatype": "INT64", "data": [9, 1]},
    ],
}
BY_NAME: list[Any] = [{"basket": 20.0, "orders": 9}, {"orders": 1.0, "basket": None}]
IN_ORDER: list[Any] = [[9, 20.0], [1.0, None]]
ROUTES = ("/invocations", "/instances")


def test_ping_is_ready_once_something_is_served(
    ask: Callable[..., httpx.Response], deploy: Callable[..., Bundle], follower: Any
) -> None:
    assert ask("GET", "/ping").status_code == 503
    deploy(1)
    follower.refresh()
    assert (ask("GET", "/ping").status_code, ask("GET", "/ping").json()) == (200, {"ready": True})


@pytest.mark.parametrize("route", ROUTES)
def test_each_body_is_answered_in_kind_with_the_same_probabilities(
    ask: Callable[..., httpx.Response], deploy: Callable[..., Bundle], follower: Any, route: str
) -> None:
    deploy(1)
    follower.refresh()
    wanted = ask("POST", "/v2/models/churn/infer", json=TENSORS).json()
    assert ask("POST", route, json=TENSORS).json() == wanted
    probability, label = (tensor["data"] for tensor in wanted["outputs"])
    predictions = [
        {"probability": one, "label": other} for one, other in zip(probability, label, strict=True)
    ]
    for rows in (BY_NAME, IN_ORDER, [BY_NAME[0], IN_ORDER[1]]):
        answer = ask("POST", route, json={"instances": rows, "parameters": {"any": 1}})
        assert (answer.status_code, answer.json()) == (200, {"predictions": predictions})


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "instances: Field required"),
        ([], "one JSON object"),
        ({"instances": []}, "instances"),
        ({"instances": [{"orders": 4711}]}, "instances[0] lacks basket"),
        ({"instances": [{"orders": 4711, "basket": 1, "secret": 2}]}, "instances[0] has a field that is no"),
        ({"instances": [[4711]]}, "instances[0] has 1 values, expected are 2: orders, basket"),
        ({"instances": [["4711", 1]]}, "instances.0"),
        ({"instances": [[True, 1]]}, "instances.0"),
        ({"instances": [4711]}, "instances.0"),
        ({"instances": [[10**400, 1]]}, "too large for FP64"),
        ({"instances": [[1, 1]], "secret": 4711}, "a field that does not belong there"),
        ({"instances": [[1, 1]], "inputs": TENSORS["inputs"]}, "a field that does not belong there"),
        ({"inputs": []}, "inputs"),
    ],
)
def test_what_is_no_request_is_refused_without_its_values(
    ask: Callable[..., httpx.Response],
    deploy: Callable[..., Bundle],
    follower: Any,
    body: Any,
    said: str,
) -> None:
    deploy(1)
    follower.refresh()
    for route in ROUTES:
        answer = ask("POST", route, json=body)
        assert answer.status_code == 400
        assert said in answer.json()["error"]
        assert not any(word in answer.text for word in ("4711", "secret"))


def test_rows_beyond_the_limit_are_refused(
    ask: Callable[..., httpx.Response], deploy: Callable[..., Bundle], follower: Any
) -> None:
    deploy(1)
    follower.refresh()
    answer = ask("POST", "/instances", json={"instances": [[1, 1]] * 10_001})
    assert (answer.status_code, "10000" in answer.text) == (400, True)


def test_the_description_names_the_addresses_and_both_bodies(ask: Callable[..., httpx.Response]) -> None:
    described = ask("GET", "/openapi.json").json()
    assert {"/ping", *ROUTES} < described["paths"].keys()
    assert {"InferenceRequest", "InstancesRequest"} < described["components"]["schemas"].keys()
