"""Sources that are SQL, and what of SQL is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlops_core.adapters.feature_store.ingest.ingestion import ingest_file
from mlops_core.domain.features import CountDistinct, Sum
from mlops_core.domain.sources import Query
from mlops_core.errors import BadInput, DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_core.domain.usecase import UseCase

    Run = Callable[[str], pa.Table]

ROW = "1 AS customer, TIMESTAMP '2024-03-31 12:00' AS \"at\", 2.5 AS usd, 'x' AS code"


@pytest.fixture
def run(tmp_path: Path, define: Callable[..., UseCase], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Ingests the result of a query in a folder of its own; nothing may be left when it is refused."""
    monkeypatch.chdir(tmp_path)
    use_case = define(Sum("s", "usd"), CountDistinct("d", "code"))

    def ingest(sql: str) -> pa.Table:
        before = sorted(tmp_path.iterdir())
        into = tmp_path / "events.parquet"
        try:
            ingest_file(use_case, use_case.sources[0], Query(sql=sql), into)
        except BadInput:
            assert sorted(tmp_path.iterdir()) == before
            raise
        return pq.read_table(into)

    return ingest


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT {ROW}",
        f"-- the orders\n /* of all */ WITH o AS (SELECT {ROW}) FROM o;",  # noqa: S608 - of this file alone
        f"FROM (SELECT {ROW})",
        f"(SELECT {ROW}, 1 AS more)",
        "FROM (VALUES (1, TIMESTAMPTZ '2024-03-31 14:00+02', 2.5, 'x')) o(customer, \"at\", usd, code)",
        "SELECT 9 AS CODE_, o.* FROM 'orders/*.parquet' o",
    ],
)
def test_a_query_gives_events(run: Run, tmp_path: Path, sql: str) -> None:
    """With a relative path from the working directory, and naive times in UTC."""
    (tmp_path / "orders").mkdir()
    moment = datetime(2024, 3, 31, 12, tzinfo=UTC)
    table = pa.table({"customer": [1], "at": [moment], "usd": [2.5], "code": ["x"]})
    pq.write_table(table, tmp_path / "orders" / "a.parquet")
    found = run(sql).to_pylist()
    assert [{**row, "usd": float(row["usd"])} for row in found] == [
        {"customer": 1, "at": moment, "code": "x", "usd": 2.5}
    ]


def test_column_names_keep_their_case(run: Run) -> None:
    """DuckDB's are blind to it, ours are not."""
    assert run(f"SELECT {ROW}, 'other' AS \"Code\"")["code"].to_pylist() == ["x"]
    with pytest.raises(DataError, match=r"the result of its query lacks 'code'.*Did you mean 'CODE'"):
        run(f"SELECT * RENAME (code AS CODE) FROM (SELECT {ROW})")  # noqa: S608 - of this file alone


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT {ROW}; SELECT {ROW}",
        f"COPY (SELECT {ROW}) TO 'stolen.csv'",
        "ATTACH 'other.db'",
        "CREATE TABLE t AS SELECT 1",
        "INSTALL httpfs",
        "SET threads = 1",
        "PRAGMA version",
        "DESCRIBE SELECT 1",
        "SHOW TABLES",
        "-- nothing",
    ],
)
def test_anything_but_one_reading_statement_is_refused(run: Run, sql: str) -> None:
    """And is not run."""
    with pytest.raises(BadInput, match="orders: its query must be one statement that only reads"):
        run(sql)


@pytest.mark.parametrize(
    ("sql", "kind", "message"),
    [
        ("SELEC 1", BadInput, r"its query is not understood \(Parser Error: syntax error.*\)\. Mend it\.$"),
        ("FROM nowhere", BadInput, "Table with name nowhere does not exist"),
        ("SELECT customer", BadInput, 'column "customer"'),
        ("FROM 'none/*.parquet'", DataError, "its query failed .*No files found.*Nothing was stored"),
        (f"SELECT {ROW} WHERE false", DataError, "the result of its query has no rows. Give a query"),
        (f"SELECT {ROW}, 3 AS usd", DataError, "has more than one column named 'usd'"),
        (f"SELECT {ROW.replace('1 AS', 'NULL AS')}", DataError, "customer is null in row 1"),
    ],
)
def test_a_query_that_gives_no_events_is_refused(
    run: Run, sql: str, kind: type[BadInput], message: str
) -> None:
    """In DuckDB's words, on one line."""
    with pytest.raises(kind, match=message) as caught:
        run(sql)
    assert "\n" not in str(caught.value)


def test_a_message_has_no_value_of_the_data(run: Run) -> None:
    """DuckDB's own words would."""
    with pytest.raises(DataError, match=r"its query failed \(Conversion Error: Could not convert string …"):
        run("SELECT *, code::INT AS customer FROM (VALUES ('secret', 2, 3)) o(code, \"at\", usd)")
