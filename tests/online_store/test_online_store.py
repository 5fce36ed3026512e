"""What every online store does: replace all values at once, and give back exactly what was written."""

from __future__ import annotations

import math
import struct
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from mlops_core.errors import DataError, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.ports import OnlineStore

T = datetime(2024, 3, 31, 12, 0, 0, 123456, tzinfo=UTC)


def values(keys: list[Any], **features: Any) -> pa.Table:
    """A table of feature values by `customer`."""
    return pa.table({"customer": keys, **features})


def bits(number: float | None) -> bytes:
    """A float as its eight bytes, which tell -0.0 from 0.0."""
    assert isinstance(number, float)
    return struct.pack("<d", number)


def test_values_come_back_in_the_order_asked(store: OnlineStore) -> None:
    """None for who is not there, twice for who is asked for twice, features in their order."""
    state = store.write("churn", values([3, 1], orders=[5, 7], spend=[1.5, None]), ["customer"], T)
    assert store.read("churn", [1, 2, 3, 1]) == [
        {"orders": 7, "spend": None},
        None,
        {"orders": 5, "spend": 1.5},
        {"orders": 7, "spend": None},
    ]
    assert [list(one or ()) for one in store.read("churn", [3])] == [["orders", "spend"]]
    assert store.read("churn", []) == []
    assert store.state("churn") == state
    assert (state.as_of, state.rows) == (T, 2)


def test_nothing_written_is_not_nothing_found(store: OnlineStore) -> None:
    """`NotFound` until the first write of that name, no state, and reading makes nothing."""
    for _ in range(2):
        assert store.state("churn") is None
        with pytest.raises(NotFound, match="no online values of 'churn'"):
            store.read("churn", [1])
    store.write("other", values([1], n=[1]), ["customer"], T)
    assert store.state("churn") is None
    with pytest.raises(NotFound, match="'churn'"):
        store.read("churn", [1])


def test_a_write_replaces_everything_of_its_name(store: OnlineStore) -> None:
    """Who left the table is gone, features and kinds of keys may change, and other names stay."""
    store.write("other", values([1], n=[9]), ["customer"], T)
    store.write("churn", values([1, 2], n=[1, 2]), ["customer"], T)
    state = store.write("churn", values(["2"], m=[2.5]), ["customer"], T + timedelta(days=1))
    assert store.read("churn", [1, 2, "2"]) == [None, None, {"m": 2.5}]
    assert store.state("churn") == state
    assert store.read("other", [1]) == [{"n": 9}]


def test_an_empty_table_empties_the_store(store: OnlineStore) -> None:
    """Nobody is there, which is not the same as never written."""
    store.write("churn", values([1], n=[1]), ["customer"], T)
    assert store.write("churn", values([1], n=[1]).slice(1), ["customer"], T).rows == 0
    assert store.read("churn", [1]) == [None]


def test_integers_stay_integers(store: OnlineStore) -> None:
    """Of any width, to the last digit, beside a null."""
    large = [2**63 - 1, -(2**63), None]
    store.write("churn", values([1, 2, 3], a=large, b=pa.array([1, 2, 3], pa.uint8())), ["customer"], T)
    found = [one or {} for one in store.read("churn", [1, 2, 3])]
    assert [one["a"] for one in found] == large
    assert [type(one["b"]) for one in found] == [int, int, int]


def test_floats_keep_every_bit(store: OnlineStore) -> None:
    """Negative zero, the least and the greatest, infinities; NaN is not null."""
    floats = [0.1, -0.0, 5e-324, 1.7976931348623157e308, math.inf, math.nan, None]
    store.write("churn", values(list(range(7)), x=floats), ["customer"], T)
    found = [one["x"] for one in store.read("churn", range(7)) if one]
    assert [bits(one) for one in found[:5]] == [bits(one) for one in floats[:5]]
    assert math.isnan(found[5] or 0)
    assert found[6] is None


