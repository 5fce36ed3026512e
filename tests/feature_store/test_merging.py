"""Upserts that can be repeated."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_core.domain.digest import digest_table
from mlops_core.domain.features import Count, Latest, Sum
from mlops_core.domain.history import Merged
from mlops_core.domain.views import FeatureView
from mlops_core.errors import DataError, IntegrityError, NotFound
from tests.feature_store.histories import DAY, History, T, event

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlops_core.domain.usecase import UseCase

    Define = Callable[..., UseCase]
    Rows = list[dict[str, Any]]


def test_events_are_added_as_often_as_the_batch_has_them(tmp_path: Path, define: Define) -> None:
    """Two equal purchases are two; the same file delivered again is not four."""
    history = History(define(Sum("s", "usd")), tmp_path)
    found = history.merged([event()], [event(), event(), event(2)], [event(), event()])
    assert found["customer"].to_pylist() == [1, 1, 2]
    assert history.changed == [Merged(added=2, removed=0), Merged(added=0, removed=0)]


def test_rows_of_features_replace_those_of_their_key_and_time(tmp_path: Path, define: Define) -> None:
    """A restatement with another created timestamp is a row of its own."""
    history = History(define(Latest("usd"), created="seen"), tmp_path)
    stored = [event(seen=T, usd=1), event(2, seen=T, usd=2)]
    batch = [event(seen=T, usd=9), event(seen=T + DAY, usd=8), event(2, seen=T, usd=2)]
    assert history.merged(stored, batch)["usd"].to_pylist() == [9, 8, 2]
    assert history.changed == [Merged(added=2, removed=1)]


def test_events_with_an_id_replace_that_version(tmp_path: Path, define: Define) -> None:
    """Whatever else changed, the key included."""
    use_case = define(Sum("s", "usd"), created="seen", order={"event_id": "order"})
    history = History(use_case, tmp_path)
    stored = [event(seen=T, order="a"), event(seen=T, order="b")]
    found = history.merged(stored, [event(2, 1, seen=T, order="a"), event(usd=3, seen=T + DAY, order="b")])
    rows = [(row["customer"], row["order"], row["usd"]) for row in found.to_pylist()]
    assert rows == [(1, "b", 1), (1, "b", 3), (2, "a", 1)]
    assert history.changed == [Merged(added=2, removed=1)]


def test_a_row_of_features_is_named_by_the_keys_of_its_view(tmp_path: Path, define: Define) -> None:
    """Not by every key column of its source."""
    view = FeatureView(name="of_shop", source="orders", entity="shop", features=(Latest("rent"),))
    use_case = define(
        Count("n"), key=("customer", "shop"), views=(view,), entities=({"name": "shop", "key": "shop"},)
    )
    history = History(use_case, tmp_path)
    found = history.merged([event(1, shop=5, rent=1)], [event(2, shop=5, rent=2)])
    assert found["rent"].to_pylist() == [2]


ROW = st.tuples(st.integers(1, 2), st.integers(0, 2), st.sampled_from([None, 0, 1]))
TABLES = st.lists(st.lists(ROW, min_size=1, max_size=6), min_size=3, max_size=3)


def plain(rows: Sequence[tuple[int, int, int | None]]) -> pa.Table:
    """Rows of (customer, day, usd)."""
    customers, days, usd = zip(*rows, strict=True)
    at = [T + day * DAY for day in days]
    return pa.table({"customer": customers, "at": at, "usd": pa.array(usd, pa.int64())})


@pytest.mark.live
@settings(max_examples=15, deadline=None)
@given(tables=TABLES)
def test_merging_plain_events_needs_no_order_and_no_counting(define: Define, tables: list[list[Any]]) -> None:
    """Commutative, associative and idempotent: equal to the greatest multiplicity of each row."""
    with tempfile.TemporaryDirectory() as folder:
        history = History(define(Sum("s", "usd")), Path(folder))
        one, other, third = (plain(rows) for rows in tables)
        digests = {
            digest_table(history.merged(*batches))
            for batches in ([one, other, third], [third, one, other, one, other], [other, other, third, one])
        }
        assert len(digests) == 1
        rows = [tuple(row.values()) for row in history.merged(one, other, third).to_pylist()]
    expected = {row: max(rows.count(row) for rows in tables) for rows in tables for row in rows}
    assert len(rows) == sum(expected.values())


@settings(max_examples=15, deadline=None)
@given(tables=TABLES)
def test_merging_rows_of_features_twice_is_merging_them_once(define: Define, tables: list[list[Any]]) -> None:
    """The last one delivered counts; equal to a dict."""
    with tempfile.TemporaryDirectory() as folder:
        history = History(define(Latest("usd")), Path(folder))
        batches = [list({row[:2]: row for row in rows}.values()) for rows in tables]
        found = history.merged(*map(plain, batches))
        again = history.merged(*map(plain, batches), plain(batches[-1]))
    assert digest_table(found) == digest_table(again)
    assert history.changed[-1] == Merged(added=0, removed=0)
    expected = {row[:2]: row[2] for rows in batches for row in rows}
    assert {(row["customer"], (row["at"] - T).days): row["usd"] for row in found.to_pylist()} == expected


@pytest.mark.parametrize(
    ("stored", "batch", "expected"),
    [
        (pa.array([1], pa.int64()), pa.array([2.5]), pa.float64()),
        (pa.array([Decimal("1.5")]), pa.array([Decimal("10.25")]), pa.decimal128(4, 2)),
        (pa.array([Decimal("1.5")]), pa.array([7]), pa.decimal128(20, 1)),
        (pa.array([1]), pa.nulls(1), pa.int64()),
        (pa.nulls(1), pa.array([1]), pa.int64()),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_types_are_widened_where_no_value_changes(
    tmp_path: Path, define: Define, stored: pa.Array, batch: pa.Array, expected: pa.DataType, turned: bool
) -> None:
    """Whichever of the two was there first."""
    tables = [plain([(1, day, None)]).set_column(2, "usd", one) for day, one in enumerate((stored, batch))]
    found = History(define(Sum("s", "usd")), tmp_path).merged(*(tables[::-1] if turned else tables))
    assert found.schema.field("usd").type == expected
    assert found["usd"].to_pylist() == [*stored.to_pylist(), *batch.to_pylist()]


@pytest.mark.parametrize(
    ("column", "stored", "batch", "message"),
    [
        (
            "customer",
            pa.array([1]),
            pa.array(["1"]),
            "customer is string here but int64 in the events stored",
        ),
        ("usd", pa.array([2**53 + 1]), pa.array([0.5]), "usd is double here but int64"),
        ("usd", pa.array([Decimal("0.5")]), pa.array([0.5]), r"usd is double here but decimal128\(1, 1\)"),
        ("usd", pa.array([Decimal(10**37)]), pa.array([Decimal("0.12")]), r"usd is decimal128\(2, 2\) here"),
    ],
)
def test_types_that_hold_no_common_value_are_refused(
    tmp_path: Path, define: Define, column: str, stored: pa.Array, batch: pa.Array, message: str
) -> None:
    """Naming the column; "1" is not 1."""
    table = plain([(1, 0, 0)])
    place = table.column_names.index(column)
    history = History(define(Sum("s", "usd")), tmp_path)
    with pytest.raises(DataError, match=f"^orders: {message}.*Nothing was stored"):
        history.merged(table.set_column(place, column, stored), table.set_column(place, column, batch))
    assert len(list(tmp_path.iterdir())) == 2


def test_files_that_are_none_are_refused(tmp_path: Path, define: Define) -> None:
    """Not there, damaged, or of other definitions."""
    history = History(define(Sum("s", "usd")), tmp_path)
    stored = history.ingest([event()])
    with pytest.raises(NotFound, match=r"there are no events at .*none\.parquet"):
        history.merge(tmp_path / "none.parquet", stored)
    wider = History(define(Sum("s", "usd"), Sum("d", "discount")), tmp_path)
    with pytest.raises(DataError, match="lack 'discount': they were ingested for other definitions"):
        wider.merge(stored)
    stored.write_bytes(b"\0" * 100)
    with pytest.raises(IntegrityError, match="damaged"):
        history.merge(stored)
