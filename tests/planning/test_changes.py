"""What differs between two uses of a stage, as it is told."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_core.domain.inputs import Inputs
from mlops_core.planning.changes import changes
from mlops_core.planning.unknown import INSTANT, Unknown

ONE, OTHER = "a" * 64, "b" * 64


def told(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """The sentences for inputs that have these parts."""
    made = [Inputs(stage="gate", use_case="shop", **parts) for parts in (before, now)]
    unknown = Unknown()
    unknown.mark("training_set")
    return changes(*made, is_unknown=lambda one: unknown.maker(one) is not None)


@pytest.mark.parametrize(
    ("part", "before", "now", "sentences"),
    [
        ("data", {"purchases": ONE}, {"purchases": ONE}, []),
        (
            "data",
            {"purchases": ONE},
            {"purchases": OTHER},
            ["data: purchases is another version (digest was aaaaaaaaaaaa, is bbbbbbbbbbbb)"],
        ),
        ("data", {"boosting": ONE}, {"logistic": ONE}, ["data: logistic is new", "data: boosting is gone"]),
        (
            "data",
            {"champion": "none"},
            {"champion": f"version 3, {ONE}"},
            ["data: champion was none, is version 3"],
        ),
        ("data", {"training_set": ONE}, {"training_set": "?training_set: result"}, []),
        (
            "definitions",
            {"label": {"horizon": "P90D", "name": "churned"}},
            {"label": {"horizon": "P60D", "name": "churned"}},
            ["definitions: label.horizon was P90D, is P60D"],
        ),
        (
            "definitions",
            {"views": {"history": {"features": {"orders": {"window": None}}}}},
            {"views": {"history": {"features": {"orders": {"window": None}, "orders_7d": {}}}}},
            ["definitions: views.history.features.orders_7d is new"],
        ),
        (
            "definitions",
            {"features": ["orders", "recency"]},
            {"features": ["recency"]},
            ["definitions: features.orders is gone"],
        ),
        (
            "definitions",
            {"features": ["orders", "recency"]},
            {"features": ["recency", "orders"]},
            ["definitions: features are in another order"],
        ),
        (
            "definitions",
            {"policy": {"slices": [{"name": "old", "margin": 0.1}]}},
            {"policy": {"slices": [{"name": "old", "margin": 0.2}]}},
            ["definitions: policy.slices.0.margin was 0.1, is 0.2"],
        ),
        (
            "parameters",
            {"as_of": "1998-03-31"},
            {"as_of": None},
            ["parameters: as_of was 1998-03-31, is none"],
        ),
        (
            "parameters",
            {"as_of": "1998-06-30T23:59:59.999999+00:00"},
            {"as_of": "1998-03-31T23:59:59.999999+00:00"},
            ["parameters: as_of was 1998-06-30, is 1998-03-31"],
        ),
        ("parameters", {"as_of": "1998-06-30"}, {"as_of": INSTANT.isoformat()}, []),
        (
            "code",
            {"mlops_core.metrics.ranking:Ranking": "1", "mlops_core.gone:f": "1"},
            {"mlops_core.metrics.ranking:Ranking": "2", "mlops_core.new:f": "1"},
            [
                "code: mlops_core.metrics.ranking:Ranking changed",
                "code: mlops_core.new:f is new",
                "code: mlops_core.gone:f is gone",
            ],
        ),
        (
            "libraries",
            {"duckdb": "2.0.0"},
            {"duckdb": "2.1.0"},
            ["libraries: duckdb was 2.0.0, is 2.1.0"],
        ),
    ],
)
def test_a_difference_is_told(
    part: str, before: dict[str, Any], now: dict[str, Any], sentences: list[str]
) -> None:
    assert told({part: before}, {part: now}) == sentences


def test_parts_come_in_one_order() -> None:
    """What a run was given first, what it runs on last."""
    before = {"data": {"a": ONE}, "code": {"m:f": "1"}, "libraries": {"numpy": "1"}}
    now = {"data": {"a": OTHER}, "code": {"m:f": "2"}, "libraries": {"numpy": "2"}}
    assert [one.partition(":")[0] for one in told(before, now)] == ["data", "code", "libraries"]


def test_a_long_value_is_cut() -> None:
    (sentence,) = told({"definitions": {"formula": "x" * 200}}, {"definitions": {"formula": "y"}})
    assert len(sentence) < 100
    assert sentence.endswith("…, is y")
