"""Latest values from sorted Parquet: against a loop over every row, what is read, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_core.adapters.feature_store.columns import FeatureGroup
from mlops_core.adapters.feature_store.newest.latest import latest_values
from mlops_core.adapters.feature_store.spine import Spine
from mlops_core.domain.features import Latest
from mlops_core.domain.sources import EventSource
from mlops_core.errors import DataError, IntegrityError, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    Row = dict[str, Any]

START = datetime(2024, 1, 1, tzinfo=UTC)
TIMESTAMP = pa.timestamp("us", "UTC")
KINDS = {
    "whole": pa.int64(), "real": pa.float64(), "money": pa.decimal128(8, 2), "flag": pa.bool_(),
}  # fmt: skip
SCHEMA = pa.schema(
    {"shop": pa.string(), "customer": pa.int64(), "at": TIMESTAMP, "recorded": TIMESTAMP, "id": pa.int64()}
    | KINDS
)
SPINE = pa.schema([("shop", pa.string()), ("customer", pa.int64()), ("event_timestamp", TIMESTAMP)])
ORDER = ("shop", "customer", "at", "recorded")


def after(days: float = 0, ticks: int = 0) -> datetime:
    """An instant so many days and microseconds after the start."""
    return START + timedelta(days=days, microseconds=ticks)


def stored(path: Path, rows: Sequence[Row], *, size: int = 4, dropped: Sequence[str] = ()) -> Path:
    """Canonical events: sorted, in row groups of `size`."""
    table = pa.Table.from_pylist(list(rows), SCHEMA).sort_by([(name, "ascending") for name in ORDER])
    pq.write_table(table.drop_columns(list(dropped)), path, row_group_size=size, write_page_checksum=True)
    return path


def group_of(
    keys: Sequence[str] = ("shop", "customer"),
    *,
    recorded: bool = True,
    ttl: timedelta | None = None,
    **source: Any,
) -> FeatureGroup:
    """Every kind of column as a feature of a source with created timestamps, unless `source` differs."""
    given = {"name": "rows", "event_timestamp": "at", "created_timestamp": "recorded"} | source
    return FeatureGroup(
        source=EventSource.model_validate(given),
        keys=tuple((key, key) for key in keys),
        recorded=recorded and given["created_timestamp"] is not None,
        latest=True,
        ttl=ttl,
        features=tuple(Latest(name) for name in KINDS),
    )


def asked(group: FeatureGroup, path: Path, spine: Sequence[Row], known: datetime | None = None) -> list[Row]:
    """Values row by row."""
    table = pa.Table.from_pylist(list(spine), SPINE)
    found = latest_values(group, path, Spine.of(table, [mine for mine, _ in group.keys]), as_known_at=known)
    rows: list[Row] = pa.table(found).to_pylist()
    return rows


def expected(group: FeatureGroup, rows: Sequence[Row], asking: Row, known: datetime | None) -> Row:
    """The same by looking at every row."""
    source, moment = group.source, asking["event_timestamp"]
    created = source.created_timestamp
    there = [row for row in rows if not (created and known) or row["recorded"] <= known]
    if group.recorded:
        there = [row for row in there if row["recorded"] <= moment]
    if source.event_id:
        there = [
            row
            for row in there
            if not any(one["id"] == row["id"] and one["recorded"] > row["recorded"] for one in there)
        ]
    seen = [
        row
        for row in there
        if row["at"] + source.delay <= moment
        and all(asking[mine] is not None and asking[mine] == row[theirs] for mine, theirs in group.keys)
    ]
    newest = max(seen, key=lambda row: (row["at"], created and row["recorded"]), default=None)
    if newest is None or (group.ttl is not None and moment - newest["at"] > group.ttl):
        return dict.fromkeys(KINDS)
    return {name: _plain(newest[name]) for name in KINDS}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return int(value) if isinstance(value, bool) else value


# Few keys, days and values, and a microsecond to either side, so that edges and ties are met often.
instants = st.builds(after, st.integers(0, 9), st.integers(-1, 1))
shops, customers = st.sampled_from(["a", "b", "", "ab"]), st.integers(0, 3)
values = {
    "whole": st.none() | st.integers(-(2**63), 2**63 - 1),
    "real": st.none() | st.floats(-1e6, 1e6),
    "money": st.none() | st.decimals("-999999.99", "999999.99", places=2),
    "flag": st.none() | st.booleans(),
}
one_row = st.fixed_dictionaries(
    {"shop": shops, "customer": customers, "at": instants, "recorded": instants, "id": st.integers(0, 9)}
    | values
)
one_question = st.fixed_dictionaries(
    {"shop": st.none() | shops, "customer": st.none() | customers | st.just(9), "event_timestamp": instants}
)
spans = st.builds(
    lambda days, ticks: timedelta(days=days, microseconds=ticks), st.integers(1, 5), st.integers(-1, 1)
)


@st.composite
def groups(draw: st.DrawFn) -> FeatureGroup:
    """Keys in stored order, in another, or fewer; with and without delay, ttl and created timestamps."""
    keys = draw(st.sampled_from([("shop", "customer"), ("customer", "shop"), ("shop",), ("customer",)]))
    created = draw(st.sampled_from([None, "recorded"]))
    event_id = draw(st.sampled_from([None, "id"])) if created else None
    return group_of(
        keys,
        created_timestamp=created,
        event_id=event_id,
        delay=draw(st.just(timedelta(0)) | spans),
        ttl=draw(st.none() | spans),
        recorded=draw(st.booleans()),
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    group=groups(),
    rows=st.lists(one_row, max_size=25),
    spine=st.lists(one_question, max_size=12),
    known=st.none() | instants,
    size=st.integers(1, 9),
)
def test_values_equal_those_of_a_loop_over_every_row(
    tmp_path_factory: pytest.TempPathFactory,
    group: FeatureGroup,
    rows: list[Row],
    spine: list[Row],
    known: datetime | None,
    size: int,
) -> None:
    """Whatever the keys, the ties, the lateness, the corrections, the nulls and the row groups."""
    rows = _accepted(group, rows)
    path = stored(tmp_path_factory.mktemp("latest") / "rows.parquet", rows, size=size)
    assert asked(group, path, spine, known) == [expected(group, rows, one, known) for one in spine]


def _accepted(group: FeatureGroup, rows: list[Row]) -> list[Row]:
    """What ingestion lets in: one row a key and time, and one version of an event at a time."""
    names = [theirs for _, theirs in group.keys] + ["at"]
    names += ["recorded"] if group.source.created_timestamp else []
    found = {tuple(row[name] for name in names): row for row in rows}
    if group.source.event_id:
        found = {(row["id"], row["recorded"]): row for row in found.values()}
    return list(found.values())


def row(customer: int = 1, **given: Any) -> Row:
    """A row of customer 1 in shop "a", recorded when it happened."""
    made = {"shop": "a", "customer": customer, "at": after(1), "id": 0} | dict.fromkeys(KINDS) | given
    return {"recorded": made["at"]} | made


def at(moment: datetime, customer: int | None = 1, shop: str | None = "a") -> Row:
    """A question about them."""
    return {"shop": shop, "customer": customer, "event_timestamp": moment}


def wholes(found: Sequence[Row]) -> list[int | None]:
    """The values of one feature."""
    return [one["whole"] for one in found]


def test_a_late_row_never_displaces_a_newer_one_that_was_known(tmp_path: Path) -> None:
    """Nor does a correction count before it was recorded; one of an older time never does."""
    rows = [
        row(at=after(1), recorded=after(6), whole=1),
        row(at=after(2), recorded=after(3), whole=2),
        row(at=after(2), recorded=after(5), whole=3),
    ]
    path = stored(tmp_path / "rows.parquet", rows)
    spine = [at(after(days)) for days in (2.5, 3, 4, 5, 7)]
    assert wholes(asked(group_of(), path, spine)) == [None, 2, 2, 3, 3]
    assert wholes(asked(group_of(), path, spine, after(4))) == [None, 2, 2, 2, 2]
    assert wholes(asked(group_of(recorded=False), path, spine)) == [3, 3, 3, 3, 3]


def test_a_long_history_of_late_rows_is_searched_as_it_was_known(tmp_path: Path) -> None:
    """A thousand rows recorded in the reverse order of what happened: only the newest was ever best."""
    rows = [row(at=after(ticks=n), recorded=after(1, 1000 - n), whole=n) for n in range(1000)]
    path = stored(tmp_path / "rows.parquet", rows, size=300)
    spine = [at(after(1, ticks)) for ticks in (0, 1, 500)]
    assert wholes(asked(group_of(), path, spine)) == [None, 999, 999]
    backwards = [row(at=after(ticks=n), recorded=after(1, n), whole=n) for n in range(1000)]
    backwards.append(row(at=after(ticks=2000), recorded=after(1, -1), whole=-1))
    path = stored(tmp_path / "rows.parquet", backwards, size=300)
    assert wholes(asked(group_of(), path, spine)) == [-1, -1, -1]


def test_a_null_and_an_age_beyond_the_ttl_never_fall_back(tmp_path: Path) -> None:
    """The newest row's null is the answer, and so is its age."""
    rows = [row(at=after(1), whole=1), row(at=after(2), whole=None)]
    path = stored(tmp_path / "rows.parquet", rows)
    assert wholes(asked(group_of(), path, [at(after(1)), at(after(2))])) == [1, None]
    edge = timedelta(days=1)
    spine = [at(after(1) + edge - timedelta(microseconds=1)), at(after(1, 1))]
    assert wholes(asked(group_of(ttl=timedelta(microseconds=1)), path, spine)) == [None, 1]
    assert wholes(asked(group_of(ttl=timedelta.max, delay=timedelta.max), path, spine)) == [None, None]


