"""A model of a number as callers meet it: by id, by rows, to platforms, and in figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # it has no types
from prometheus_client.parser import text_string_to_metric_families

from mlops_core.adapters.trainer.memory import MemoryTrainer
from mlops_core.errors import IntegrityError
from mlops_core.serving.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from mlops_core.adapters.deployer.local import LocalDeployer
    from mlops_core.domain.release import Bundle
    from mlops_core.serving.follower import ReleaseFollower

    Ask = Callable[..., httpx.Response]
    Deploy = Callable[..., Bundle]

INFER = "/v2/models/churn/infer"
ROWS = [[9.0, 80.0], [1.0, 20.0], [0.0, None]]


@pytest.fixture
def ask(ask: Ask, follower: ReleaseFollower) -> Ask:
    """Asks once the server has seen what is released."""

    def asked(*request: Any, **given: Any) -> httpx.Response:
        follower.refresh()
        return ask(*request, **given)

    return asked


def body(**changes: Any) -> dict[str, Any]:
    """A request of the inference protocol for the rows."""
    columns = zip(*ROWS, strict=True)
    inputs = [
        {"name": name, "shape": [3], "datatype": "FP64", "data": list(column)}
        for name, column in zip(("orders", "basket"), columns, strict=True)
    ]
    return {"inputs": inputs} | changes


def expected(bundle: Bundle) -> list[float]:
    """What the model itself says of the rows."""
    model = MemoryTrainer().load(Path(bundle.model_folder))
    found: list[float] = model.predict(np.array(ROWS, dtype=np.float64)).tolist()
    return found


@pytest.mark.parametrize("scale", [1e-3, 100.0, 1e9])
def test_rows_are_answered_with_one_output_the_prediction(
    ask: Ask, deploy_numbers: Deploy, scale: float
) -> None:
    bundle = deploy_numbers(1, scale)
    answer = ask("POST", INFER, json=body()).json()
    assert answer["outputs"] == [
        {"name": "prediction", "shape": [3], "datatype": "FP64", "data": expected(bundle)}
    ]
    named = ask("POST", INFER, json=body(outputs=[{"name": "prediction"}])).json()
    assert named == answer


def test_entities_are_answered_with_a_prediction_and_no_label(ask: Ask, deploy_numbers: Deploy) -> None:
    numbers = expected(deploy_numbers())
    found = ask("POST", "/predict", json={"ids": [1, 3]}).json()["predictions"]
    assert found[0] == {"id": 1, "prediction": numbers[0]}
    assert set(found[1]) == {"id", "prediction"}


@pytest.mark.parametrize("path", ["/instances", "/invocations"])
def test_platforms_are_answered_alike(ask: Ask, deploy_numbers: Deploy, path: str) -> None:
    numbers = expected(deploy_numbers())
    told = ask("POST", path, json={"instances": ROWS}).json()
    assert told == {"predictions": [{"prediction": one} for one in numbers]}
    assert ask("POST", path, json=body()).json()["outputs"][0]["data"] == numbers


def test_metadata_name_its_one_output(ask: Ask, deploy_numbers: Deploy) -> None:
    deploy_numbers()
    outputs = ask("GET", "/v2/models/churn").json()["outputs"]
    assert outputs == [{"name": "prediction", "datatype": "FP64", "shape": [-1]}]


def test_an_output_that_it_has_not_is_refused_with_those_there_are(ask: Ask, deploy_numbers: Deploy) -> None:
    deploy_numbers()
    answer = ask("POST", INFER, json=body(outputs=[{"name": "prediction"}, {"name": "label"}]))
    assert answer.status_code == 400
    assert answer.json()["error"] == (
        "outputs[1]: version 1 of 'churn' predicts a number, so it has no output 'label'; it has 'prediction'"
    )


def test_a_classifier_has_no_prediction(ask: Ask, deploy: Deploy) -> None:
    deploy()
    answer = ask("POST", "/invocations", json=body(outputs=[{"name": "prediction"}]))
    assert answer.status_code == 400
    assert answer.json()["error"].endswith("it has 'probability' and 'label'")


def test_the_description_fits_both_kinds_and_no_mixture(
    ask: Ask, follower: ReleaseFollower, deploy: Deploy, deploy_numbers: Deploy
) -> None:
    """A release may predict another thing than the one before; the document is made once."""
    document = create_app(follower=follower).openapi()

    def fits(name: str, answer: Any) -> bool:
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        return bool(Draft202012Validator(schema).is_valid(answer))

    answers = []
    for number, deployed in ((1, deploy), (2, deploy_numbers)):
        deployed(number)
        by_id, by_row = ask("POST", "/predict", json={"ids": [1, 2]}), ask("POST", INFER, json=body())
        instances = ask("POST", "/instances", json={"instances": ROWS})
        assert fits("PredictResponse", by_id.json())
        assert fits("InferenceResponse", by_row.json())
        assert fits("InstancesResponse", instances.json())
        answers.append(by_id.json())
    mixed = answers[0] | {"predictions": [answers[0]["predictions"][0], answers[1]["predictions"][0]]}
    assert not fits("PredictResponse", mixed)


def test_scores_are_counted_in_buckets_from_thousandths_to_billions(ask: Ask, deploy_numbers: Deploy) -> None:
    """The same bounds for all such models; negative numbers have some as well."""
    numbers = expected(deploy_numbers())
    ask("POST", INFER, json=body())
    families = {one.name: one for one in text_string_to_metric_families(ask("GET", "/metrics").text)}
    buckets = {
        float(one.labels["le"]): one.value for one in families["mlops_scores"].samples if "le" in one.labels
    }
    assert {-1e9, -0.001, 0.0, 0.001, 0.002, 0.005, 50.0, 5e9} < set(buckets)
    assert buckets == {bound: sum(one <= bound for one in numbers) for bound in buckets}
    assert len(set(buckets.values())) > 2


def test_a_model_of_small_numbers_is_proved_by_its_own_size(
    deployer: LocalDeployer, deploy_numbers: Deploy
) -> None:
    """What is within the tolerance of millions is far beyond that of thousandths."""
    bundle = deploy_numbers(1, 1e-3)
    off = bundle.probes.model_copy(update={"expected": tuple(one + 1e-9 for one in bundle.probes.expected)})
    with pytest.raises(IntegrityError, match="largest difference is 1e-09, allowed is 1e-12"):
        deployer.prepare(bundle.model_copy(update={"probes": off, "version": 2}))
    large = deploy_numbers(3, 1e9)
    off = large.probes.model_copy(update={"expected": tuple(one + 1e-2 for one in large.probes.expected)})
    assert deployer.prepare(large.model_copy(update={"probes": off, "version": 4})).version == 4
