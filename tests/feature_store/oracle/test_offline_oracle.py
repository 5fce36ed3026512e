"""Every engine against brute force: features, spines and labels on random histories."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import strategies as st

from mlops_core.domain.features import Mean, StdDev, Sum
from mlops_core.point_in_time import historical_features

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from mlops_core.ports import OfflineStore

    Make = Callable[..., Any]


def same(found: pa.Table, expected: pa.Table, tolerances: dict[str, float]) -> None:
    """Integers and picked values are equal exactly, what was computed to 1e-9 or its tolerance."""
    assert found.schema == expected.schema
    for name in found.column_names:
        values, right = found[name].to_pylist(), expected[name].to_pylist()
        if name in tolerances:
            allowed = tolerances[name]
            right = [one and pytest.approx(one, rel=1e-9, abs=allowed) for one in right]
        assert values == right, name


def tolerances_of(history: Any) -> dict[str, float]:
    """How far each computed feature may be off besides 1e-9 of itself; a deviation 1e-9 of its column."""
    allowed: dict[str, float] = {}
    for view in history.use_case.views:
        for feature in view.features:
            if isinstance(feature, Sum | Mean):
                allowed[feature.name] = 0.0
            elif isinstance(feature, StdDev):
                values = [abs(float(row[feature.column])) for row in history.orders if row[feature.column]]
                allowed[feature.name] = 1e-9 * max(values, default=0.0)
    return allowed


def on_demand(first: float | None, second: float | None, third: float | None) -> float | None:
    """The formula of `conftest`, `coalesce(first, 1) / (second - third)`, for one row."""
    if second is None or third is None or float(second) == float(third):
        return None
    return (1.0 if first is None else float(first)) / (float(second) - float(third))


def test_features_equal_brute_force(
    always: Make,
    draw_history: Make,
    draw_spine: Make,
    stored: Make,
    engine: OfflineStore,
    oracle: OfflineStore,
) -> None:
    """Aggregates, latest values and those on demand, now and as they were known on a day."""

    def holds(data: st.DataObject) -> None:
        history, spine = draw_history(data), draw_spine(data)
        known_at = data.draw(st.none() | st.sampled_from([row["recorded"] for row in history.orders]))
        events = stored(oracle, history)
        found, expected = (
            historical_features(history.use_case, store, events, spine, as_known_at=known_at)
            for store in (engine, oracle)
        )
        same(found.drop_columns("d"), expected.drop_columns("d"), tolerances_of(history))
        inputs = (found[name].to_pylist() for name in history.use_case.on_demand[0].inputs)
        assert found["d"].to_pylist() == [on_demand(*row) for row in zip(*inputs, strict=True)]

    always(holds, few=15)


def test_spines_and_labels_equal_brute_force(
    always: Make,
    draw_history: Make,
    draw_spine: Make,
    stored: Make,
    engine: OfflineStore,
    oracle: OfflineStore,
) -> None:
    """Row by row, also as they were known on a day."""

    def holds(data: st.DataObject) -> None:
        history, asked = draw_history(data), draw_spine(data)
        instants = [row[name] for row in history.orders for name in ("at", "recorded")]
        known_at = data.draw(st.none() | st.sampled_from(instants))
        at = data.draw(st.lists(st.sampled_from(instants), max_size=4))
        use_case, events = history.use_case, stored(oracle, history)["orders"]
        ticks = [one + timedelta(microseconds=1) for one in at]
        spine = oracle.spine(use_case, events, at + ticks, as_known_at=known_at)
        assert engine.spine(use_case, events, at + ticks, as_known_at=known_at).equals(spine)
        for rows in (spine, asked):
            expected = oracle.labels(use_case, events, rows, as_known_at=known_at)
            labelled = engine.labels(use_case, events, rows, as_known_at=known_at)
            sums = {use_case.label.name: 0.0} if use_case.task == "regression" else {}
            same(labelled, expected, sums)

    always(holds, few=15)
