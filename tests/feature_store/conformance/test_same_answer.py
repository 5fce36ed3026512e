"""The same answer however it is computed: order, size and number of calls, and how the events came in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from mlops_core.domain.features import Count, CountDistinct, First, Last, Latest, Mean, Since, StdDev, Sum
from mlops_core.domain.time import days

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_core.ports import OfflineStore

    Make = Callable[..., Any]

START = datetime(2024, 1, 1, tzinfo=UTC)
TIME = pa.timestamp("us", "UTC")


def times(seconds: Any) -> pa.Array:
    """Seconds since the start."""
    return pa.array((np.asarray(seconds) + int(START.timestamp())) * 1_000_000, pa.int64()).cast(TIME)


@pytest.mark.parametrize("rows", [1, 60, 70, 2_000])
def test_few_rows_and_many_get_the_same_values(
    rated: Make, ingested: Make, store: OfflineStore, rows: int
) -> None:
    """Engines choose another way to join for small spines: all give the newest row."""
    # asof_loop_join_threshold, duckdb#25536, duckdb#18303
    keys, at = np.repeat(np.arange(50), 20), np.tile(np.arange(20) * 10, 50)
    random = np.random.default_rng(0)
    order = random.permutation(1_000)
    rates = pa.table({"customer": keys, "at": times(at), "rate": keys * 1_000 + at}).take(order)
    asked, moment = random.integers(0, 60, rows), random.integers(-5, 220, rows)
    expected = np.where(asked < 50, asked * 1_000 + np.minimum(moment // 10 * 10, 190), -1)
    expected[moment < 0] = -1
    events = ingested(rated(), rates=rates)
    found = store.features(rated(), events, pa.table({"customer": asked, "event_timestamp": times(moment)}))
    np.testing.assert_array_equal(found["rate"].fill_null(-1).to_numpy(), expected)


def test_many_instants_of_one_key_are_counted_exactly(
    define: Make, ingested: Make, store: OfflineStore
) -> None:
    """A hot key: the number of events before each instant and in each window, in closed form."""
    at = np.arange(200) * 10
    use_case = define(Count("all"), Count("w", window=timedelta(seconds=100)), Sum("s", "x"), Since("last"))
    orders = pa.table({"customer": [1] * 200, "at": times(at), "x": at})
    events = ingested(use_case, orders=orders.take(np.random.default_rng(0).permutation(200)))
    moments = np.arange(0, 2_100, 7)
    spine = pa.table({"customer": [1] * len(moments), "event_timestamp": times(moments)})
    found = store.features(use_case, events, spine)
    count = np.minimum(moments // 10 + 1, 200)
    np.testing.assert_array_equal(found["all"].to_numpy(), count)
    before = np.clip((moments - 100) // 10 + 1, 0, 200)
    np.testing.assert_array_equal(found["w"].to_numpy(), count - before)
    np.testing.assert_array_equal(found["s"].to_numpy(), count * (count - 1) * 5.0)
    np.testing.assert_allclose(found["last"].to_numpy(), (moments - (count - 1) * 10) / 86_400, rtol=1e-12)


@pytest.mark.parametrize("outlier", [1e30, 3.4e38, 1e300])
def test_an_outlier_of_somebody_else_in_the_future_changes_no_sum(
    define: Make, ask: Make, outlier: float
) -> None:
    """Sums of floats are exact to 1e-9 whatever else the column holds, such as a sentinel for "unknown"."""
    orders = pa.table({"customer": [1, 1, 2], "at": times([0, 0, 86_400]), "x": [0.1, 0.3, outlier]})
    found = ask(define(Sum("s", "x"), Mean("m", "x"), StdDev("d", "x")), orders, (1, START))
    assert found == {
        "s": [pytest.approx(0.4, rel=1e-9, abs=0)],
        "m": [pytest.approx(0.2, rel=1e-9, abs=0)],
        "d": [pytest.approx(0.02**0.5, rel=1e-9, abs=0)],
    }


@pytest.fixture
def batches() -> list[pa.Table]:
    """Orders in three deliveries: the second brings late rows, the third corrections and rows of before."""
    random = np.random.default_rng(1)
    at = random.integers(0, 40, 90)
    orders = pa.table(
        {
            "customer": random.integers(0, 4, 90),
            "order": np.arange(90),
            "at": times(at * 86_400),
            "recorded": times((at + random.integers(0, 9, 90)) * 86_400),
            "x": pa.array(random.normal(0, 9, 90)),
            "code": pa.array(random.choice(["a", "b", "c"], 90)),
        }
    )
    corrected = orders.slice(0, 10).set_column(3, "recorded", times(np.full(10, 60 * 86_400)))
    return [orders.slice(0, 50), orders.slice(45, 35), pa.concat_tables([orders.slice(70), corrected])]


def aggregates() -> list[Any]:
    """Features of every kind, with edges on both sides."""
    looks: dict[str, Any] = {"window": days(10), "offset": days(2)}
    return [
        Count("n"), Sum("s", "x"), Mean("m", "x", **looks), StdDev("d", "x"), First("f", "x"),
        CountDistinct("c", "code", **looks), Last("l", "x", **looks), Since("p", event="previous"),
    ]  # fmt: skip


@pytest.mark.parametrize("visibility", ["known", "event"])
def test_windows_are_the_same_from_scratch_and_after_upserts(
    define: Make,
    store: OfflineStore,
    batches: list[pa.Table],
    tmp_path: Path,
    visibility: str,
) -> None:
    """Bit for bit: there is one left edge, and an upsert again changes nothing."""
    # Feathr's edges differ between the two
    order = {"event_id": "order"}
    use_case = define(*aggregates(), created="recorded", visibility=visibility, order=order)
    source, whole = use_case.source("orders"), tmp_path / "whole.parquet"
    every = pa.concat_tables(batches)
    firsts = every.group_by(["order", "recorded"], use_threads=False).aggregate(
        [(name, "first") for name in ("customer", "at", "x", "code")]
    )
    names = [name.removesuffix("_first") for name in firsts.column_names]
    store.ingest(use_case, source, firsts.rename_columns(names), whole)
    stored = tmp_path / "0.parquet"
    store.ingest(use_case, source, batches[0], stored)
    for number, batch in enumerate([*batches[1:], batches[1]], start=1):
        brought, merged = tmp_path / f"batch{number}.parquet", tmp_path / f"{number}.parquet"
        store.ingest(use_case, source, batch, brought)
        store.merge(use_case, source, stored, brought, merged)
        stored = merged
    spine = store.spine(use_case, whole, [START + days(day) for day in (5, 20, 41, 61)])
    assert store.spine(use_case, stored, [START + days(day) for day in (5, 20, 41, 61)]).equals(spine)
    expected = store.features(use_case, {"orders": whole}, spine)
    assert store.features(use_case, {"orders": stored}, spine).equals(expected)


def test_expiry_changes_no_value_from_then_on(
    define: Make, store: OfflineStore, batches: list[pa.Table], tmp_path: Path
) -> None:
    """Rows go that no feature can see at that instant or later; who was known stays known."""
    looks: dict[str, Any] = {"window": days(6), "offset": days(2)}
    features = Count("n", window=days(9)), Sum("s", "x", **looks), Last("l", "x", **looks)
    use_case = define(*features, created="recorded", order={"event_id": "order", "delay": days(1)})
    source, keep_from = use_case.source("orders"), START + days(25)
    store.ingest(use_case, source, pa.concat_tables(batches[:1]), tmp_path / "all.parquet")
    merged = store.merge(
        use_case, source, tmp_path / "all.parquet", None, tmp_path / "kept.parquet", keep_from=keep_from
    )
    at = [keep_from + days(day) for day in (0, 1, 3, 9, 30)]
    spine = store.spine(use_case, tmp_path / "all.parquet", at)
    assert store.spine(use_case, tmp_path / "kept.parquet", at).equals(spine)
    expected = store.features(use_case, {"orders": tmp_path / "all.parquet"}, spine)
    assert store.features(use_case, {"orders": tmp_path / "kept.parquet"}, spine).equals(expected)
    assert merged.removed > 0


def test_an_upsert_of_rows_of_features_replaces_those_of_the_same_instants(
    rated: Make, store: OfflineStore, tmp_path: Path, table_of: Make, spine_of: Make
) -> None:
    """By key, event and created timestamp; a newer record of the same time is a further row."""
    use_case = rated(Latest("rate"), created="recorded")
    source = use_case.source("rates")
    rows = [(1, START, START, 1), (2, START, START, 2)]
    batch = [(1, START, START, 10), (2, START, START + days(1), 20)]
    store.ingest(use_case, source, table_of(*rows), tmp_path / "a.parquet")
    store.ingest(use_case, source, table_of(*batch), tmp_path / "b.parquet")
    store.merge(use_case, source, tmp_path / "a.parquet", tmp_path / "b.parquet", tmp_path / "c.parquet")
    spine = spine_of((1, START), (2, START), (2, START + days(1)))
    found = store.features(use_case, {"rates": tmp_path / "c.parquet"}, spine)
    assert found["rate"].to_pylist() == [10, 2, 20]
