"""What every online store does: replace all values at once, and give back exactly what was written."""

from __future__ import annotations

import math
import struct
import threading
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_core.adapters.online_store.memory import MemoryOnlineStore
from mlops_core.adapters.online_store.sqlite import SQLiteOnlineStore
from mlops_core.errors import DataError, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.ports import OnlineStore

T = datetime(2024, 3, 31, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture(params=["memory", "sqlite"])
def make(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], OnlineStore]:
    """Makes an empty store of every kind in turn."""
    if request.param == "memory":
        return MemoryOnlineStore
    return lambda: SQLiteOnlineStore(tmp_path_factory.mktemp("online") / "new folder" / "on line?#%.db")


@pytest.fixture
def store(make: Callable[[], OnlineStore]) -> OnlineStore:
    """An empty store."""
    return make()


def values(keys: list[Any], **features: Any) -> pa.Table:
    """A table of feature values by `customer`."""
    return pa.table({"customer": keys, **features})


def bits(number: float | None) -> bytes:
    """A float as its eight bytes, which tell -0.0 from 0.0."""
    assert isinstance(number, float)
    return struct.pack("<d", number)


def test_values_come_back_in_the_order_asked(store: OnlineStore) -> None:
    """None for who is not there, twice for who is asked for twice, features in their order."""
    state = store.write("churn", values([3, 1], orders=[5, 7], spend=[1.5, None]), "customer", T)
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
    store.write("other", values([1], n=[1]), "customer", T)
    assert store.state("churn") is None
    with pytest.raises(NotFound, match="'churn'"):
        store.read("churn", [1])


def test_a_write_replaces_everything_of_its_name(store: OnlineStore) -> None:
    """Who left the table is gone, features and kinds of keys may change, and other names stay."""
    store.write("other", values([1], n=[9]), "customer", T)
    store.write("churn", values([1, 2], n=[1, 2]), "customer", T)
    state = store.write("churn", values(["2"], m=[2.5]), "customer", T + timedelta(days=1))
    assert store.read("churn", [1, 2, "2"]) == [None, None, {"m": 2.5}]
    assert store.state("churn") == state
    assert store.read("other", [1]) == [{"n": 9}]


def test_an_empty_table_empties_the_store(store: OnlineStore) -> None:
    """Nobody is there, which is not the same as never written."""
    store.write("churn", values([1], n=[1]), "customer", T)
    assert store.write("churn", values([1], n=[1]).slice(1), "customer", T).rows == 0
    assert store.read("churn", [1]) == [None]


def test_keys_are_typed(store: OnlineStore) -> None:
    """ "1" is not 1, True is not 1, and text is not trimmed or folded."""
    store.write("numbers", values([1, 0, -(2**63), 2**63 - 1], n=[1, 2, 3, 4]), "customer", T)
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
    names = ["1", "01", "a", "A", "a ", "", "é", "e\u0301", "x\0y", "x", "'; DROP TABLE online_row; --"]
    store.write("texts", values(names, n=list(range(len(names)))), "customer", T)
    found = store.read("texts", [*names, 1, "x\0", "\ud800", "É"])
    assert [one and one["n"] for one in found] == [*range(len(names)), None, None, None, None]


def test_integers_stay_integers(store: OnlineStore) -> None:
    """Of any width, to the last digit, beside a null."""
    large = [2**63 - 1, -(2**63), None]
    store.write("churn", values([1, 2, 3], a=large, b=pa.array([1, 2, 3], pa.uint8())), "customer", T)
    found = [one or {} for one in store.read("churn", [1, 2, 3])]
    assert [one["a"] for one in found] == large
    assert [type(one["b"]) for one in found] == [int, int, int]


def test_floats_keep_every_bit(store: OnlineStore) -> None:
    """Negative zero, the least and the greatest, infinities; NaN is not null."""
    floats = [0.1, -0.0, 5e-324, 1.7976931348623157e308, math.inf, math.nan, None]
    store.write("churn", values(list(range(7)), x=floats), "customer", T)
    found = [one["x"] for one in store.read("churn", range(7)) if one]
    assert [bits(one) for one in found[:5]] == [bits(one) for one in floats[:5]]
    assert math.isnan(found[5] or 0)
    assert found[6] is None


