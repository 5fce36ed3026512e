"""Features that are too old are refused, and composite keys are asked for as arrays."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from mlops_core.adapters.online_store.memory import MemoryOnlineStore
from mlops_core.domain.sources import Entity
from mlops_core.errors import Unavailable
from mlops_core.serving.follower import ReleaseFollower
from mlops_core.serving.predictor import Predictor

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import httpx

    from mlops_core.adapters.deployer.local import LocalDeployer
    from mlops_core.domain.release import Bundle
    from mlops_core.domain.usecase import UseCase

LIMIT = timedelta(days=2)


@pytest.fixture
def limited(use_case: UseCase) -> UseCase:
    """The use case with a view whose values may be two days old."""
    (view,) = use_case.views
    return use_case.model_copy(update={"views": (view.model_copy(update={"staleness": LIMIT}),)})


@pytest.mark.parametrize(("late", "served"), [(timedelta(0), True), (timedelta(microseconds=1), False)])
def test_values_serve_up_to_their_limit(
    limited: UseCase,
    deployer: LocalDeployer,
    make_bundle: Callable[..., Bundle],
    as_of: datetime,
    late: timedelta,
    served: bool,
) -> None:
    release = deployer.prepare(make_bundle(use_case=limited.model_dump_json()))
    store = MemoryOnlineStore()
    values = pa.table({"customer_id": [1], "orders": [2], "basket": [3.0]})
    store.write(limited.online_name, values, ["customer_id"], as_of)
    predictor = Predictor(
        release=release, model=deployer.load(release), store=store, clock=lambda: as_of + LIMIT + late
    )
    if served:
        assert predictor.predict_ids([1])[0].features_as_of == as_of
    else:
        with pytest.raises(Unavailable, match="may be 2 days old at most: refresh them with"):
            predictor.predict_ids([1])


@pytest.fixture
def composite(use_case: UseCase) -> UseCase:
    """The use case of customers of several shops."""
    return use_case.model_copy(update={"entity": Entity(name="customer", key=("shop", "customer_id"))})


@pytest.fixture
def follower(
    composite: UseCase, deployer: LocalDeployer, make_bundle: Callable[..., Bundle], as_of: datetime
) -> ReleaseFollower:
    """Serves it, with customer 1 of two shops."""
    deployer.activate(deployer.prepare(make_bundle(use_case=composite.model_dump_json())))
    values = {"shop": ["a", "b"], "customer_id": [1, 1], "orders": [9, 0], "basket": [80.0, 20.0]}
    store = MemoryOnlineStore()
    store.write(composite.online_name, pa.table(values), ["shop", "customer_id"], as_of)
    found = ReleaseFollower(name="churn", source=deployer, store=store)
    found.refresh()
    return found


def test_a_composite_key_is_an_array_of_its_parts(ask: Callable[..., httpx.Response]) -> None:
    answer = ask("POST", "/predict", json={"ids": [["b", 1], ["a", 1]]})
    assert answer.status_code == 200, answer.text
    predictions: list[dict[str, Any]] = answer.json()["predictions"]
    assert [one["id"] for one in predictions] == [["b", 1], ["a", 1]]
    assert predictions[0]["probability"] != predictions[1]["probability"]


@pytest.mark.parametrize("key", [["a", "1"], ["a"], "a", ["1", "a"]], ids=str)
def test_another_key_is_unknown(ask: Callable[..., httpx.Response], key: Any) -> None:
    assert ask("POST", "/predict", json={"ids": [key]}).status_code in (400, 404)
