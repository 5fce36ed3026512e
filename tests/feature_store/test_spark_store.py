"""Spark beside DuckDB: the same answers, on the same files; and Spark as a process that leaves no trace."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from mlops_core.domain.conditions import Where
from mlops_core.domain.features import (
    Count,
    CountDistinct,
    First,
    Last,
    Latest,
    Max,
    Mean,
    Min,
    Since,
    Span,
    StdDev,
    Sum,
)
from mlops_core.domain.sources import Entity, EventSource
from mlops_core.domain.time import days
from mlops_core.domain.views import FeatureView
from mlops_core.errors import BadInput, DataError
from mlops_core.usecases.churn import CHURN

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import OfflineStore

    Define = Callable[..., UseCase]
    Opened = Callable[[str], OfflineStore]

pytestmark = pytest.mark.live

START = datetime(2024, 1, 1, tzinfo=UTC)
TIME = pa.timestamp("us", "UTC")
ODD = ["it's", 'a "b"', "back\\slash", "${spark.master}", "'; --", "", "é"]
ASK = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from mlops_core.adapters.feature_store.spark import SparkOfflineStore
from mlops_core.errors import MlopsError
from mlops_core.usecases.churn import CHURN
store, events = SparkOfflineStore(master=sys.argv[1]), Path(sys.argv[2])
try:
    for _ in range(2):  # once more, after it was closed
        print(store.spine(CHURN, events, [datetime(1997, 1, 3, tzinfo=UTC)]).num_rows)
        store.close()
except MlopsError as error:
    print(type(error).__name__, error)
"""


@pytest.fixture
def spark(opened: Opened) -> OfflineStore:
    """One Spark for all tests of the process."""
    return opened("spark")


@pytest.fixture
def duckdb(opened: Opened) -> OfflineStore:
    """The engine to compare with."""
    return opened("duckdb")


def instants(random: np.random.Generator, rows: int, until: int = 60) -> pa.Array:
    """Whole hours, so that there are ties."""
    return pa.array(random.integers(0, until * 24, rows) * 3_600_000_000 + 1_704_067_200_000_000).cast(TIME)


def orders(random: np.random.Generator, rows: int) -> pa.Table:
    """Orders with nulls, odd texts, and recorded up to ten days late."""
    at = instants(random, rows)
    late = pa.array(np.asarray(at.cast(pa.int64())) + random.integers(0, 10, rows) * 86_400_000_000)

    def holes(values: pa.Array) -> pa.Array:
        return pa.array(values.to_pylist(), values.type, mask=random.random(rows) < 0.1)

    cents = [Decimal(int(one)).scaleb(-2) for one in random.integers(-(10**6), 10**6, rows)]
    return pa.table(
        {
            "shop": pa.array(random.integers(0, 2, rows)),
            "customer": pa.array([ODD[one] for one in random.integers(0, len(ODD), rows)]),
            "order": pa.array(np.arange(rows) // 2),
            "at": at,
            "recorded": late.cast(TIME),
            "whole": holes(pa.array(random.integers(-(2**62), 2**62, rows))),
            "real": holes(pa.array(random.lognormal(0, 3, rows))),
            "money": holes(pa.array(cents, pa.decimal128(8, 2))),
            "Real": holes(pa.array([ODD[one] for one in random.integers(0, len(ODD), rows)])),
            "paid": holes(pa.array(random.random(rows) < 0.5)),
        }
    )


def rates(random: np.random.Generator, table: pa.Table) -> pa.Table:
    """Rows of features of the same customers, one an instant."""
    keys = table.group_by(["shop", "customer", "at"]).aggregate([("recorded", "max")])
    rows = keys.num_rows
    return keys.rename_columns(["branch", "who", "at", "recorded"]).append_column(
        "limit", pa.array(random.integers(-(2**62), 2**62, rows), mask=random.random(rows) < 0.2)
    ).append_column("gold", pa.array(random.random(rows) < 0.5))  # fmt: skip


EVERY_KIND = (
    Count("n", window=days(20), where=(Where("Real", "in", tuple(ODD[:4])),)),
    Count("odd", where=(Where("Real", "==", ODD[2]), Where("whole", ">", 2.0**53))),
    CountDistinct("texts", "Real"),
    CountDistinct("texts_10", "Real", window=days(10), offset=days(5)),
    Sum("whole", "whole"),
    Sum("money", "money", window=days(30), where=(Where("money", ">=", 0.1),)),
    Sum("real", "real"),
    Mean("mean", "real", window=days(9), offset=days(3)),
    Min("least", "money"),
    Max("most", "whole", where=(Where("paid", "==", True),)),
    StdDev("spread", "real"),
    StdDev("spread_whole", "whole"),
    StdDev("spread_money", "money", window=days(20)),
    First("first", "real"),
    Last("last", "money", offset=days(2)),
    Since("since_first", event="first"),
    Since("since", window=days(30)),
    Since("since_previous", event="previous", where=(Where("Real", "!=", ""),)),
    Span("active"),
)


def same(found: pa.Table, expected: pa.Table) -> None:
    """Integers exactly, floats to 1e-9."""
    assert found.schema == expected.schema
    for name in expected.column_names:
        if pa.types.is_floating(found[name].type):
            assert found[name].is_null().equals(expected[name].is_null()), name
            ours, theirs = (np.asarray(one[name].drop_null()) for one in (found, expected))
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, err_msg=name)
        else:
            assert found[name].equals(expected[name]), name


