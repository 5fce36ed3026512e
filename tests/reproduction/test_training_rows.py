"""Differences between two training sets, against a comparison in plain Python."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from mlops_core.reproduction.training_rows import changed_rows

START = datetime(2024, 1, 31, tzinfo=UTC)
KEYS = st.tuples(st.integers(1, 4), st.sampled_from(["a", "b"]), st.integers(0, 2))
VALUES = st.tuples(
    st.sampled_from([None, 0.0, 1.5, float("nan")]),
    st.sampled_from([None, 0, 1]),
    st.sampled_from(["fit", "x"]),
)
ROWS = st.dictionaries(KEYS, VALUES, max_size=12)
COLUMNS = ("spend", "orders", "split")


def table(rows: dict[tuple[int, str, int], tuple[Any, ...]]) -> pa.Table:
    """Rows of a composite key and an instant, in their order."""
    return pa.table(
        {
            "customer": pa.array([key[0] for key in rows], pa.int64()),
            "shop": pa.array([key[1] for key in rows], pa.string()),
            "event_timestamp": pa.array(
                [START + timedelta(days=30 * key[2]) for key in rows], pa.timestamp("us", "UTC")
            ),
            "spend": pa.array([one[0] for one in rows.values()], pa.float64()),
            "orders": pa.array([one[1] for one in rows.values()], pa.int64()),
            "split": pa.array([one[2] for one in rows.values()], pa.string()),
        }
    )


def same(one: Any, other: Any) -> bool:
    """Equal, or both missing."""
    missing = [value is None or value != value for value in (one, other)]
    return all(missing) if any(missing) else bool(one == other)


@given(ROWS, ROWS)
def test_rows_and_columns_that_differ_are_counted(then: dict[Any, Any], now: dict[Any, Any]) -> None:
    """As a dictionary of rows says."""
    found = changed_rows(table(then), table(now), ["customer", "shop"])
    both = then.keys() & now.keys()
    unequal = {
        name: sum(not same(then[key][place], now[key][place]) for key in both)
        for place, name in enumerate(COLUMNS)
    }
    assert (found.then, found.now) == (len(then), len(now))
    assert (found.gone, found.new) == (len(then) - len(both), len(now) - len(both))
    assert found.columns == {name: count for name, count in unequal.items() if count}
    assert found.changed == sum(
        any(not same(*pair) for pair in zip(then[key], now[key], strict=True)) for key in both
    )


def test_columns_of_one_side_are_named() -> None:
    """And one whose type changed differs in every row."""
    then = table({(1, "a", 0): (1.5, 1, "fit")})
    now = then.drop_columns(["split"]).append_column("basket", pa.array([1.0]))
    now = now.set_column(now.column_names.index("orders"), "orders", pa.array([1.0]))
    found = changed_rows(then, now, ["customer", "shop"])
    assert (found.gone_columns, found.new_columns) == (("split",), ("basket",))
    assert found.columns == {"orders": 1}
