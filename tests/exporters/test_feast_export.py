from __future__ import annotations

import ast
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_core.definitions import (
    Count,
    Entity,
    EventSource,
    FeatureService,
    FeatureView,
    GatePolicy,
    Latest,
    LogisticRegression,
    Mean,
    NoEventWithin,
    OnDemand,
    UseCase,
    days,
)
from mlops_core.domain.expressions import evaluate
from mlops_core.errors import DefinitionError
from mlops_core.exporters.feast import to_feast
from mlops_core.exporters.feast_formulas import function_of
from mlops_core.usecases.churn import CHURN

HOUR = timedelta(hours=1)


def make(**changes: Any) -> UseCase:
    """A shop with two entities, a composite key, a view of each kind, formulas and services."""
    scores = EventSource(
        name="scores",
        event_timestamp="at",
        created_timestamp="recorded",
        delay=HOUR,
        columns={"at": "timestamp", "recorded": "timestamp", "shop": "text", "a": "number", "b": "integer"},
    )
    fields: dict[str, Any] = {
        "name": "shop",
        "entity": Entity(name="customer", key=("shop", "id")),
        "entities": (Entity(name="shop", key="shop"),),
        "sources": (EventSource(name="orders", event_timestamp="at"), scores),
        "views": (
            FeatureView(name="class", source="orders", features=(Count("n"), Mean("m", "v", window=days(2)))),
            FeatureView(
                name="scored",
                source="scores",
                entity="shop",
                ttl=days(1) + HOUR,
                features=(Latest("a"), Latest("b")),
            ),
        ),
        "on_demand": (OnDemand("trend", "(n - 2) / b + coalesce(m, 0)"),),
        "services": (
            FeatureService(name="model", features=("n", "trend")),
            FeatureService(name="model", version=2, features=("b", "m")),
        ),
        "service": "model@1",
        "label": NoEventWithin(name="gone", source="orders", horizon=days(3)),
        "candidates": (LogisticRegression(),),
        "gate": GatePolicy(floor=0.5),
    }
    return UseCase(**(fields | changes))


def statements(use_case: UseCase, **options: Any) -> list[str]:
    """The definitions as Python reads them, a statement each."""
    return [ast.unparse(one) for one in ast.parse(to_feast(use_case, **options).definitions).body]


def test_the_same_use_case_gives_the_same_text() -> None:
    assert to_feast(make()) == to_feast(make())


def test_a_composite_key_becomes_an_entity_for_each_column() -> None:
    found = statements(make(), types={"id": "integer"})
    assert "entity_0 = Entity(name='shop', join_keys=['shop'], value_type=ValueType.STRING)" in found
    assert "entity_1 = Entity(name='id', join_keys=['id'], value_type=ValueType.INT64)" in found


def test_a_key_of_unknown_type_is_left_for_feast_to_infer() -> None:
    found = statements(make())
    assert "entity_1 = Entity(name='id', join_keys=['id'])" in found
    assert not any("Field(name='id'" in one for one in found)


def test_a_view_of_latest_values_has_created_timestamps_and_the_ttl_less_the_delay() -> None:
    found = "\n".join(statements(make()))
    assert "created_timestamp_column='created_timestamp'" in found
    assert "entities=[entity_0], ttl=timedelta(days=1, seconds=0, microseconds=0)" in found
    assert "Field(name='a', dtype=Float64), Field(name='b', dtype=Int64)" in found


def test_a_view_of_aggregates_says_that_its_values_are_computed_before() -> None:
    text = to_feast(make()).definitions
    assert "# - view 'class': Feast has no aggregates as of a moment" in text
    assert "Field(name='n', dtype=Int64)" in text


def test_services_keep_their_features_and_versions() -> None:
    found = statements(make())
    first = "service_0 = FeatureService(name='model_v1', features=[view_class[['n']], on_demand_trend])"
    second = "service_1 = FeatureService(name='model_v2', features=[view_class[['m']], view_scored[['b']]])"
    assert found[-2:] == [first, second]


def test_without_a_service_all_features_are_one() -> None:
    last = statements(CHURN)[-1]
    assert last.startswith("service_0 = FeatureService(name='churn'")
    assert all(repr(name) in last for name in CHURN.feature_names)