@pytest.fixture
def everything(define: Define) -> Callable[..., UseCase]:
    """Makes a use case of all kinds of features, keys and views."""

    def make(visibility: str, event_id: str | None) -> UseCase:
        known: Any = {"visibility": visibility}
        graded = EventSource(name="rates", event_timestamp="at", created_timestamp="recorded", delay=days(1))
        latest = (Latest("limit"), Latest("gold"))
        views = (
            FeatureView(
                name="rates", source="rates", features=latest, on=("branch", "who"), ttl=days(9), **known
            ),
            FeatureView(
                name="by_shop", source="orders", entity="shop", features=(Count("in_shop"),), **known
            ),
        )  # fmt: skip
        return define(
            *EVERY_KIND, created="recorded", visibility=visibility, key=("shop", "customer"), views=views,
            sources=(graded,), entities=(Entity(name="shop", key="shop"),), order={"event_id": event_id},
        )  # fmt: skip

    return make


@pytest.mark.parametrize(
    ("visibility", "event_id", "known_after"),
    [("known", None, None), ("known", "order", None), ("event", "order", 40)],
)
def test_every_kind_of_feature_is_as_duckdb_says(
    spark: OfflineStore,
    duckdb: OfflineStore,
    everything: Callable[..., UseCase],
    tmp_path: Path,
    visibility: str,
    event_id: str | None,
    known_after: int | None,
) -> None:
    """Composite keys, nulls, late rows, corrections, conditions, offsets, ttl, as known on a day."""
    random = np.random.default_rng(0)
    use_case = everything(visibility, event_id)
    table = orders(random, 1_500)
    events = {}
    for name, rows in (("orders", table), ("rates", rates(random, table))):
        events[name] = tmp_path / f"{name}.parquet"
        if name == "orders":  # two versions of an event must differ in when they were recorded
            late = np.asarray(rows["recorded"].cast(pa.int64())) + np.arange(rows.num_rows) % 2
            rows = rows.set_column(4, "recorded", pa.array(late).cast(TIME))
        spark.ingest(use_case, use_case.source(name), rows, events[name])
    day = None if known_after is None else START + timedelta(days=known_after)
    asked = {"shop": random.integers(0, 3, 800), "customer": [[*ODD, None, "?"][n % 9] for n in range(800)]}
    asked["event_timestamp"] = instants(random, 800, 90)
    spine = pa.table(asked)
    found, expected = (store.features(use_case, events, spine, as_known_at=day) for store in (spark, duckdb))
    same(found, expected)
    at = [START + timedelta(days=number) for number in (70, 10, 30)]
    people = duckdb.spine(use_case, events["orders"], at, as_known_at=day)
    assert spark.spine(use_case, events["orders"], at, as_known_at=day).equals(people)
    labels = duckdb.labels(use_case, events["orders"], people, as_known_at=day)
    assert spark.labels(use_case, events["orders"], people, as_known_at=day).equals(labels)