def test_composite_keys_do_not_collide(tmp_path: Path) -> None:
    """("a", 11) is not ("a1", 1), and a null part matches nothing."""
    rows = [row(11, shop="a", whole=1), row(1, shop="a1", whole=2)]
    path = stored(tmp_path / "rows.parquet", rows)
    spine = [at(after(2), 11, "a"), at(after(2), 1, "a1"), at(after(2), 1, "a"), at(after(2), 11, "a1")]
    spine += [at(after(2), None, "a"), at(after(2), 11, None)]
    assert wholes(asked(group_of(), path, spine)) == [1, 2, None, None, None, None]


def test_columns_keep_their_types_in_an_answer_without_rows(tmp_path: Path) -> None:
    """int64 for integers and booleans, float64 for the rest: also for an empty spine or empty events."""
    group = group_of()
    for rows, spine in (([row()], []), ([], [at(after(2))])):
        path = stored(tmp_path / "rows.parquet", rows)
        table = pa.Table.from_pylist(spine, SPINE)
        found = latest_values(group, path, Spine.of(table, ["shop", "customer"]), as_known_at=None)
        assert [found[name].type for name in KINDS] == [pa.int64(), pa.float64(), pa.float64(), pa.int64()]
        assert all(len(column) == column.null_count == len(spine) for column in found.values())