def test_any_feature_name_works(store: OnlineStore) -> None:
    """Also one called as the store's own columns are, and no features at all."""
    names = ["key", "packed", "set_id", "name", "a b", "it's", "é"]
    store.write(
        "churn", values([1], **{name: [number] for number, name in enumerate(names)}), ["customer"], T
    )
    assert store.read("churn", [1]) == [dict(zip(names, range(7), strict=True))]
    store.write("churn", values([1]), ["customer"], T)
    assert store.read("churn", [1, 2]) == [{}, None]


def test_the_same_values_in_any_order_are_the_same_state(make: Callable[[], OnlineStore]) -> None:
    """Rows, chunks and widths do not show in the digest; values, names and the instant do."""
    state = make().write("churn", values([1, 2], n=[1, None], x=[0.5, 1.5]), ["customer"], T)
    turned = pa.table(
        {"x": [1.5, 0.5], "customer": pa.array([2, 1], pa.int16()), "n": pa.array([None, 1], pa.int8())}
    )
    turned = pa.concat_tables([turned.slice(0, 1), turned.slice(1)]).select(["n", "customer", "x"])
    there = T.astimezone(timezone(timedelta(hours=9)))
    assert make().write("churn", turned, ["customer"], there) == state
    assert make().write("churn", turned, ["customer"], T + timedelta(microseconds=1)) != state
    for other in (values([1, 2], n=[1, 0], x=[0.5, 1.5]), values([1, 2], m=[1, None], x=[0.5, 1.5])):
        assert make().write("churn", other, ["customer"], T).digest != state.digest


def test_values_as_of_an_earlier_instant_change_nothing(store: OnlineStore) -> None:
    """What holds is returned; the fraction of a second counts (feast: older data overwrote newer)."""
    state = store.write("churn", values([1, 2], n=[1, 2]), ["customer"], T)
    earlier = T - timedelta(microseconds=1)
    assert store.write("churn", values([1, 3], n=[8, 9]), ["customer"], earlier) == state
    assert store.state("churn") == state
    assert store.read("churn", [1, 2, 3]) == [{"n": 1}, {"n": 2}, None]


def test_late_rows_at_the_same_instant_reach_readers(store: OnlineStore) -> None:
    """Late data changes values as of an instant that was stored already (feast#4133)."""
    store.write("churn", values([1, 2], n=[1, 2]), ["customer"], T)
    state = store.write("churn", values([1, 2, 3], n=[1, 5, 3]), ["customer"], T)
    assert store.state("churn") == state
    assert store.read("churn", [1, 2, 3]) == [{"n": 1}, {"n": 5}, {"n": 3}]


def test_a_run_to_a_later_instant_blocks_no_later_one(store: OnlineStore) -> None:
    """Nor do the same values again, which only move the instant (feast#4222)."""
    for days in range(3):
        state = store.write("churn", values([1], n=[1]), ["customer"], T + timedelta(days=days))
        assert store.state("churn") == state
        assert state.as_of == T + timedelta(days=days)
    store.write("churn", values([1], n=[2]), ["customer"], T + timedelta(days=3))
    assert store.read("churn", [1]) == [{"n": 2}]


def test_writing_the_same_again_changes_nothing(store: OnlineStore) -> None:
    """State and values are as they were."""
    table = values([1, 2], n=[1, None], x=[math.nan, -0.0])
    states = {store.write("churn", table, ["customer"], T).model_dump_json() for _ in range(3)}
    assert len(states) == 1
    assert store.read("churn", [2]) == [{"n": None, "x": -0.0}]


