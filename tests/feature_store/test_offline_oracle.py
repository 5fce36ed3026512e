"""DuckDB against brute force on random histories, and against itself under other circumstances."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_core.adapters.feature_store.duckdb import DuckDBOfflineStore
from mlops_core.adapters.feature_store.memory import MemoryOfflineStore
from mlops_core.domain.digest import digest_table
from mlops_core.domain.features import Count, CountDistinct, Max, Mean, Min, Since, Span, Sum
from mlops_core.errors import BadInput, DataError, MlopsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_core.domain.features import AnyFeature
    from mlops_core.domain.usecase import UseCase

    Define = Callable[..., UseCase]

START = datetime(2024, 1, 1, tzinfo=UTC)
NUMBERS = ("whole", "real", "money")
EVENTS = pa.schema(
    [
        ("customer", pa.int64()),
        ("at", pa.timestamp("us", "UTC")),
        ("recorded", pa.timestamp("us", "UTC")),
        ("whole", pa.int64()),
        ("real", pa.float64()),
        ("money", pa.decimal128(8, 2)),
        ("code", pa.string()),
    ]
)
SPINE = pa.schema([("customer", pa.int64()), ("event_timestamp", pa.timestamp("us", "UTC"))])

# Few keys, days and values, and a microsecond to either side, so that edges and ties are met often.
keys = st.integers(0, 2)
moments = st.builds(
    lambda day, ticks: START + timedelta(days=day, microseconds=ticks), st.integers(0, 12), st.integers(-1, 1)
)
events = st.fixed_dictionaries(
    {
        "customer": keys,
        "at": moments,
        "recorded": moments,
        "whole": st.none() | st.integers(-(2**62), 2**62),
        "real": st.none() | st.floats(-1e6, 1e6, allow_subnormal=False),
        "money": st.none() | st.decimals("-999999.99", "999999.99", places=2),
        "code": st.none() | st.sampled_from(["a", "b", ""]),
    }
)
asked = st.fixed_dictionaries({"customer": st.none() | st.integers(0, 3), "event_timestamp": moments})
windows = st.none() | st.builds(
    lambda day, ticks: timedelta(days=day, microseconds=ticks), st.integers(1, 12), st.integers(-1, 1)
)


@st.composite
def feature_lists(draw: st.DrawFn) -> list[AnyFeature]:
    """One to six features of any kind, window and column."""
    made: list[AnyFeature] = []
    for number in range(draw(st.integers(1, 6))):
        name, window = f"f{number}", draw(windows)
        kind = draw(st.sampled_from([Count, CountDistinct, Sum, Mean, Min, Max, Since, Span]))
        if kind in (Count, Span):
            made.append(kind(name, window=window))
        elif kind is Since:
            made.append(Since(name, event=draw(st.sampled_from(["first", "last"])), window=window))
        elif kind is CountDistinct:
            column = draw(st.sampled_from(["code", "whole", "money", "at", "recorded"]))
            made.append(CountDistinct(name, column, window=window))
        else:
            made.append(kind(name, draw(st.sampled_from(NUMBERS)), window=window))
    return made


@pytest.fixture
def ingest(define: Define, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[UseCase, Path]]:
    """Ingests random events under a visibility; "none" has no created timestamps."""

    def run(events: list[dict[str, object]], visibility: str, *features: AnyFeature) -> tuple[UseCase, Path]:
        chosen = {} if visibility == "none" else {"created": "recorded", "visibility": visibility}
        use_case = define(*features, horizon=timedelta(days=3), **chosen)
        folder = tmp_path_factory.mktemp("oracle")
        pq.write_table(pa.Table.from_pylist(events, EVENTS), folder / "orders.parquet")
        MemoryOfflineStore().ingest(
            use_case, use_case.sources[0], folder / "orders.parquet", folder / "e.parquet"
        )
        return use_case, folder / "e.parquet"

    return run


# The fixture keeps nothing between examples, each of which runs an engine.
engine = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
histories = st.lists(events, min_size=1, max_size=25)
visibilities = st.sampled_from(["known", "event", "none"])


@engine
@given(
    orders=histories, visibility=visibilities, spine=st.lists(asked, max_size=12), features=feature_lists()
)
def test_features_equal_brute_force(
    ingest: Callable[..., tuple[UseCase, Path]],
    orders: list[dict[str, object]],
    visibility: str,
    spine: list[dict[str, object]],
    features: list[AnyFeature],
) -> None:
    """Integers exactly, floats to 1e-9 of what was added up."""
    use_case, path = ingest(orders, visibility, *features)
    rows = pa.Table.from_pylist(spine, SPINE)
    found = DuckDBOfflineStore().features(use_case, {"orders": path}, rows)
    expected = MemoryOfflineStore().features(use_case, {"orders": path}, rows)
    assert found.schema == expected.schema
    for feature in features:
        values, right = found[feature.name].to_pylist(), expected[feature.name].to_pylist()
        if not isinstance(feature, Count | CountDistinct):
            right = [one and pytest.approx(one, rel=1e-9, abs=1e-9) for one in right]
        assert values == right


@engine
@given(orders=histories, visibility=visibilities, at=st.lists(moments, max_size=4))
def test_spines_and_labels_equal_brute_force(
    ingest: Callable[..., tuple[UseCase, Path]],
    orders: list[dict[str, object]],
    visibility: str,
    at: list[datetime],
) -> None:
    """Row by row."""
    use_case, path = ingest(orders, visibility, Count("n"))
    spine = DuckDBOfflineStore().spine(use_case, path, at)
    assert spine.equals(MemoryOfflineStore().spine(use_case, path, at))
    labels = DuckDBOfflineStore().labels(use_case, path, spine)
    assert labels.equals(MemoryOfflineStore().labels(use_case, path, spine))


def history(seed: int, rows: int) -> pa.Table:
    """Random orders of many customers, with floats whose sum depends on the order of addition."""
    random = np.random.default_rng(seed)
    at = random.integers(0, 200 * 86_400, rows)
    return pa.table(
        {
            "customer": pa.array(random.zipf(1.5, rows) % 2_000),
            "at": pa.array(at * 1_000_000, pa.int64()).cast(pa.timestamp("us", "UTC")),
            "recorded": pa.array((at + random.integers(0, 86_400, rows)) * 1_000_000).cast(
                pa.timestamp("us", "UTC")
            ),
            "whole": pa.array(random.integers(0, 9, rows)),
            "real": pa.array(random.lognormal(0, 3, rows) * random.choice([-1.0, 1.0], rows)),
            "money": pa.array([Decimal(int(cents)).scaleb(-2) for cents in random.integers(0, 10**6, rows)]),
        }
    )


def test_answers_are_the_same_bit_for_bit(tmp_path: Path, define: Define) -> None:
    """Whatever the number of threads, the physical order of events and spine, and the rest of the spine."""
    use_case = define(
        Sum("real", "real"),
        Mean("real_30", "real", window=timedelta(days=30)),
        Sum("money", "money", window=timedelta(days=30)),
        CountDistinct("whole", "whole", window=timedelta(days=60)),
        Since("since"),
        created="recorded",
    )
    table = history(0, 30_000)
    shuffle = np.random.default_rng(1).permutation(table.num_rows)
    at = [datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in (50, 100, 150, 200)]
    digests = set()
    for name, rows, threads in (("a", table, 1), ("b", table.take(shuffle), 4), ("c", table, 4)):
        store = DuckDBOfflineStore(threads=threads)
        pq.write_table(rows, tmp_path / f"{name}.parquet", row_group_size=5_000)
        events = tmp_path / "events" / f"{name}.parquet"
        store.ingest(use_case, use_case.sources[0], tmp_path / f"{name}.parquet", events)
        spine = store.spine(use_case, events, at)
        found = store.features(use_case, {"orders": events}, spine)
        order = np.random.default_rng(threads).permutation(spine.num_rows)
        other = store.features(use_case, {"orders": events}, spine.take(order))
        assert other.equals(found.take(order))
        assert store.features(use_case, {"orders": events}, spine.slice(100, 1)).equals(found.slice(100, 1))
        labels = store.labels(use_case, events, spine)
        digests.add((events.read_bytes(), digest_table(found), digest_table(labels)))
    assert len(digests) == 1


def test_a_hot_key_fits_in_little_memory(tmp_path: Path, define: Define) -> None:
    """3,000 events of one customer asked about at 3,000 instants: pairs are added up, never kept."""
    use_case = define(Count("n"), Sum("real", "real"), CountDistinct("whole", "whole"))
    table = history(2, 3_000).set_column(0, "customer", pa.array([1] * 3_000))
    pq.write_table(table, tmp_path / "orders.parquet")
    store = DuckDBOfflineStore(memory_limit="64MB")
    events = tmp_path / "events.parquet"
    store.ingest(use_case, use_case.sources[0], tmp_path / "orders.parquet", events)
    spine = pa.table({"customer": table["customer"], "event_timestamp": table["at"]}).sort_by(
        "event_timestamp"
    )
    found = store.features(use_case, {"orders": events}, spine)["n"].to_numpy()
    ranks = np.searchsorted(spine["event_timestamp"].to_numpy(), spine["event_timestamp"].to_numpy(), "right")
    np.testing.assert_array_equal(found, ranks)


@pytest.mark.parametrize(
    ("store", "kind", "message"),
    [
        (DuckDBOfflineStore(memory_limit="1MB"), MlopsError, "too little memory .* Raise its memory limit"),
        (DuckDBOfflineStore(memory_limit="lots"), BadInput, "DuckDB does not take its settings"),
        (DuckDBOfflineStore(threads=0), BadInput, "DuckDB does not take its settings"),
    ],
)
def test_what_the_engine_objects_to_is_said(
    tmp_path: Path, define: Define, store: DuckDBOfflineStore, kind: type[MlopsError], message: str
) -> None:
    """Too little memory for the question, or settings that cannot be meant."""
    use_case = define(Count("n"), CountDistinct("moments", "at"))
    table = history(3, 20_000)
    pq.write_table(table, tmp_path / "orders.parquet")
    store.ingest(use_case, use_case.sources[0], tmp_path / "orders.parquet", tmp_path / "events.parquet")
    spine = pa.table({"customer": table["customer"], "event_timestamp": table["at"]})
    with pytest.raises(kind, match=message):
        store.features(use_case, {"orders": tmp_path / "events.parquet"}, spine)


def test_a_sum_that_leaves_its_type_is_refused(tmp_path: Path, define: Define) -> None:
    """38 digits are what decimals have."""
    use_case = define(Sum("s", "usd"))
    usd = pa.array([Decimal(9 * 10**37)] * 2, pa.decimal128(38, 0))
    pq.write_table(pa.table({"customer": [1, 1], "at": [START] * 2, "usd": usd}), tmp_path / "orders.parquet")
    store, path = DuckDBOfflineStore(), tmp_path / "events.parquet"
    store.ingest(use_case, use_case.sources[0], tmp_path / "orders.parquet", path)
    spine = pa.table({"customer": [1], "event_timestamp": [START]})
    with pytest.raises(DataError, match="a sum leaves the range of its column's type"):
        store.features(use_case, {"orders": path}, spine)


def test_nothing_is_left_behind(tmp_path: Path, define: Define, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file in the working folder, the home folder or the temporary one."""
    use_case = define(Sum("s", "usd"))
    for name in ("work", "home", "temp"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temp"))
    pq.write_table(pa.table({"customer": [1], "at": [START], "usd": [1.0]}), tmp_path / "orders.parquet")
    store = DuckDBOfflineStore()
    store.ingest(
        use_case, use_case.sources[0], tmp_path / "orders.parquet", tmp_path / "events" / "o.parquet"
    )
    store.features(use_case, {"orders": tmp_path / "events" / "o.parquet"}, SPINE.empty_table())
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["orders.parquet", "o.parquet"]
