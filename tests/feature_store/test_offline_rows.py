"""What every offline store does with spines: making them, keeping them, labelling them, refusing them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlops_core.domain.features import Count, Mean, Sum
from mlops_core.domain.time import close_of_day, days
from mlops_core.errors import BadInput, DataError, IntegrityError, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import OfflineStore

    Define = Callable[..., UseCase]
    Ingested = Callable[..., dict[str, Path]]

T = datetime(2024, 3, 31, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
SPINE = pa.schema([("customer", pa.int64()), ("event_timestamp", pa.timestamp("us", "UTC"))])


def orders(*rows: tuple[object, datetime]) -> pa.Table:
    """Orders as (customer, at)."""
    return pa.table({"customer": [key for key, _ in rows], "at": [at for _, at in rows]})


def spine(*rows: tuple[object, datetime]) -> pa.Table:
    """A spine of (customer, moment) rows."""
    return pa.table({"customer": [key for key, _ in rows], "event_timestamp": [at for _, at in rows]})


def test_the_spine_comes_back_as_it_was(define: Define, store: OfflineStore, ingested: Ingested) -> None:
    """Order, duplicates, null keys, chunks' contents, types and further columns: nothing is touched."""
    use_case = define(Count("n"))
    paths = ingested(use_case, orders=orders((1, T), (2, T), (2, T - days(1))))
    given = pa.table(
        {
            "note": ["b", "a", "a", None, "c"],
            "customer": pa.array([2, 1, 1, None, 9], pa.int16()),
            "event_timestamp": pa.array([T, T, T, T, T - days(1)], pa.timestamp("ms", "Asia/Tokyo")),
            "seen": [1.5, 2.5, 3.5, 4.5, 5.5],
        }
    )
    found = store.features(use_case, paths, pa.concat_tables([given.slice(0, 2), given.slice(2)]))
    assert found.drop_columns("n").equals(given)
    assert found["n"].to_pylist() == [2, 1, 1, 0, 0]
    labelled = store.labels(use_case, paths["orders"], given)
    assert labelled.drop_columns("gone").equals(given)


@pytest.mark.parametrize(
    "kind", [pa.timestamp("us"), pa.timestamp("s", "UTC"), pa.timestamp("us", "America/Lima")]
)
def test_the_zone_of_a_spine_is_converted(
    define: Define, store: OfflineStore, ingested: Ingested, kind: pa.DataType
) -> None:
    """The same instants in other clothes; naive is UTC."""
    paths = ingested(define(Count("n")), orders=orders((1, T)))
    moments = pa.array([T - timedelta(seconds=1), T], pa.timestamp("us", "UTC")).cast(kind)
    found = store.features(
        define(Count("n")), paths, pa.table({"customer": [1, 1], "event_timestamp": moments})
    )
    assert found["n"].to_pylist() == [0, 1]


def test_a_spine_in_nanoseconds_never_sees_ahead(
    define: Define, store: OfflineStore, ingested: Ingested
) -> None:
    """1 ns before an event, it is not seen, before 1970 neither: moments are rounded down."""
    for moment in (T, datetime(1960, 1, 1, tzinfo=UTC)):
        paths = ingested(define(Count("n")), orders=orders((1, moment)))
        nanos = [int(moment.timestamp()) * 10**9 + more for more in (-1, 0, 1)]
        moments = pa.array(nanos, pa.timestamp("ns", "UTC"))
        given = pa.table({"customer": [1] * 3, "event_timestamp": moments})
        assert store.features(define(Count("n")), paths, given)["n"].to_pylist() == [0, 1, 1]


def test_columns_have_the_types_that_are_promised(
    define: Define, store: OfflineStore, ingested: Ingested
) -> None:
    """Also for an empty spine, which gives an empty answer."""
    use_case = define(Count("n"), Sum("s", "customer"), Mean("m", "customer"))
    paths = ingested(use_case, orders=orders((1, T)))
    for given in (SPINE.empty_table(), spine((1, T)).cast(SPINE)):
        found = store.features(use_case, paths, given)
        assert found.schema.types[2:] == [pa.int64(), pa.float64(), pa.float64()]
        assert found.num_rows == given.num_rows
        assert store.labels(use_case, paths["orders"], given).schema.types[2:] == [pa.int8()]


def test_a_spine_has_who_was_seen_by_each_instant(
    define: Define, store: OfflineStore, ingested: Ingested
) -> None:
    """Sorted by instant and key, once each, whatever the order and zones of the instants asked for."""
    use_case = define(Count("n"))
    paths = ingested(use_case, orders=orders((10, T), (2, T - days(9)), (2, T), (3, T + TICK)))
    elsewhere = (T - days(1)).astimezone(tz=None)
    found = store.spine(use_case, paths["orders"], [T, elsewhere, T - days(1), T - days(20)])
    assert found.equals(spine((2, T - days(1)), (2, T), (10, T)).cast(SPINE))


