"""The spine is never filtered, fanned out, reordered or renamed; its times are instants."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from mlops_core.domain.features import Count, Latest, Sum
from mlops_core.domain.snapshots import Snapshots
from mlops_core.domain.sources import EventSource
from mlops_core.domain.time import days
from mlops_core.domain.views import FeatureService, FeatureView, OnDemand
from mlops_core.errors import DataError
from mlops_core.point_in_time import historical_features

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.ports import OfflineStore

    Make = Callable[..., Any]

T = datetime(2024, 3, 31, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
TIME = pa.timestamp("us", "UTC")


def test_rows_equal_in_key_and_time_are_all_kept(
    rated: Make, ingested: Make, store: OfflineStore, table_of: Make
) -> None:
    """With their different labels, in their order."""
    # feast#5590, feast#6787
    events = ingested(rated(), rates=table_of((1, T, 5)))
    spine = pa.table(
        {"label": ["b", "a", "b", "c"], "customer": [1, 1, 1, 2], "event_timestamp": pa.array([T] * 4, TIME)}
    )
    found = store.features(rated(), events, spine)
    assert found.drop_columns("rate").equals(spine)
    assert found["rate"].to_pylist() == [5, 5, 5, None]


def test_a_null_key_matches_nothing(newest: Make) -> None:
    """Its row is kept."""
    # pandas and Acero match null with null
    assert newest([(1, T, 5)], (None, T), (1, T)) == [None, 5]
    assert newest([(1, T, 5)], (None, T)) == [None]


def test_a_row_without_a_time_is_an_error(
    rated: Make, ingested: Make, store: OfflineStore, table_of: Make
) -> None:
    """Never a value."""
    events = ingested(rated(), rates=table_of((1, T, 5)))
    spine = pa.table({"customer": [1, 1], "event_timestamp": pa.array([T, None], TIME)})
    with pytest.raises(DataError, match="event_timestamp is null in row 2"):
        store.features(rated(), events, spine)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/St_Johns"])
def test_zones_are_converted_not_stripped(
    rated: Make, ingested: Make, store: OfflineStore, table_of: Make, zone: str
) -> None:
    """The same instants in other clothes give the same values, and come back in their clothes."""
    # feast PR#1475
    events = ingested(rated(), rates=table_of((1, T, 5)))
    moments = pa.array([T - TICK, T], TIME).cast(pa.timestamp("us", zone))
    found = store.features(rated(), events, pa.table({"customer": [1, 1], "event_timestamp": moments}))
    assert found["rate"].to_pylist() == [None, 5]
    assert found["event_timestamp"].type == pa.timestamp("us", zone)


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland", "America/St_Johns"])
def test_naive_times_are_utc_whatever_the_zone_of_the_process(
    rated: Make, ingested: Make, store: OfflineStore, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the source and in the spine."""
    # feast PR#1466
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        naive = pa.array([T], TIME).cast(pa.timestamp("us"))
        events = ingested(rated(), rates=pa.table({"customer": [1], "at": naive, "rate": [5]}))
        moments = pa.array([T - TICK, T], TIME).cast(pa.timestamp("us"))
        found = store.features(rated(), events, pa.table({"customer": [1, 1], "event_timestamp": moments}))
        assert found["rate"].to_pylist() == [None, 5]
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_two_instants_of_a_repeated_local_hour_stay_apart(newest: Make) -> None:
    """02:30 comes twice on 27 October in Paris."""
    paris = ZoneInfo("Europe/Paris")
    first, second = (
        datetime(2024, 10, 27, 2, 30, tzinfo=paris, fold=fold).astimezone(UTC) for fold in (0, 1)
    )
    assert newest([(1, first, 1), (1, second, 2)], (1, first), (1, second - TICK), (1, second)) == [1, 1, 2]


def test_finer_times_are_rounded_away_from_being_seen_early(
    rated: Make, ingested: Make, store: OfflineStore
) -> None:
    """Events up, moments down, to the microsecond; also before 1970."""
    # DuckDB 2.0 refuses nanosecond Parquet
    for moment in (T, datetime(1960, 1, 1, tzinfo=UTC)):
        nanos = int(moment.timestamp()) * 10**9
        late = pa.array([nanos + 1], pa.timestamp("ns", "UTC"))
        events = ingested(rated(), rates=pa.table({"customer": [1], "at": late, "rate": [5]}))
        asked = pa.array([nanos, nanos + 999, nanos + 1_000], pa.timestamp("ns", "UTC"))
        found = store.features(rated(), events, pa.table({"customer": [1] * 3, "event_timestamp": asked}))
        assert found["rate"].to_pylist() == [None, None, 5]