@pytest.mark.parametrize(("keys", "read"), [(("customer",), 2), (("shop", "customer"), 11)])
def test_row_groups_that_cannot_matter_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: tuple[str, ...], read: int
) -> None:
    """One customer of a thousand needs keys and values of one row group; what is not read cannot hurt."""
    rows = [row(customer, whole=customer) for customer in range(1000)]
    path = stored(tmp_path / "rows.parquet", rows, size=100)
    calls: list[int] = []
    whole = pq.ParquetFile.read_row_group

    def counted(self: pq.ParquetFile, number: int, **options: Any) -> pa.Table:
        calls.append(number)
        return whole(self, number, **options)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", counted)
    asked(group_of(keys), path, [at(after(2), 333)])
    assert len(calls) == read
    assert calls.count(3) == 2
    calls.clear()
    assert wholes(asked(group_of(keys), path, [at(after(0.5), 333)])) == [None]
    assert calls == []


def test_memory_holds_a_row_group_and_the_answer(tmp_path: Path) -> None:
    """40 columns of 100,000 rows are 32 MB; reading them takes a few."""
    names = [f"f{number}" for number in range(40)]
    rows = 100_000
    table = pa.table(
        {"customer": range(rows), "at": pa.array([START] * rows, TIMESTAMP)}
        | {name: pa.array(range(rows), pa.float64()) for name in names}
    )
    pq.write_table(table, tmp_path / "rows.parquet", row_group_size=2_000)
    source = EventSource(name="rows", event_timestamp="at")
    group = FeatureGroup(
        source=source, keys=(("customer", "customer"),), recorded=False, latest=True, ttl=None,
        features=tuple(map(Latest, names)),
    )  # fmt: skip
    spine = pa.table({"customer": [7, rows - 1], "event_timestamp": pa.array([after(1)] * 2)})
    asking = Spine.of(spine, ["customer"])
    del table
    pool = pa.system_memory_pool()
    before, usual = pool.bytes_allocated(), pa.default_memory_pool()
    pa.set_memory_pool(pool)
    try:
        found = latest_values(group, tmp_path / "rows.parquet", asking, as_known_at=None)
    finally:
        pa.set_memory_pool(usual)
    assert found["f39"].to_pylist() == [7, rows - 1]
    assert 2**18 < pool.max_memory() - before < 6 * 2**20


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    """No file, a file of other definitions, a damaged page, and keys of another type."""
    group, spine = group_of(), [at(after(2))]
    path = tmp_path / "rows.parquet"
    with pytest.raises(NotFound, match=r"there are no events at .* Ingest their source first"):
        asked(group, path, spine)
    stored(path, [row()], dropped=["flag", "recorded"])
    with pytest.raises(DataError, match="lack 'recorded', 'flag': they were ingested for other"):
        asked(group, path, spine)
    with pytest.raises(DataError, match='"1" is not 1'):
        latest_values(
            group_of(("customer",), created_timestamp=None),
            stored(path, [row()]),
            Spine.of(pa.table({"customer": ["1"], "event_timestamp": [after(2)]}), ["customer"]),
            as_known_at=None,
        )
    table = pa.Table.from_pylist([row(customer, whole=2**50 + customer) for customer in range(50)], SCHEMA)
    pq.write_table(table, path, compression="none", use_dictionary=False, write_page_checksum=True)
    content = bytearray(path.read_bytes())
    content[content.index((2**50 + 7).to_bytes(8, "little"))] ^= 1
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match="are damaged and cannot be read"):
        asked(group, path, spine)