def test_a_spine_leaves_out_who_was_not_recorded_by_then(
    define: Define, store: OfflineStore, ingested: Ingested
) -> None:
    """Whatever the visibility of the views: nobody could have asked for them."""
    use_case = define(Count("n"), created="recorded", visibility="event")
    table = orders((1, T - days(3)), (1, T - days(2)), (2, T)).append_column(
        "recorded", [[T, T - days(1), T]]
    )
    paths = ingested(use_case, orders=table)
    found = store.spine(use_case, paths["orders"], [T - days(1) - TICK, T - days(1), T])
    assert found.equals(spine((1, T - days(1)), (1, T), (2, T)).cast(SPINE))


def test_a_spine_of_no_instants_is_empty(define: Define, store: OfflineStore, ingested: Ingested) -> None:
    """With its columns and types all the same; keys of strings stay strings."""
    use_case = define(Count("n"))
    paths = ingested(use_case, orders=orders((1, T)))
    assert store.spine(use_case, paths["orders"], []).equals(SPINE.empty_table())
    paths = ingested(use_case, orders=orders(("b", T), ("a", T), ("é", T), ("Z", T)))
    assert store.spine(use_case, paths["orders"], [T])["customer"].to_pylist() == ["Z", "a", "b", "é"]


def test_a_label_looks_at_what_follows_up_to_its_horizon(
    define: Define, store: OfflineStore, ingested: Ingested
) -> None:
    """(T, T + horizon]: an event at T is past, one at the horizon's end is in."""
    use_case = define(Count("n"), horizon=days(30))
    paths = ingested(
        use_case, orders=orders((1, T), (2, T + TICK), (3, T + days(30)), (4, T + days(30) + TICK))
    )
    asked = spine((4, T), (3, T), (2, T), (1, T), (None, T), (5, T), (4, T + TICK))
    assert store.labels(use_case, paths["orders"], asked)["gone"].to_pylist() == [1, 0, 0, 1, 1, 1, 0]


def test_a_label_may_be_a_sum_of_what_follows(
    define: Define, store: OfflineStore, ingested: Ingested
) -> None:
    """Over (T, T + horizon]; nulls and rows without events are 0, and what is returned counts against it."""
    use_case = define(Count("n"), horizon=days(30), summed="usd")
    at = [T, T + TICK, T + days(30), T + days(30) + TICK, T + days(1), T + days(2)]
    table = pa.table({"customer": [1, 1, 1, 1, 2, 3], "at": at, "usd": [1.0, 2.5, -0.5, 64.0, None, 0.1]})
    paths = ingested(use_case, orders=table)
    asked = spine((3, T), (1, T), (2, T), (None, T), (9, T), (1, T + TICK))
    labelled = store.labels(use_case, paths["orders"], asked)
    assert labelled["spent"].type == pa.float64()
    assert labelled["spent"].to_pylist() == [0.1, 2.0, 0.0, 0.0, 0.0, 63.5]
    assert labelled.drop_columns("spent").equals(asked)


def test_neither_delay_nor_record_hides_from_a_sum(
    define: Define, store: OfflineStore, ingested: Ingested
) -> None:
    """The last version of an event is what happened; `as_known_at` decides which that is."""
    use_case = define(
        Count("n"), created="recorded", summed="usd", order={"event_id": "order", "delay": days(300)}
    )
    table = pa.table(
        {
            "customer": [1, 1],
            "order": [7, 7],
            "at": [T + days(1), T + days(1)],
            "recorded": [T + days(1), T + days(99)],
            "usd": [10.0, 4.0],
        }
    )
    path = ingested(use_case, orders=table)["orders"]
    assert store.labels(use_case, path, spine((1, T)))["spent"].to_pylist() == [4.0]
    then = store.labels(use_case, path, spine((1, T)), as_known_at=T + days(98))
    assert then["spent"].to_pylist() == [10.0]


def test_sums_of_a_label_are_exact(define: Define, store: OfflineStore, ingested: Ingested) -> None:
    """In whatever order, and past what an int64 holds; past the range of floats they are refused."""
    use_case = define(Count("n"), summed="usd")
    at = [T + days(1)] * 4
    for values, total in (([1e16, 1.0, -1e16, 1.0], 2.0), ([2**62] * 4, float(2**64))):
        table = pa.table({"customer": [1] * 4, "at": at, "usd": values})
        path = ingested(use_case, orders=table)["orders"]
        assert store.labels(use_case, path, spine((1, T)))["spent"].to_pylist() == [total]
    table = pa.table({"customer": [1] * 4, "at": at, "usd": [1.5e308] * 4})
    with pytest.raises(DataError, match="range of float64"):
        store.labels(use_case, ingested(use_case, orders=table)["orders"], spine((1, T)))