def test_a_training_set_is_as_duckdb_says(spark: OfflineStore) -> None:
    """As docs/spark.md measures it: all customers of CDNOW at nine months' starts, twice."""
    assert spark  # it runs, and is used
    text = (Path(__file__).parents[2] / "docs" / "spark.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    measured: dict[str, Any] = {}
    exec(code, measured)  # noqa: S102 - our own documentation
    answers = measured["answers"]
    expected = answers["DuckDBOfflineStore", "first"]
    assert expected[0].num_rows == 212_130
    for attempt in ("first", "second"):
        for ours, theirs in zip(answers["SparkOfflineStore", attempt], expected, strict=True):
            same(ours, theirs)


def test_a_hot_key_is_counted(spark: OfflineStore, define: Define, tmp_path: Path) -> None:
    """2,000 events of one customer at 2,000 instants."""
    use_case = define(Count("n"), CountDistinct("moments", "at"), Since("since", event="previous"))
    at = pa.array(np.arange(2_000) * 1_000_000).cast(TIME)
    table = pa.table({"customer": pa.array([1] * 2_000), "at": at})
    spark.ingest(use_case, use_case.sources[0], table, tmp_path / "events.parquet")
    spine = table.rename_columns(["customer", "event_timestamp"])
    found = spark.features(use_case, {"orders": tmp_path / "events.parquet"}, spine)
    ranks = list(range(1, 2_001))
    assert found["n"].to_pylist() == ranks
    assert found["moments"].to_pylist() == ranks
    assert found["since"].to_pylist() == [None] + [pytest.approx(1 / 86_400)] * 1_999


@pytest.mark.parametrize("name", ["a*[b]{c}?.parquet", ".mlops/_k=1/o'x %41#.parquet"])
def test_any_file_name_will_do(spark: OfflineStore, define: Define, tmp_path: Path, name: str) -> None:
    """Spark takes some for patterns or partitions."""
    use_case = define(Count("n"))
    path = tmp_path / name
    table = pa.table({"customer": [1, 1], "at": pa.array([START, START], TIME)})
    spark.ingest(use_case, use_case.sources[0], table, path)
    found = spark.spine(use_case, path, [START])
    assert found["customer"].to_pylist() == [1]


@pytest.mark.parametrize("name", [".hidden.parquet", "_x.parquet", "x:y.parquet"])
def test_a_file_that_spark_passes_over_is_refused(
    spark: OfflineStore, define: Define, tmp_path: Path, name: str
) -> None:
    """Rather than read as empty."""
    use_case = define(Count("n"))
    table = pa.table({"customer": [1], "at": pa.array([START], TIME)})
    spark.ingest(use_case, use_case.sources[0], table, tmp_path / name)
    with pytest.raises(BadInput, match=r"does not read files whose names begin with .* Rename it"):
        spark.spine(use_case, tmp_path / name, [START])


def test_a_sum_that_leaves_its_type_is_refused(spark: OfflineStore, define: Define, tmp_path: Path) -> None:
    """38 digits are what decimals have; the message shows none of them."""
    use_case = define(Sum("s", "usd"))
    usd = pa.array([Decimal(9 * 10**37)] * 2, pa.decimal128(38, 0))
    table = pa.table({"customer": [1, 1], "at": pa.array([START] * 2, TIME), "usd": usd})
    spark.ingest(use_case, use_case.sources[0], table, tmp_path / "events.parquet")
    spine = pa.table({"customer": [1], "event_timestamp": pa.array([START], TIME)})
    with pytest.raises(DataError, match="a sum leaves the range of its column's type") as caught:
        spark.features(use_case, {"orders": tmp_path / "events.parquet"}, spine)
    assert "000" not in str(caught.value)


def test_the_spark_that_runs_already_is_used_and_left_alone(
    spark: OfflineStore, define: Define, tmp_path: Path
) -> None:
    """Its settings, views and active session are as before, and `close` does not stop it."""
    from pyspark.sql import SparkSession

    from mlops_core.adapters.feature_store.spark import SparkOfflineStore

    use_case = define(Count("n"))
    path = tmp_path / "events.parquet"
    spark.ingest(
        use_case, use_case.sources[0], pa.table({"customer": [1], "at": pa.array([START], TIME)}), path
    )
    spark.spine(use_case, path, [START])
    mine = SparkSession.builder.getOrCreate()
    mine.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    mine.range(3).createOrReplaceTempView("spine")
    try:
        guest = SparkOfflineStore(master="local[1]")
        spine = pa.table({"customer": [1], "event_timestamp": pa.array([START], TIME)})
        assert guest.features(use_case, {"orders": path}, spine)["n"].to_pylist() == [1]
        guest.close()
        assert SparkSession.getActiveSession() is mine
        assert mine.sql("SELECT count(*) FROM spine").collect()[0][0] == 3
        assert mine.conf.get("spark.sql.session.timeZone") == "Asia/Tokyo"
        assert [view.name for view in mine.catalog.listTables("global_temp")] == ["spine"]
    finally:
        mine.catalog.dropTempView("spine")
        mine.conf.unset("spark.sql.session.timeZone")


def test_both_ways_to_the_second_least_agree() -> None:
    """Before 4.3 Spark has no bounded one."""
    from mlops_core.adapters.feature_store.spark_dialect import SparkDialect
    from mlops_core.adapters.feature_store.spark_session import SparkProcess

    ways = ", ".join(
        SparkDialect(bounded=one).second_least("x", " FILTER (WHERE x <> 5)") for one in (True, False)
    )
    values = "VALUES (1, 7), (1, 3), (1, 3), (1, 5), (2, 9), (2, NULL), (3, 8), (3, 9) AS pairs(k, x)"
    with SparkProcess("local[1]").session() as session:
        found = session.sql(f"SELECT {ways} FROM {values} GROUP BY k ORDER BY k").collect()  # noqa: S608 - all ours
    assert [tuple(row) for row in found] == [(3, 3), (None, None), (9, 9)]


def started(tmp_path: Path, master: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A process of its own that asks twice, with folders of its own to leave traces in."""
    for name in ("work", "home", "temp"):
        (tmp_path / name).mkdir()
    source = CHURN.sources[0]
    assert source.path is not None
    from mlops_core.adapters.feature_store.ingest.ingestion import ingest_file

    ingest_file(CHURN, source, source.path, tmp_path / "events.parquet")
    folders = {"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "temp")}
    return subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-W", "default", "-c", ASK, master, str(tmp_path / "events.parquet")],
        cwd=tmp_path / "work", env=os.environ | folders | environment,
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip


def test_a_process_leaves_nothing_behind_and_says_little(tmp_path: Path) -> None:
    """No file in the working, home or temporary folder; of standard error, only the JVM's own note."""
    ran = started(tmp_path, "local[2]")
    customers = ran.stdout.split()
    assert len(customers) == 2
    assert int(customers[0]) == int(customers[1]) > 0
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["events.parquet"]
    assert not list((tmp_path / "temp").iterdir())
    assert [line for line in ran.stderr.splitlines() if "incubator" not in line] == []


@pytest.mark.parametrize(
    ("master", "java", "said"),
    [
        ("local[1]", None, "MlopsError Spark needs Java 17 or later, and there is none that runs. Install"),
        ("local[1]", "11.0.2", "MlopsError Spark needs Java 17 or later, not Java 11. Set JAVA_HOME"),
        ("spark://127.0.0.1:1", None, "Unavailable no Spark master answers at spark://127.0.0.1:1"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, master: str, java: str | None, said: str) -> None:
    """Java, its version, or the master."""
    home = tmp_path / "java"
    (home / "bin").mkdir(parents=True)
    if java is not None:
        program = home / "bin" / "java"
        program.write_text(f'#!/bin/sh\necho \'openjdk version "{java}"\' >&2\n[ "$1" = -version ]\n')
        program.chmod(0o755)
    ran = started(tmp_path, master, JAVA_HOME=str(home))
    assert ran.stdout.startswith(said)
    assert not list((tmp_path / "temp").iterdir())
