"""What ingestion takes and what it refuses, and that it leaves nothing when it refuses."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlops_core.adapters.feature_store.ingest.ingestion import ingest_file
from mlops_core.domain.digest import digest_table
from mlops_core.domain.features import Count, CountDistinct, Max, Sum
from mlops_core.errors import BadInput, DataError, MlopsError, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_core.domain.usecase import UseCase

    Define = Callable[..., UseCase]
    Ingest = Callable[..., pa.Table]

T = datetime(2024, 3, 31, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


@pytest.fixture
def ingest(tmp_path: Path, define: Define) -> Ingest:
    """Ingests a table or the text of a CSV file and reads the canonical events back."""

    def run(content: pa.Table | str | bytes, use_case: UseCase | None = None) -> pa.Table:
        use_case = use_case or define(Sum("s", "usd"))
        path = tmp_path / ("orders.parquet" if isinstance(content, pa.Table) else "orders.CSV")
        if isinstance(content, pa.Table):
            pq.write_table(content, path)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        into = tmp_path / "events" / "orders.parquet"
        try:
            ingest_file(use_case, use_case.sources[0], path, into)
        except MlopsError:
            assert not list((tmp_path / "events").glob("*"))
            raise
        assert [one.name for one in into.parent.iterdir()] == ["orders.parquet"]
        return pq.read_table(into)

    return run


def orders(**columns: object) -> pa.Table:
    """One order, or as many as a given column has."""
    rows = max((len(column) for column in columns.values() if isinstance(column, list | pa.Array)), default=1)
    return pa.table({"customer": [1] * rows, "at": [T] * rows, "usd": [1] * rows} | columns)


def test_canonical_events_have_their_columns_types_and_order(ingest: Ingest, define: Define) -> None:
    """Key, timestamps, then the columns that are read, sorted by each in turn; the rest is left out."""
    table = pa.table(
        {
            "z": pa.array([3, 2, 1], pa.uint8()),
            "unread": ["x", "y", "z"],
            "b": pa.array(["v", None, "u"]).dictionary_encode(),
            "at": pa.array([T, T, T], pa.timestamp("ms", "Asia/Tokyo")),
            "customer": pa.array([2, 1, 1], pa.int16()),
            "recorded": [date(2024, 4, 2), date(2024, 4, 1), date(2024, 4, 1)],
            "a": pa.array([1.5, None, -0.0], pa.float32()),
        }
    )
    use_case = define(Sum("s", "z"), CountDistinct("d", "b"), Max("m", "a"), created="recorded")
    found = ingest(table, use_case)
    assert found.schema.names == ["customer", "at", "recorded", "a", "b", "z"]
    instant = pa.timestamp("us", "UTC")
    assert found.schema.types == [pa.int64(), instant, instant, pa.float64(), pa.string(), pa.int64()]
    assert found["customer"].to_pylist() == [1, 1, 2]
    assert str(found["a"].to_pylist()) == "[0.0, None, 1.5]"
    assert found["recorded"].to_pylist()[0] == datetime(2024, 4, 2, tzinfo=UTC) - TICK


def test_the_order_of_the_file_leaves_no_trace(ingest: Ingest) -> None:
    """Equal rows in any order give equal files."""
    table = orders(customer=[1, 1, 2, 1], at=[T, T, T, T - TICK], usd=[0.0, -0.0, None, 5.0])
    digests = {
        digest_table(ingest(table.take(order))) for order in ([0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2])
    }
    assert len(digests) == 1


def test_decimals_stay_decimals(ingest: Ingest) -> None:
    """So that their sums are exact."""
    assert ingest(orders(usd=[Decimal("1.10")])).schema.field("usd").type == pa.decimal128(3, 2)


BAD = [
    ({"customer": [1, None, 2, None]}, "2 of 4 rows break its contract: customer is null in rows 2, 4"),
    ({"customer": [None] * 7}, r"customer is null in 7 rows \(1, 2, 3, 4, 5, …\)"),
    ({"customer": [1.0]}, "customer must be an integer or a string, found double"),
    ({"customer": [True]}, "customer must be an integer or a string, found bool"),
    (
        {"customer": pa.array([1, 2**63], pa.uint64())},
        "customer does not fit in a signed 64-bit integer in row 2",
    ),
    ({"at": [T, None]}, "at is null in row 2"),
    ({"at": [1711886400]}, "at must be a timestamp, a date or ISO 8601 text, found int64"),
    ({"at": pa.array([10**12], pa.timestamp("s"))}, "at lies outside the years 1 to 9999 in row 1"),
    (
        {"at": pa.array([0, 10**9], pa.int32()).cast(pa.date32())},
        "at lies outside the years 1 to 9999 in row 2",
    ),
    (
        {"at": ["2024-02-29", "2023-02-29", "31/03/2024"]},
        "at is not an ISO 8601 date or time .* in rows 2, 3",
    ),
    ({"usd": [1.0, float("nan"), None, float("-inf")]}, "usd is not a finite number in rows 2, 4"),
    ({"usd": ["1"]}, r"usd must be a number \(integer, float or decimal\), found string"),
    ({"usd": [True]}, "usd must be a number .*, found bool"),
    ({"usd": [Decimal(10**40)]}, r"usd must be a number .*, found decimal256"),
]


@pytest.mark.parametrize(("columns", "message"), BAD)
def test_rows_that_break_the_contract_are_refused(
    ingest: Ingest, columns: dict[str, object], message: str
) -> None:
    """Naming source, column, rule and rows."""
    with pytest.raises(DataError, match=f"^orders: .*{message}.*Nothing was stored"):
        ingest(orders(**columns))


def test_one_error_names_every_broken_rule_and_no_value(ingest: Ingest, define: Define) -> None:
    """Rows that break two rules count once."""
    table = orders(
        customer=["secret", None, None],
        at=[T, None, T],
        recorded=["yesterday"] * 2 + ["2024-01-01"],
        usd=["x"] * 3,
    )
    with pytest.raises(DataError) as caught:
        ingest(table, define(Sum("s", "usd"), created="recorded"))
    assert str(caught.value) == (
        "orders: usd must be a number (integer, float or decimal), found string; 3 of 3 rows break its "
        "contract: customer is null in rows 2, 3; at is null in row 2; recorded is not an ISO 8601 date or "
        "time (such as 2024-03-31 or 2024-03-31T23:15:00+02:00) in rows 1, 2. Mend or remove these rows, "
        "then run again. Nothing was stored."
    )


def test_floats_cannot_be_told_apart(ingest: Ingest, define: Define) -> None:
    """Also when the same column is added up."""
    with pytest.raises(DataError, match=r"usd must be an integer, string, .* found double"):
        ingest(orders(usd=[1.5]), define(Sum("s", "usd"), CountDistinct("d", "usd")))


def test_missing_columns_are_named_together(ingest: Ingest, define: Define) -> None:
    """With what is there, and what may have been meant."""
    table = pa.table({"Customer": [1], "att": [T], "usd": [1]})
    with pytest.raises(DataError) as caught:
        ingest(table, define(Sum("s", "usd"), Sum("d", "discount"), created="recorded"))
    assert "lacks 'customer', 'at', 'recorded', 'discount'; its columns are 'Customer', 'att', 'usd'." in str(
        caught.value
    )
    assert "Did you mean 'Customer' for 'customer', 'att' for 'at'?" in str(caught.value)


@pytest.mark.parametrize("content", ["customer,at,usd,usd\n1,2024-01-01,3,4\n", None])
def test_columns_of_one_name_are_refused(ingest: Ingest, content: str | None) -> None:
    """Nobody can say which is meant, in CSV and Parquet alike."""
    twice = pa.table([[1], [T], [1], [2]], names=["customer", "at", "usd", "usd"])
    with pytest.raises(DataError, match="more than one column named 'usd'"):
        ingest(content or twice)


@pytest.mark.parametrize("content", ["customer,at,usd\n", "", "\n\n", orders().slice(1)])
def test_a_file_without_rows_is_refused(ingest: Ingest, content: pa.Table | str) -> None:
    """Nothing to learn from."""
    with pytest.raises(DataError, match=r"(has no rows|is empty)\. Give a file with events"):
        ingest(content)


def test_csv_is_read_as_what_it_says(ingest: Ingest, define: Define) -> None:
    """Dates, instants, zones, empty fields, quotes, line breaks, blank lines, a byte order mark."""
    text = (
        "\ufeffcustomer,at,usd,code\r\n"
        '1,2024-03-31,1.5,"a,\nb"\n\n'
        "1,2024-03-31T10:00:00+02:00,+2e3,\n"
        '1, 2024-03-31 10:00:00.1234567 ,"",""\n'
        "2,2024-03-31T10:00Z,007,é\n"
    )
    found = ingest(text, define(Sum("s", "usd"), CountDistinct("d", "code")))
    ten = datetime(2024, 3, 31, 10, tzinfo=UTC)
    assert found.to_pylist() == [
        {"customer": 1, "at": ten - timedelta(hours=2), "code": None, "usd": 2000.0},
        {"customer": 1, "at": ten + timedelta(microseconds=123457), "code": None, "usd": None},
        {"customer": 1, "at": datetime(2024, 4, 1, tzinfo=UTC) - TICK, "code": "a,\nb", "usd": 1.5},
        {"customer": 2, "at": ten, "code": "é", "usd": 7.0},
    ]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["10", "-9"], [-9, 10]),
        (["9223372036854775807", "0"], [0, 2**63 - 1]),
        (["007", "12"], ["007", "12"]),
        (["1.5", "a"], ["1.5", "a"]),
        (["NA", "null"], ["NA", "null"]),
    ],
)
def test_keys_in_csv_are_integers_only_where_all_are(
    ingest: Ingest, keys: list[str], expected: list[object]
) -> None:
    """007 is not 7, and NA may be a name."""
    text = "customer,at,usd\n" + "".join(f"{key},2024-01-01,1\n" for key in keys)
    assert ingest(text)["customer"].to_pylist() == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("customer,at,usd\n1,2024-01-01,3\n,2024-01-01,3\n", "customer is null in row 2"),
        (
            "customer,at,usd\n1.0,2024-01-01,3\n2,2024-01-01,3\n",
            "customer must be .* found text that is numbers",
        ),
        (
            "customer,at,usd\n9223372036854775808,2024-01-01,3\n",
            "customer does not fit in a signed 64-bit integer in row 1",
        ),
        (
            "customer,at,usd\n1,01.02.2024,3\n1,2024-01-01T25:00,3\n",
            "at is not an ISO 8601 date or time .* in rows 1, 2",
        ),
        ("customer,at,usd\n1,0001-01-01T00:00+10:00,3\n", "at lies outside the years"),
        (
            "customer,at,usd\n1,2024-01-01,\n1,2024-01-01,NaN\n1,2024-01-01,1 000\n",
            "usd is not a number in rows 2, 3",
        ),
        ("customer,at,usd\n1,2024-01-01,1e999\n", "usd is not a finite number in row 1"),
        (
            "customer,at,usd\n1,2024-01-01,3\n\n1,2024-01-01\n1,2024-01-01,3,4\n",
            "the 3 fields of its header, 2 differ: row 2 has 2; row 3 has 4",
        ),
        ('customer,at,usd\n1,2024-01-01,3\n1,2024-01-01,"3\n', "a quote in row 2 of .* is never closed"),
        (
            'customer,at,usd,code\n1,2024-01-01,3,"\n2,2024-01-01,3,4',
            "a quote in row 1 of .* is never closed",
        ),
        ('customer,at,usd\n1,2024-01-01,3\n"1,2024-01-01,3\n', "1 differ: row 2 has 1"),
        (b"customer,at,usd\n\xff,2024-01-01,3\n", "cannot be read as CSV in UTF-8"),
        (
            "customer;at;usd\n1;2024-01-01;3\n",
            "lacks 'customer', 'at', 'usd'; its columns are 'customer;at;usd'",
        ),
    ],
)
def test_csv_that_cannot_be_meant_is_refused(ingest: Ingest, text: str | bytes, message: str) -> None:
    """With the numbers of its data rows."""
    with pytest.raises(DataError, match=message):
        ingest(text)


def test_parquet_that_is_none_is_refused(tmp_path: Path, define: Define) -> None:
    """Naming the path, wherever the damage is."""
    path, into = tmp_path / "orders.parquet", tmp_path / "events.parquet"
    pq.write_table(orders(usd=list(range(5_000))), path)
    whole = path.read_bytes()
    use_case = define(Sum("s", "usd"))
    for damaged in (
        b"",
        b"PAR1",
        whole[:-10],
        b"\0" * len(whole),
        whole[:4] + b"\xff" * 5_000 + whole[5_004:],
    ):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"orders\.parquet cannot be read as Parquet"):
            ingest_file(use_case, use_case.sources[0], path, into)
        assert not into.exists()


def test_paths_that_are_no_such_file_are_refused(tmp_path: Path, define: Define) -> None:
    """Nothing there, an empty folder, another kind of file."""
    use_case = define(Count("n"))
    (tmp_path / "folder.parquet").mkdir()
    (tmp_path / "orders.json").write_text("{}")
    for name, kind in (("none.parquet", NotFound), ("folder.parquet", NotFound), ("orders.json", BadInput)):
        with pytest.raises(kind, match=name):
            ingest_file(use_case, use_case.sources[0], tmp_path / name, tmp_path / "into.parquet")
        assert not (tmp_path / "into.parquet").exists()


def test_a_refused_file_leaves_the_events_that_were_there(tmp_path: Path, define: Define) -> None:
    """And one that is taken replaces them."""
    use_case = define(Count("n"))
    path, into = tmp_path / "orders.parquet", tmp_path / "events.parquet"
    for customers, expected in (([1], [1]), ([None], [1]), ([2], [2])):
        pq.write_table(orders(customer=pa.array(customers, pa.int64())), path)
        try:
            ingest_file(use_case, use_case.sources[0], path, into)
        except DataError:
            assert customers == [None]
        assert pq.read_table(into)["customer"].to_pylist() == expected


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, define: Define) -> None:
    """A folder stands where the file should be, or a file where the folder should; nothing is left beside."""
    use_case = define(Count("n"))
    pq.write_table(orders(), tmp_path / "orders.parquet")
    with pytest.raises(MlopsError, match=f"cannot write {tmp_path}"):
        ingest_file(use_case, use_case.sources[0], tmp_path / "orders.parquet", tmp_path)
    assert not list(tmp_path.parent.glob(".*.tmp"))
    (tmp_path / "events").write_text("in the way")
    with pytest.raises(MlopsError, match=r"cannot write .*events/orders\.parquet"):
        ingest_file(
            use_case, use_case.sources[0], tmp_path / "orders.parquet", tmp_path / "events" / "orders.parquet"
        )