def test_an_entity_that_left_is_gone_and_a_null_is_there(store: OnlineStore) -> None:
    """A null newest value differs from a key that is missing."""
    store.write("churn", values(list(range(1_000)), n=[1] * 1_000), ["customer"], T)
    left = values(list(range(0, 1_000, 2)), n=[None if key == 4 else 1 for key in range(0, 1_000, 2)])
    left = left.set_column(1, "n", left["n"].cast(pa.int64()))
    assert store.write("churn", left, ["customer"], T + timedelta(days=1)).rows == 500
    assert store.read("churn", [2, 3, 4, 999]) == [{"n": 1}, None, {"n": None}, None]


def test_features_that_come_and_go_change_every_row(store: OnlineStore) -> None:
    """Also when the bytes of a row stay: 0 and 0.0, or the same value under another name."""
    store.write("churn", values([1], n=[0], m=[1]), ["customer"], T)
    store.write("churn", values([1], n=[0.0], m=[1]), ["customer"], T)
    (row,) = store.read("churn", [1])
    assert [type(value) for value in (row or {}).values()] == [float, int]
    store.write("churn", values([1], m=[0.0], n=[1]), ["customer"], T)
    assert store.read("churn", [1]) == [{"m": 0.0, "n": 1}]
    store.write("churn", values([1], m=[0.0]), ["customer"], T)
    assert store.read("churn", [1]) == [{"m": 0.0}]


def test_many_entities_are_read_at_once(store: OnlineStore) -> None:
    """In the order asked, those that are there and those that are not, some of them twice."""
    keys = list(range(0, 6_000, 2))
    store.write("churn", values(keys, n=keys), ["customer"], T)
    asked = [*range(2_999, -1, -1), *range(1_500)]
    assert store.read("churn", asked) == [{"n": key} if key % 2 == 0 else None for key in asked]


def test_sets_are_listed_and_dropped_one_by_one(store: OnlineStore) -> None:
    """Whatever they are called; dropping what is not there is nothing, and a dropped set may come again."""
    names = ["churn@2", "a b", "é", "churn", "*", "{x}", "it's"]
    assert store.names() == []
    store.drop("churn")
    for number, name in enumerate(names):
        store.write(name, values([1], n=[number]), ["customer"], T)
    assert store.names() == sorted(names)
    store.drop("*")
    store.drop("churn")
    assert store.names() == sorted({*names} - {"*", "churn"})
    assert store.state("churn") is None
    with pytest.raises(NotFound, match="'churn'"):
        store.read("churn", [1])
    assert store.read("churn@2", [1]) == [{"n": 0}]
    earlier = T - timedelta(days=1)
    assert store.write("churn", values([2], n=[5]), ["customer"], earlier).as_of == earlier
    assert store.read("churn", [1, 2]) == [None, {"n": 5}]


def test_an_instant_without_a_zone_is_utc(store: OnlineStore) -> None:
    """As everywhere."""
    assert store.write("churn", values([1], n=[1]), ["customer"], T.replace(tzinfo=None)).as_of == T
    state = store.state("churn")
    assert state is not None
    assert state.as_of == T


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pa.table({"n": [1]}), r"one column for each key of \['customer'\]"),
        (pa.table([[1], [1], [1]], names=["customer", "n", "n"]), "names that differ"),
        (values([1, None, 1], n=[1, 2, 3]), "null in 1 and repeated in 1 of 3 rows"),
        (values([1.0], n=[1]), "'customer' must be integers or strings, found double"),
        (values([1], n=["x"]), "'n' must be integers or floats, found string"),
        (values([1], n=[True]), "'n' must be integers or floats, found bool"),
        (values([1], n=[T]), "'n' must be integers or floats, found timestamp"),
        (values([1], n=pa.array([2**63], pa.uint64())), "too large for 64 bits"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(store: OnlineStore, table: pa.Table, message: str) -> None:
    """And what was there stays."""
    state = store.write("churn", values([1], n=[1]), ["customer"], T)
    with pytest.raises(DataError, match=message):
        store.write("churn", table, ["customer"], T)
    assert store.state("churn") == state
    assert store.read("churn", [1]) == [{"n": 1}]
