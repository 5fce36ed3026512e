"""Upserts that can be repeated, and expiry that nothing notices."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_core.adapters.feature_store.ingest.ingestion import ingest_file
from mlops_core.adapters.feature_store.ingest.merging import merge_files
from mlops_core.adapters.feature_store.memory import MemoryOfflineStore
from mlops_core.domain.digest import digest_table
from mlops_core.domain.features import Count, CountDistinct, Last, Latest, Max, Sum
from mlops_core.domain.history import Merged
from mlops_core.domain.sources import EventSource
from mlops_core.domain.views import FeatureView
from mlops_core.errors import DataError, IntegrityError, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlops_core.domain.usecase import UseCase

    Define = Callable[..., UseCase]
    Rows = list[dict[str, Any]]

T = datetime(2024, 3, 31, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1) / DAY


class History:
    """The events of the source `orders`, merged in a folder of their own."""

    def __init__(self, use_case: UseCase, folder: Path) -> None:
        self.use_case = use_case
        self.folder = folder
        self.changed: list[Merged] = []

    def ingest(self, rows: Rows | pa.Table) -> Path:
        """Canonical events of these rows."""
        table = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(rows)
        into = self.folder / f"{len(list(self.folder.iterdir()))}.parquet"
        ingest_file(self.use_case, self.use_case.sources[0], table, into)
        return into

    def merge(self, stored: Path, batch: Path | None = None, keep_from: datetime | None = None) -> Path:
        """The file that comes of it."""
        into = self.folder / f"{len(list(self.folder.iterdir()))}.parquet"
        source = self.use_case.sources[0]
        self.changed.append(merge_files(self.use_case, source, stored, batch, into, keep_from))
        return into

    def merged(self, *batches: Rows | pa.Table) -> pa.Table:
        """What comes of one batch after the other."""
        stored = self.ingest(batches[0])
        for batch in batches[1:]:
            stored = self.merge(stored, self.ingest(batch))
        return pq.read_table(stored)


def event(customer: int = 1, days: float = 0, **columns: object) -> dict[str, Any]:
    """One row; `days` after T."""
    return {"customer": customer, "at": T + days * DAY, "usd": 1} | columns


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


def test_what_every_window_has_left_goes(tmp_path: Path, define: Define) -> None:
    """The left edge is open: an event exactly a window before is out. The first one of each entity stays."""
    view = FeatureView(name="late", source="orders", features=(Max("m", "usd", window=DAY, offset=2 * DAY),))
    history = History(define(Sum("s", "usd", window=2 * DAY), views=(view,)), tmp_path)
    stored = history.ingest(
        [event(days=-9), event(days=-5), event(days=-3), event(days=-3 + TICK), event(2, -9)]
    )
    kept = pq.read_table(history.merge(stored, keep_from=T))
    assert [(row["customer"], row["at"] - T) for row in kept.to_pylist()] == [
        (1, -9 * DAY), (1, -3 * DAY + timedelta(microseconds=1)), (2, -9 * DAY)
    ]  # fmt: skip
    assert history.changed == [Merged(added=0, removed=2)]


def test_all_may_expire_and_more_may_come(tmp_path: Path, define: Define) -> None:
    """Of a source that the label does not read."""
    visits = EventSource(name="visits", event_timestamp="at")
    use_case = define(Sum("s", "usd", window=DAY), sources=(visits,))
    use_case = use_case.model_copy(update={"label": use_case.label.model_copy(update={"source": "visits"})})
    history = History(use_case, tmp_path)
    empty = history.merge(history.ingest([event(days=-9)]), keep_from=T)
    assert pq.read_table(empty).num_rows == 0
    assert pq.read_table(history.merge(empty, keep_from=T)).num_rows == 0
    again = history.merge(empty, history.ingest([event(usd=0.5), event(days=-9)]), keep_from=T)
    assert pq.read_table(again)["usd"].to_pylist() == [0.5]
    assert history.changed[-1] == Merged(added=1, removed=0)


def test_a_feature_of_all_history_keeps_all_of_it(tmp_path: Path, define: Define) -> None:
    """Also beside others that look back a day."""
    history = History(define(Sum("s", "usd", window=DAY), Count("n")), tmp_path)
    stored = history.ingest([event(days=-day) for day in range(100)])
    assert pq.read_table(history.merge(stored, keep_from=T)).equals(pq.read_table(stored))


def test_a_row_is_superseded_only_by_what_can_be_seen(tmp_path: Path, define: Define) -> None:
    """A newer row that was recorded after the instant leaves the older one in place."""
    history = History(define(Latest("usd"), created="seen"), tmp_path)
    rows = [
        event(days=-9, seen=T - 9 * DAY, usd=1),
        event(days=-5, seen=T - 5 * DAY, usd=2),
        event(days=-3, seen=T - 3 * DAY, usd=3),
        event(days=-2, seen=T + DAY, usd=4),
    ]
    kept = pq.read_table(history.merge(history.ingest(rows), keep_from=T))
    assert kept["usd"].to_pylist() == [1, 3, 4]  # the first one says since when the customer is known


def test_a_correction_goes_with_what_it_corrects_or_not_at_all(tmp_path: Path, define: Define) -> None:
    """Or an event that was moved out of the window would be back in it."""
    use_case = define(
        Count("n", window=4 * DAY), created="seen", order={"event_id": "order", "delay": 9 * DAY}
    )
    history = History(use_case, tmp_path)
    rows = [
        event(days=-9, seen=T - 9 * DAY, order="first"),
        event(days=-3, seen=T - 3 * DAY, order="moved"),
        event(days=-5, seen=T - 2 * DAY, order="moved"),
        event(days=-6, seen=T - 6 * DAY, order="gone"),
    ]
    kept = pq.read_table(history.merge(history.ingest(rows), keep_from=T))
    assert kept["order"].to_pylist() == ["first", "moved", "moved"]


def test_what_was_corrected_goes_once_the_correction_is_seen(tmp_path: Path, define: Define) -> None:
    """Also where a feature looks at all of history."""
    history = History(define(Sum("s", "usd"), created="seen", order={"event_id": "order"}), tmp_path)
    rows = [event(days=-9, seen=T + day * DAY, usd=day, order="a") for day in (-3, -2, 0, 1)]
    kept = pq.read_table(history.merge(history.ingest(rows), keep_from=T))
    assert kept["usd"].to_pylist() == [0, 1]


def test_a_correction_to_come_may_bring_an_older_row_back(tmp_path: Path, define: Define) -> None:
    """The newest row supersedes nothing while another version of it is still to be recorded."""
    history = History(define(Latest("usd"), created="seen", order={"event_id": "order"}), tmp_path)
    rows = [
        event(days=-9, seen=T - 9 * DAY, order="first", usd=1),
        event(days=-5, seen=T - 5 * DAY, order="older", usd=2),
        event(days=-3, seen=T - 3 * DAY, order="newest", usd=3),
        event(days=-7, seen=T + 1 * DAY, order="newest", usd=4),
    ]
    kept = pq.read_table(history.merge(history.ingest(rows), keep_from=T))
    assert kept["usd"].to_pylist() == [1, 4, 2, 3]


def test_an_entity_stays_known_while_a_correction_is_to_come(tmp_path: Path, define: Define) -> None:
    """By the event that is to be moved to another, and by the first one that is not."""
    use_case = define(Count("n", window=DAY), created="seen", order={"event_id": "order"})
    history = History(use_case, tmp_path)
    rows = [
        event(1, days=-9, seen=T - 9 * DAY, order="moved"),
        event(2, days=-9, seen=T + 1 * DAY, order="moved"),
        event(2, days=-8, seen=T - 8 * DAY, order="other"),
        event(1, days=-8, seen=T + 2 * DAY, order="first"),
        event(1, days=-7, seen=T + 3 * DAY, order="second"),
    ]
    kept = pq.read_table(history.merge(history.ingest(rows), keep_from=T))
    assert kept["order"].to_pylist() == ["moved", "first", "moved", "other"]


def test_a_row_goes_when_it_is_older_than_its_ttl(tmp_path: Path, define: Define) -> None:
    """One of exactly that age is still to be seen."""
    history = History(define(Latest("usd"), view={"ttl": 2 * DAY}), tmp_path)
    rows = [event(customer, day) for customer, day in ((1, -9), (2, -9), (1, -2), (2, -2 - TICK))]
    kept = pq.read_table(history.merge(history.ingest(rows), keep_from=T))
    assert [(row["customer"], row["at"] - T) for row in kept.to_pylist()] == [
        (1, -9 * DAY), (1, -2 * DAY), (2, -9 * DAY)
    ]  # fmt: skip


def test_the_label_keeps_what_lies_ahead(tmp_path: Path, define: Define) -> None:
    """Where no view reads its source."""
    rates = EventSource(name="rates", event_timestamp="at")
    view = FeatureView(name="rate", source="rates", features=(Latest("usd"),))
    history = History(define(sources=(rates,), views=(view,)), tmp_path)
    stored = history.ingest([event(days=day) for day in (-2, -1, 0, TICK)])
    kept = pq.read_table(history.merge(stored, keep_from=T))
    assert [row["at"] - T for row in kept.to_pylist()] == [-2 * DAY, timedelta(microseconds=1)]


VERSION = st.tuples(
    st.integers(1, 2), st.integers(-5, 2), st.integers(0, 4), st.integers(0, 2), st.integers(0, 3)
)
VIEWS = st.fixed_dictionaries(
    {
        "window": st.sampled_from([1, 2, 3]),
        "offset": st.sampled_from([0, 1]),
        "ttl": st.sampled_from([1, 3, None]),
        "delay": st.sampled_from([0, 1]),
        "visibility": st.sampled_from(["known", "event"]),
        "kind": st.sampled_from(["aggregates", "latest", "both"]),
        "ids": st.booleans(),
        "labelled": st.booleans(),
    }
)
MOMENTS = [T + hours * timedelta(hours=12) for hours in range(12)]


def defined(define: Define, how: dict[str, Any]) -> UseCase:
    """A use case whose first source has late rows and corrections, and views of that kind."""
    look: dict[str, Any] = {"window": how["window"] * DAY, "offset": how["offset"] * DAY}
    ttl = None if how["ttl"] is None else how["ttl"] * DAY
    aggregates = FeatureView(
        name="sums",
        source="orders",
        features=(Sum("s", "usd", **look), Last("l", "usd", **look), CountDistinct("d", "usd", **look)),
        visibility=how["visibility"],
    )
    newest = FeatureView(name="newest", source="orders", features=(Latest("usd"),), ttl=ttl)
    views = {"aggregates": (aggregates,), "latest": (newest,), "both": (aggregates, newest)}[how["kind"]]
    order = {"delay": how["delay"] * DAY} | ({"event_id": "order"} if how["ids"] else {})
    use_case = define(views=views, created="seen", order=order, horizon=2 * DAY)
    if how["labelled"]:
        return use_case
    visits = EventSource(name="visits", event_timestamp="at")
    label = use_case.label.model_copy(update={"source": "visits"})
    return use_case.model_copy(update={"sources": (*use_case.sources, visits), "label": label})


def unlike(versions: Sequence[tuple[int, ...]]) -> Rows:
    """Rows of these versions without two of one name, so that they can be ingested."""
    rows: Rows = []
    names: set[tuple[object, ...]] = set()
    for customer, day, lag, order, usd in versions:
        at, seen = T + day * DAY, T + (day + lag) * DAY
        two = {(customer, at, seen), (order, seen)}
        if not two & names:
            names |= two
            rows.append({"customer": customer, "at": at, "seen": seen, "order": order, "usd": usd})
    return rows


@settings(max_examples=60, deadline=None)
@given(how=VIEWS, versions=st.lists(VERSION, min_size=4, max_size=14))
def test_no_feature_notices_what_expired(
    define: Define, how: dict[str, Any], versions: list[tuple[int, ...]]
) -> None:
    """At the instant and later: spine, features and labels are those of the whole history."""
    with tempfile.TemporaryDirectory() as folder:
        history = History(defined(define, how), Path(folder))
        stored = history.ingest(unlike(versions))
        kept = history.merge(stored, keep_from=T)
        for known in (None, T + DAY):
            assert seen_of(history.use_case, kept, known) == seen_of(history.use_case, stored, known)
        assert history.merge(kept, keep_from=T).read_bytes() == kept.read_bytes()


def seen_of(use_case: UseCase, events: Path, known: datetime | None) -> list[object]:
    """All that can be asked of these events from T on."""
    store = MemoryOfflineStore()
    rows = [(customer, moment) for moment in MOMENTS for customer in (1, 2)]
    customers, moments = zip(*rows, strict=True)
    spine = pa.table({"customer": customers, "event_timestamp": moments})
    found = [store.features(use_case, {"orders": events}, spine, as_known_at=known).to_pylist()]
    if use_case.label.source == "orders":
        found.append(store.spine(use_case, events, MOMENTS, as_known_at=known).to_pylist())
        found.append(store.labels(use_case, events, spine, as_known_at=known).to_pylist())
    return found