def test_a_label_asks_what_happened_not_when_it_was_recorded(
    define: Define, store: OfflineStore, ingested: Ingested
) -> None:
    """A late record is still an event; dates count at the close of their day."""
    use_case = define(Count("n"), created="recorded", horizon=days(1))
    table = pa.table({"customer": [1], "at": [date(2024, 4, 1)], "recorded": [date(2025, 1, 1)]})
    paths = ingested(use_case, orders=table)
    asked = spine((1, close_of_day(T)), (1, close_of_day(T) - TICK), (1, T + days(1)))
    assert store.labels(use_case, paths["orders"], asked)["gone"].to_pylist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (pa.table({"customer": [1]}), "'event_timestamp'"),
        (pa.table({"event_timestamp": [T]}), "'customer'"),
        (
            pa.table([[1], [1], [T]], names=["customer", "customer", "event_timestamp"]),
            "one column 'customer'",
        ),
        (pa.table({"customer": ["1"], "event_timestamp": [T]}), '"1" is not 1'),
        (pa.table({"customer": [1.0], "event_timestamp": [T]}), "integers or strings, not double"),
        (pa.table({"customer": [1], "event_timestamp": [1]}), "timestamps, not int64"),
        (pa.table({"customer": [1, 1], "event_timestamp": [T, None]}), "event_timestamp is null in row 2"),
        (
            pa.table({"customer": pa.array([2**63], pa.uint64()), "event_timestamp": [T]}),
            "customer does not fit",
        ),
        (pa.table({"customer": [1], "event_timestamp": [T], "n": [0], "gone": [0]}), "already"),
    ],
)
def test_a_spine_that_cannot_be_meant_is_refused(
    define: Define, store: OfflineStore, ingested: Ingested, given: pa.Table, message: str
) -> None:
    """By features and labels alike, naming what is wrong with it."""
    paths = ingested(define(Count("n")), orders=orders((1, T)))
    with pytest.raises(DataError, match=message):
        store.features(define(Count("n")), paths, given)
    with pytest.raises(DataError, match=message):
        store.labels(define(Count("n")), paths["orders"], given)


def test_events_that_are_not_there_are_named(define: Define, store: OfflineStore, tmp_path: Path) -> None:
    """Neither handed in, nor at their path, nor Parquet, nor ingested for these definitions."""
    use_case = define(Sum("s", "usd"))
    with pytest.raises(BadInput, match="events of source 'orders' are needed"):
        store.features(use_case, {}, SPINE.empty_table())
    path = tmp_path / "orders.parquet"
    with pytest.raises(NotFound, match=r"orders\.parquet"):
        store.features(use_case, {"orders": path}, SPINE.empty_table())
    path.write_bytes(b"PAR1 this is none PAR1")
    with pytest.raises(IntegrityError, match=r"orders\.parquet.* damaged"):
        store.features(use_case, {"orders": path}, SPINE.empty_table())
    pq.write_table(orders((1, T)), path)
    with pytest.raises(DataError, match="lack 'usd'"):
        store.features(use_case, {"orders": path}, SPINE.empty_table())


@pytest.mark.live
def test_damaged_events_never_give_a_wrong_answer(
    define: Define, store: OfflineStore, ingested: Ingested
) -> None:
    """One bit here and there: it is noticed, or it was one that says nothing (statistics)."""
    use_case = define(Sum("s", "usd"))
    table = pa.table({"customer": range(99), "at": [T] * 99, "usd": range(99)})
    paths = ingested(use_case, orders=table)
    asked = table.select(["customer"]).append_column("event_timestamp", table["at"])
    whole = paths["orders"].read_bytes()
    noticed = 0
    for position in range(4, len(whole), 29):
        paths["orders"].write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        try:
            assert store.features(use_case, paths, asked)["s"].to_pylist() == list(range(99))
        except IntegrityError:
            noticed += 1
    assert noticed > 20


def test_a_path_may_have_any_name(define: Define, store: OfflineStore, tmp_path: Path) -> None:
    """Quotes and spaces, and what an engine may read as a partition or as a pattern, which decoys fit."""
    use_case = define(Count("n"))
    for name, decoy in (("e*.parquet", "e2.parquet"), ("[a]?", "ab"), ("it's [a]", "it's a"), ("{a,b}", "a")):
        pq.write_table(orders((1, T)), tmp_path / "orders.parquet")
        folder = tmp_path / "a folder's" / "customer=5"
        store.ingest(use_case, use_case.sources[0], tmp_path / "orders.parquet", folder / name)
        pq.write_table(orders((1, T), (1, T)), tmp_path / "orders.parquet")
        store.ingest(use_case, use_case.sources[0], tmp_path / "orders.parquet", folder / decoy)
        found = store.features(use_case, {"orders": folder / name}, spine((1, T), (5, T)))
        assert found["n"].to_pylist() == [1, 0]
