"""Keys of every online store: typed, of one column or several, whatever they hold."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.ports import OnlineStore

T = datetime(2024, 3, 31, 12, 0, 0, 123456, tzinfo=UTC)


def values(keys: list[Any], **features: Any) -> pa.Table:
    """A table of feature values by `customer`."""
    return pa.table({"customer": keys, **features})


def test_keys_are_typed(store: OnlineStore) -> None:
    """ "1" is not 1, True is not 1, and text is not trimmed or folded."""
    store.write("numbers", values([1, 0, -(2**63), 2**63 - 1], n=[1, 2, 3, 4]), ["customer"], T)
    asked: list[Any] = [1, "1", True, False, 2**63 - 1, -(2**63), 2**63, -(2**64)]
    assert [one and one["n"] for one in store.read("numbers", asked)] == [
        1,
        None,
        None,
        None,
        4,
        3,
        None,
        None,
    ]
    names = ["1", "01", "a", "A", "a ", "", "é", "e\u0301", "x\0y", "x", "'; DROP TABLE feature_row; --"]
    store.write("texts", values(names, n=list(range(len(names)))), ["customer"], T)
    found = store.read("texts", [*names, 1, "x\0", "\ud800", "É"])
    assert [one and one["n"] for one in found] == [*range(len(names)), None, None, None, None]


def test_parts_of_a_composite_key_never_run_together(store: OnlineStore) -> None:
    """Texts that are one when put side by side, and quotes and brackets of whatever holds them together."""
    keys = [
        ("1", "11"),
        ("11", "1"),
        ("", "111"),
        ("111", ""),
        ('","', ""),
        ("", '","'),
        ("[", "]"),
        ("é", "1"),
    ]
    first, second = zip(*keys, strict=True)
    table = pa.table({"a": first, "b": second, "n": list(range(len(keys)))})
    assert store.write("pairs", table, ["a", "b"], T).rows == len(keys)
    found = store.read("pairs", [*keys, ("1", "1"), ("1", "11", ""), "1", '["1","11"]'])
    assert [one and one["n"] for one in found] == [*range(len(keys)), None, None, None, None]


def test_parts_of_a_composite_key_are_typed(store: OnlineStore) -> None:
    """(1, "1") is not ("1", 1), and their order is that of the key columns."""
    table = pa.table({"n": [7, 8], "shop": ["1", "2"], "customer": [1, 1]})
    store.write("pairs", table, ["customer", "shop"], T)
    asked: list[Any] = [(1, "1"), ("1", 1), ("1", "1"), (1, 1), (True, "1"), (1, "2"), (1,), 1, (1.0, "1")]
    found = store.read("pairs", asked)
    assert [one and one["n"] for one in found] == [7, None, None, None, None, 8, None, None, None]
    store.write("turned", table, ["shop", "customer"], T)
    assert store.read("turned", [("1", 1), (1, "1")]) == [{"n": 7}, None]


def test_a_key_of_one_column_is_no_tuple(store: OnlineStore) -> None:
    """And a text that looks like a composite key is a text."""
    store.write("churn", values(['["1",11]', "1"], n=[1, 2]), ["customer"], T)
    assert store.read("churn", ["1", ("1",), ("1", 11), '["1",11]']) == [{"n": 2}, None, None, {"n": 1}]


def test_a_composite_key_that_cannot_be_meant_is_refused(store: OnlineStore) -> None:
    """A part that is null or missing, the same pair twice, the same column twice, no column at all."""
    pairs = pa.table({"a": [1, 1, None], "b": ["x", "x", "y"], "n": [1, 2, 3]})
    with pytest.raises(DataError, match=r"'a', 'b' is null in 1 and repeated in 1 of 3 rows"):
        store.write("pairs", pairs, ["a", "b"], T)
    for keys in (["a", "c"], ["a", "a"], []):
        with pytest.raises(DataError, match="one column for each key of"):
            store.write("pairs", pairs, keys, T)
    assert store.state("pairs") is None


integers = st.none() | st.integers(-(2**63), 2**63 - 1)
floats = st.none() | st.floats(allow_nan=False)
pairs = st.tuples(integers, floats)
numbers, texts = st.integers(-(2**63), 2**63 - 1), st.text(max_size=3)
tables: st.SearchStrategy[dict[Any, Any]] = st.one_of(
    *(
        st.dictionaries(keys, pairs, max_size=8)
        for keys in (numbers, texts, st.tuples(numbers, texts), st.tuples(texts, texts))
    )
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=tables, second=tables)
def test_what_is_read_is_what_was_written_last(
    make: Callable[[], OnlineStore], first: dict[Any, Any], second: dict[Any, Any]
) -> None:
    """For any keys and values: the second table, and nothing of the first."""
    store = make()  # the fixture makes a new store an example
    for rows in (first, second):
        keys = [key if isinstance(key, tuple) else (key,) for key in rows] or [(0,)]
        columns = {
            f"k{number}": pa.array(part, pa.string() if isinstance(part[0], str) else pa.int64())
            for number, part in enumerate(zip(*keys, strict=True))
        }
        features = {
            "a": pa.array([row[0] for row in rows.values()] or [0], pa.int64()),
            "b": pa.array([row[1] for row in rows.values()] or [0], pa.float64()),
        }
        store.write("churn", pa.table(columns | features).slice(0, len(rows)), list(columns), T)
    asked = [*first, *second]
    found = store.read("churn", asked)
    assert [one and (one["a"], one["b"]) for one in found] == [second.get(key) for key in asked]