@pytest.mark.parametrize(
    ("view", "note"),
    [
        ({"ttl": 13 * HOUR + timedelta(days=1)}, "fails on a ttl of mixed units"),
        ({"features": (Latest("size_y", "a"),)}, "loses columns ending in _y: size_y"),
        ({"features": (Latest("z", "unknown"),)}, "Float64 is taken for z"),
        ({"visibility": "event"}, "count from when they happened: filter_by_created_timestamp=False"),
        ({"staleness": HOUR}, "nobody watches its staleness of 1:00:00"),
    ],
)
def test_what_feast_does_not_say_is_named_at_the_head(view: dict[str, Any], note: str) -> None:
    fields = {"name": "one", "source": "scores", "entity": "shop", "features": (Latest("a"),)}
    scores = make().sources[1].model_copy(update={"columns": {"a": "number"}})
    changed = make().model_copy(
        update={
            "views": (FeatureView.model_validate(fields | view),),
            "sources": (make().sources[0], scores),
            "on_demand": (),
            "services": (),
            "service": None,
        }
    )
    head = to_feast(changed).definitions.split("\nfrom ")[0]
    assert note in " ".join(line.lstrip("# ") for line in head.splitlines())


def test_corrections_by_event_id_are_computed_before() -> None:
    orders, scores = make().sources
    corrected = scores.model_copy(update={"event_id": "number"})
    text = to_feast(make().model_copy(update={"sources": (orders, corrected)})).definitions
    assert "view 'scored': Feast has no corrections by event id" in text
    assert "created_timestamp_column" not in text


def test_a_ttl_that_the_delay_uses_up_is_refused() -> None:
    views = tuple(one.model_copy(update={"ttl": HOUR}) if one.ttl else one for one in make().views)
    with pytest.raises(DefinitionError, match=r"view 'scored' has a ttl of 1:00:00, not more than the delay"):
        to_feast(make(views=views))


def test_a_ttl_longer_than_all_time_is_no_limit() -> None:
    views = tuple(one.model_copy(update={"ttl": timedelta.max}) if one.ttl else one for one in make().views)
    assert to_feast(make(views=views)).definitions.count("ttl=timedelta(0)") == 2


def test_a_feature_named_as_feasts_own_column_is_refused() -> None:
    with pytest.raises(DefinitionError, match=r"'created_timestamp' is a key or feature"):
        to_feast(make(on_demand=(OnDemand("created_timestamp", "n"),), services=(), service=None))


@given(st.text(min_size=1, alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_key_column_is_quoted(key: str) -> None:
    reserved = {*make().all_names, "shop", "gone", "event_timestamp", "split", "created_timestamp"}
    if key in reserved:
        return
    found = ast.parse(to_feast(make(entity=Entity(name="customer", key=("shop", key)))).definitions)
    strings = {node.value for node in ast.walk(found) if isinstance(node, ast.Constant)}
    assert key in strings


FORMULAS = (
    "x + y", "x - y", "x * y", "x / y", "x ** y", "-x", "x < y", "x <= y", "x > y", "x >= y",
    "x == y", "x != y",
    "abs(x)", "exp(x)", "log(x)", "log1p(x)", "sqrt(x)", "minimum(x, y)", "maximum(x, y)", "coalesce(x, y)",
    "coalesce(x / y, 1) - 2 ** x", "(x > 1) * coalesce(y, -1.5)",
)  # fmt: skip
NUMBERS = st.one_of(st.none(), st.integers(-9, 9).map(float), st.floats(allow_infinity=False))


@given(st.sampled_from(FORMULAS), st.lists(st.tuples(NUMBERS, NUMBERS), max_size=20))
def test_a_formulas_function_gives_the_values_and_nulls_of_the_formula(
    formula: str, rows: list[tuple[float | None, float | None]]
) -> None:
    inputs = pd.DataFrame({"x": [one for one, _ in rows], "y": [one for _, one in rows]})
    scope: dict[str, Any] = {"pd": pd}
    exec(function_of("made", "z", formula), scope)  # noqa: S102 - running the generated text is the point
    columns = {name: np.array(inputs[name], dtype=np.float64) for name in ("x", "y")}
    found = scope["made"](inputs)
    assert list(found) == ["z"]
    np.testing.assert_array_equal(found["z"], evaluate(formula, columns))


def test_the_configuration_names_feasts_stores() -> None:
    online = {"type": "redis", "connection_string": "localhost:6379"}
    text = to_feast(make(), online=online).configuration
    assert 'offline_store: {"type": "duckdb"}\n' in text
    assert 'online_store: {"type": "redis", "connection_string": "localhost:6379"}\n' in text