def test_any_feature_name_works(store: OnlineStore) -> None:
    """Also one called as the store's own columns are, and no features at all."""
    names = ["key", "packed", "generation", "name", "a b", "it's", "é"]
    store.write("churn", values([1], **{name: [number] for number, name in enumerate(names)}), "customer", T)
    assert store.read("churn", [1]) == [dict(zip(names, range(7), strict=True))]
    store.write("churn", values([1]), "customer", T)
    assert store.read("churn", [1, 2]) == [{}, None]


def test_the_same_values_in_any_order_are_the_same_state(make: Callable[[], OnlineStore]) -> None:
    """Rows, chunks and widths do not show in the digest; values, names and the instant do."""
    one, other = make(), make()
    state = one.write("churn", values([1, 2], n=[1, None], x=[0.5, 1.5]), "customer", T)
    turned = pa.table(
        {"x": [1.5, 0.5], "customer": pa.array([2, 1], pa.int16()), "n": pa.array([None, 1], pa.int8())}
    )
    turned = pa.concat_tables([turned.slice(0, 1), turned.slice(1)]).select(["n", "customer", "x"])
    assert other.write("churn", turned, "customer", T.astimezone(timezone(timedelta(hours=9)))) == state
    assert other.write("churn", turned, "customer", T + timedelta(microseconds=1)) != state
    assert other.write("churn", values([1, 2], n=[1, 0], x=[0.5, 1.5]), "customer", T).digest != state.digest
    assert (
        other.write("churn", values([1, 2], m=[1, None], x=[0.5, 1.5]), "customer", T).digest != state.digest
    )


def test_an_instant_without_a_zone_is_utc(store: OnlineStore) -> None:
    """As everywhere."""
    assert store.write("churn", values([1], n=[1]), "customer", T.replace(tzinfo=None)).as_of == T
    state = store.state("churn")
    assert state is not None
    assert state.as_of == T


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pa.table({"n": [1]}), "one key column 'customer'"),
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
    state = store.write("churn", values([1], n=[1]), "customer", T)
    with pytest.raises(DataError, match=message):
        store.write("churn", table, "customer", T)
    assert store.state("churn") == state
    assert store.read("churn", [1]) == [{"n": 1}]


def test_readers_never_see_half_a_write(store: OnlineStore) -> None:
    """Whole generations of 500 entities are replaced while three threads read them all."""
    keys = list(range(500))

    def write(number: int) -> None:
        table = values(keys, a=[number] * 500, b=[float(number)] * 500)
        store.write("churn", table, "customer", T + timedelta(seconds=number))

    write(0)
    done = threading.Event()
    seen: list[set[tuple[object, object] | None]] = []
    errors: list[Exception] = []

    def read() -> None:
        try:
            while not done.is_set():
                seen.append({(one["a"], one["b"]) if one else None for one in store.read("churn", keys)})
                state = store.state("churn")
                assert state is not None
                assert state.rows == 500
        except Exception as error:  # a thread's error must reach the test
            errors.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(1, 25):
        write(number)
    done.set()
    for reader in readers:
        reader.join()
    assert not errors
    assert {len(one) for one in seen} == {1}
    assert all(pair and pair[0] == pair[1] for one in seen for pair in one)
    assert store.read("churn", [0]) == [{"a": 24, "b": 24.0}]


integers = st.none() | st.integers(-(2**63), 2**63 - 1)
floats = st.none() | st.floats(allow_nan=False)
pairs = st.tuples(integers, floats)
tables: st.SearchStrategy[dict[Any, Any]] = st.one_of(
    st.dictionaries(st.integers(-(2**63), 2**63 - 1), pairs, max_size=8),
    st.dictionaries(st.text(max_size=3), pairs, max_size=8),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=tables, second=tables)
def test_what_is_read_is_what_was_written_last(
    make: Callable[[], OnlineStore], first: dict[Any, Any], second: dict[Any, Any]
) -> None:
    """For any keys and values: the second table, and nothing of the first."""
    store = make()  # the fixture makes a new store an example
    for rows in (first, second):
        table = pa.table(
            {
                "customer": pa.array(
                    list(rows), pa.string() if any(isinstance(key, str) for key in rows) else pa.int64()
                ),
                "a": pa.array([row[0] for row in rows.values()], pa.int64()),
                "b": pa.array([row[1] for row in rows.values()], pa.float64()),
            }
        )
        store.write("churn", table, "customer", T)
    asked = [*first, *second]
    expected = [second.get(key) for key in asked]
    found = store.read("churn", asked)
    assert [one and (one["a"], one["b"]) for one in found] == expected