@pytest.fixture
def shop(define: Make, ingested: Make) -> tuple[Any, dict[str, Any]]:
    """A use case with features on demand, and its events: customer 1 has a rate of 0, 2 none, 3 no orders."""
    use_case = define(
        Count("n"), Sum("s", "x"), sources=(EventSource(name="rates", event_timestamp="at"),),
        views=(FeatureView(name="rates", source="rates", features=(Latest("rate"),)),),
        on_demand=(OnDemand("ratio", "s / rate"), OnDemand("filled", "coalesce(s / rate, -1) + n")),
        services=(FeatureService(name="small", features=("filled", "n")),),
    )  # fmt: skip
    orders = pa.table({"customer": [1, 1, 2, 4], "at": [T] * 4, "x": [1.5, 2.5, 3.0, None]})
    rates = pa.table({"customer": [1, 3, 4], "at": [T] * 3, "rate": [0, 2, 5]})
    return use_case, ingested(use_case, orders=orders, rates=rates)


def test_features_on_demand_are_null_where_they_have_no_value(
    shop: Any, store: OfflineStore, spine_of: Make
) -> None:
    """A null operand or a division by zero; each row by itself gives the same."""
    use_case, events = shop
    spine = spine_of((1, T), (2, T), (3, T), (4, T), (None, T))
    found = historical_features(use_case, store, events, spine)
    assert found.column_names == ["customer", "event_timestamp", "n", "s", "rate", "ratio", "filled"]
    assert found["ratio"].to_pylist() == [None, None, 0.0, 0.0, None]
    assert found["filled"].to_pylist() == [1.0, 0.0, 0.0, 1.0, -1.0]
    rows = [historical_features(use_case, store, events, spine.slice(row, 1)) for row in range(5)]
    assert pa.concat_tables(rows).combine_chunks().equals(found.combine_chunks())


def test_a_service_joins_what_it_needs_and_gives_what_it_lists(
    shop: Any, store: OfflineStore, spine_of: Make
) -> None:
    """In its own order; what a feature on demand reads is joined and not given."""
    use_case, events = shop
    small = use_case.model_copy(update={"service": "small"})
    found = historical_features(small, store, events, spine_of((1, T)))
    assert found.column_names == ["customer", "event_timestamp", "filled", "n"]
    assert set(store.features(small, events, spine_of((1, T))).column_names[2:]) == {"n", "s", "rate"}


def test_a_source_that_no_feature_needs_is_not_asked_for(
    shop: Any, store: OfflineStore, spine_of: Make
) -> None:
    """Its events may be missing."""
    use_case, events = shop
    service = FeatureService(name="counts", features=("n",))
    counts = use_case.model_copy(update={"service": "counts", "services": (service,)})
    found = store.features(counts, {"orders": events["orders"]}, spine_of((1, T)))
    assert found["n"].to_pylist() == [2]


def test_a_label_reads_what_follows_and_nothing_else(
    define: Make, ingested: Make, store: OfflineStore, spine_of: Make
) -> None:
    """(T, T + horizon]: what a feature sees at T no label sees, and the other way round."""
    # Chronon: feature time < inference time <= label time
    at = [T, T + TICK, T + days(30), T + days(30) + TICK]
    use_case = define(Count("n"), horizon=days(30))
    events = ingested(use_case, orders=pa.table({"customer": [0, 1, 2, 3], "at": at}))
    spine = spine_of(*[(key, T) for key in range(4)])
    assert store.labels(use_case, events["orders"], spine)["gone"].to_pylist() == [1, 0, 0, 1]
    assert store.features(use_case, events, spine)["n"].to_pylist() == [1, 0, 0, 0]


def test_where_the_horizon_is_not_past_there_is_no_snapshot_to_label() -> None:
    """An immature label is not a negative one: such a T is not asked for."""
    found = Snapshots.monthly(first=datetime(2022, 1, 1, tzinfo=UTC), as_of=T, horizon=days(60), history=24)
    assert all(moment + days(60) <= T for moment in found.all)
