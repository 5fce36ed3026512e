"""DuckDB under other circumstances: threads, physical order, little memory, settings that cannot be meant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlops_core.adapters.feature_store.duckdb import DuckDBOfflineStore
from mlops_core.domain.digest import digest_table
from mlops_core.domain.features import Count, CountDistinct, First, Last, Latest, Mean, Since, StdDev, Sum
from mlops_core.domain.sources import EventSource
from mlops_core.domain.views import FeatureView
from mlops_core.errors import BadInput, DataError, MlopsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_core.domain.usecase import UseCase

    Define = Callable[..., UseCase]

START = datetime(2024, 1, 1, tzinfo=UTC)
SPINE = pa.schema([("customer", pa.int64()), ("event_timestamp", pa.timestamp("us", "UTC"))])


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
    rows_of_features = EventSource(name="rates", event_timestamp="at")
    use_case = define(
        Sum("real", "real"),
        Mean("real_30", "real", window=timedelta(days=30)),
        Sum("money", "money", window=timedelta(days=30)),
        CountDistinct("whole", "whole", window=timedelta(days=60)),
        StdDev("spread", "real", window=timedelta(days=30)),
        First("first", "real"),
        Last("last", "real", offset=timedelta(days=20)),
        Since("since", event="previous"),
        created="recorded",
        sources=(rows_of_features,),
        views=(
            FeatureView(name="rates", source="rates", features=(Latest("rate"),), ttl=timedelta(days=30)),
        ),
    )
    table = history(0, 15_000)
    latest = table.group_by(["customer", "at"]).aggregate([("real", "max")])
    latest = latest.rename_columns(["customer", "at", "rate"])
    at = [datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in (50, 100, 150, 200)]
    digests = set()
    for name, seed, threads in (("a", None, 1), ("b", 1, 4), ("c", 2, 4)):
        store = DuckDBOfflineStore(threads=threads)
        events = {}
        for source, rows in (("orders", table), ("rates", latest)):
            events[source] = tmp_path / f"{name}_{source}.parquet"
            order = np.random.default_rng(seed).permutation(rows.num_rows) if seed else range(rows.num_rows)
            store.ingest(use_case, use_case.source(source), rows.take(pa.array(order)), events[source])
        spine = store.spine(use_case, events["orders"], at)
        found = store.features(use_case, events, spine)
        order = np.random.default_rng(threads).permutation(spine.num_rows)
        assert store.features(use_case, events, spine.take(order)).equals(found.take(order))
        assert store.features(use_case, events, spine.slice(100, 1)).equals(found.slice(100, 1))
        labels = store.labels(use_case, events["orders"], spine)
        files = tuple(path.read_bytes() for path in events.values())
        digests.add((files, digest_table(found), digest_table(labels)))
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
    store.ingest(use_case, use_case.sources[0], table, tmp_path / "events.parquet")
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
