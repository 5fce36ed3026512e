from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_core.adapters.feature_store.canonical import write_events
from mlops_core.definitions import (
    Entity,
    EventSource,
    FeatureView,
    GatePolicy,
    Latest,
    LogisticRegression,
    NoEventWithin,
    UseCase,
    days,
)
from mlops_core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from mlops_core.adapters.feature_store.feast import FeastOfflineStore
    from mlops_core.adapters.feature_store.memory import MemoryOfflineStore

pytestmark = pytest.mark.live

START = datetime(2024, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
TIME = pa.timestamp("us", "UTC")
BIG = 2**60 + 1


@pytest.mark.parametrize(
    ("source", "view"),
    [
        ({}, {}),
        ({}, {"visibility": "event"}),
        ({"created_timestamp": None}, {}),
        ({"delay": HOUR}, {}),
        ({}, {"ttl": 36 * HOUR}),
        ({}, {"ttl": days(1)}),
        ({}, {"ttl": 90 * timedelta(minutes=1) + TICK}),
        ({"delay": HOUR}, {"ttl": 36 * HOUR}),
        ({"delay": HOUR}, {"ttl": timedelta(minutes=30)}),
        ({"event_id": "event", "columns": None}, {}),
        ({"event_id": "event", "columns": None}, {"visibility": "event"}),
    ],
    ids=str,
)
def test_features_are_those_of_the_oracle(
    offline: FeastOfflineStore,
    oracle: MemoryOfflineStore,
    make_shop: Callable[..., Any],
    source: dict[str, Any],
    view: dict[str, Any],
) -> None:
    shop = make_shop(source, **view)
    for known in (None, START + 3 * HOUR):
        found = offline.features(shop.use_case, shop.events, shop.spine, as_known_at=known)
        assert found.equals(oracle.features(shop.use_case, shop.events, shop.spine, as_known_at=known))


def test_the_spine_keeps_its_rows_their_order_and_its_columns(
    offline: FeastOfflineStore, make_shop: Callable[..., Any]
) -> None:
    shop = make_shop()
    found = offline.features(shop.use_case, shop.events, shop.spine)
    assert found.select(shop.spine.column_names).equals(shop.spine)


def test_a_spine_without_rows_has_all_features(
    offline: FeastOfflineStore, oracle: MemoryOfflineStore, make_shop: Callable[..., Any]
) -> None:
    shop = make_shop()
    empty = shop.spine.slice(0, 0)
    found = offline.features(shop.use_case, shop.events, empty)
    assert found.schema.equals(oracle.features(shop.use_case, shop.events, empty).schema)


def test_moments_in_another_zone_are_converted(
    offline: FeastOfflineStore, make_shop: Callable[..., Any]
) -> None:
    shop = make_shop()
    place = shop.spine.column_names.index("event_timestamp")
    moments = shop.spine["event_timestamp"].cast(pa.timestamp("us", "Europe/Berlin"))
    elsewhere = shop.spine.set_column(place, "event_timestamp", moments)
    here = offline.features(shop.use_case, shop.events, shop.spine)
    there = offline.features(shop.use_case, shop.events, elsewhere)
    assert there["a"].equals(here["a"])
    assert there["n"].equals(here["n"])


def single(**view: Any) -> UseCase:
    """One view of latest values by one key."""
    fields = {"name": "scored", "source": "scores", "features": (Latest("a_y"), Latest("yes"))}
    return UseCase(
        name="one",
        entity=Entity(name="customer", key="customer"),
        sources=(EventSource(name="scores", event_timestamp="at", created_timestamp="recorded"),),
        views=(FeatureView.model_validate(fields | view),),
        label=NoEventWithin(name="gone", source="scores", horizon=days(3)),
        candidates=(LogisticRegression(),),
        gate=GatePolicy(floor=0.5),
    )


def write_scores(
    path: Path, rows: Sequence[tuple[Any, datetime, datetime, int | None]], key: pa.DataType
) -> Path:
    """Canonical events of rows (key, at, recorded, value)."""
    values = [row[3] for row in rows]
    table = {
        "customer": pa.array([row[0] for row in rows], key),
        "at": pa.array([row[1] for row in rows], TIME),
        "recorded": pa.array([row[2] for row in rows], TIME),
        "a_y": pa.array(values, pa.int64()),
        "yes": pa.array([None if one is None else one % 2 == 0 for one in values], pa.bool_()),
    }
    write_events(pa.table(table), path)
    return path


def asked(key: pa.DataType, *rows: tuple[Any, datetime]) -> pa.Table:
    """A spine of rows (key, moment)."""
    keys, moments = [row[0] for row in rows], [row[1] for row in rows]
    return pa.table({"customer": pa.array(keys, key), "event_timestamp": pa.array(moments, TIME)})


def test_integers_stay_exact_beside_a_missing_row_and_names_may_end_in_y(
    offline: FeastOfflineStore, tmp_path: Path
) -> None:
    path = write_scores(tmp_path / "scores.parquet", [(1, START, START, BIG)], pa.int64())
    rows = asked(pa.int32(), (1, START), (2, START), (1, START - TICK))
    found = offline.features(single(), {"scores": path}, rows)
    assert found["a_y"].to_pylist() == [BIG, None, None]
    assert found["yes"].to_pylist() == [0, None, None]


def test_text_keys_with_quotes_are_keys(offline: FeastOfflineStore, tmp_path: Path) -> None:
    keys = ["it's", '"', "ü\n", ""]
    rows = [(key, START, START, number) for number, key in enumerate(keys)]
    path = write_scores(tmp_path / "scores.parquet", rows, pa.string())
    spine = asked(pa.string(), *((key, START) for key in reversed(keys)))
    found = offline.features(single(), {"scores": path}, spine)
    assert found["a_y"].to_pylist() == [3, 2, 1, 0]


def test_keys_of_another_type_are_refused(offline: FeastOfflineStore, tmp_path: Path) -> None:
    path = write_scores(tmp_path / "scores.parquet", [(1, START, START, 1)], pa.int64())
    with pytest.raises(DataError, match="Make both integers or both strings"):
        offline.features(single(), {"scores": path}, asked(pa.string(), ("1", START)))


def test_an_empty_source_gives_nulls(offline: FeastOfflineStore, tmp_path: Path) -> None:
    path = write_scores(tmp_path / "scores.parquet", [], pa.int64())
    found = offline.features(single(), {"scores": path}, asked(pa.int64(), (1, START)))
    assert found["a_y"].to_pylist() == [None]


def test_both_instants_of_a_repeated_hour_are_told_apart(offline: FeastOfflineStore, tmp_path: Path) -> None:
    zone = ZoneInfo("Europe/Berlin")
    first, second = (datetime(2024, 10, 27, 2, 30, tzinfo=zone, fold=fold) for fold in (0, 1))
    path = write_scores(
        tmp_path / "scores.parquet", [(1, first, first, 1), (1, second, second, 2)], pa.int64()
    )
    found = offline.features(single(), {"scores": path}, asked(pa.int64(), (1, first), (1, second)))
    assert found["a_y"].to_pylist() == [1, 2]


def test_a_ttl_of_days_is_of_24_hours_over_a_change_of_clocks(
    offline: FeastOfflineStore, tmp_path: Path
) -> None:
    written = datetime(2024, 10, 26, 12, tzinfo=UTC)
    path = write_scores(tmp_path / "scores.parquet", [(1, written, written, 1)], pa.int64())
    rows = asked(pa.int64(), (1, written + days(1)), (1, written + days(1) + TICK))
    found = offline.features(single(ttl=days(1)), {"scores": path}, rows)
    assert found["a_y"].to_pylist() == [1, None]


HOURS = st.integers(0, 6).map(lambda hours: START + hours * HOUR)
ROWS = st.lists(
    st.tuples(st.integers(1, 3), HOURS, HOURS, st.none() | st.integers(-BIG, BIG)),
    max_size=12,
    unique_by=lambda row: row[:3],
)
ASKED = st.lists(st.tuples(st.none() | st.integers(1, 4), HOURS), min_size=1, max_size=8)
TTLS = st.sampled_from([None, HOUR, 90 * timedelta(minutes=1), 3 * HOUR])


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=ROWS, spine=ASKED, ttl=TTLS, visibility=st.sampled_from(["known", "event"]))
def test_any_history_is_read_as_the_oracle_reads_it(
    offline: FeastOfflineStore,
    oracle: MemoryOfflineStore,
    tmp_path: Path,
    rows: list[tuple[int, datetime, datetime, int | None]],
    spine: list[tuple[int | None, datetime]],
    ttl: timedelta | None,
    visibility: str,
) -> None:
    use_case = single(ttl=ttl, visibility=visibility)
    events = {"scores": write_scores(tmp_path / "scores.parquet", rows, pa.int64())}
    table = asked(pa.int64(), *spine)
    expected = oracle.features(use_case, events, table)
    assert offline.features(use_case, events, table).equals(expected)
