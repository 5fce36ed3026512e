"""Where events may come from: files, folders, globs and tables, in whatever types they have."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from mlops_core.adapters.feature_store.ingest.ingestion import ingest_file
from mlops_core.domain.conditions import Where
from mlops_core.domain.digest import digest_table
from mlops_core.domain.features import Count, CountDistinct, Latest, Max, Sum
from mlops_core.errors import BadInput, DataError, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.domain.sources import Data
    from mlops_core.domain.usecase import UseCase

    Define = Callable[..., UseCase]
    Ingest = Callable[..., pa.Table]

T = datetime(2024, 3, 31, 12, tzinfo=UTC)


@pytest.fixture
def ingest(tmp_path: Path, define: Define) -> Ingest:
    """Ingests what is given and reads the canonical events back; nothing may be left of what is refused."""

    def run(data: Data, use_case: UseCase | None = None) -> pa.Table:
        use_case = use_case or define(Sum("s", "usd"))
        into = tmp_path / "events" / "orders.parquet"
        into.unlink(missing_ok=True)
        try:
            found = ingest_file(use_case, use_case.sources[0], data, into)
        except BadInput:
            assert not list((tmp_path / "events").glob("*"))
            raise
        events = pq.read_table(into)
        assert (found.rows, found.quarantined) == (events.num_rows, 0)
        return events

    return run


def orders(*customers: Any, **columns: object) -> pa.Table:
    """An order a customer."""
    rows = len(customers)
    return pa.table({"customer": customers, "at": [T] * rows, "usd": [1] * rows} | columns)


def write(table: pa.Table, path: Path) -> Path:
    """As Parquet or CSV, as its name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        pacsv.write_csv(table, path)
    else:
        pq.write_table(table, path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Orders of several days, beside marks of the programs that wrote them."""
    for name, table in {
        "b.parquet": orders(2),
        "a.parquet": orders(1, usd=pa.array([7], pa.uint8())).select(["usd", "at", "customer"]),
        "2024/c.PARQUET": orders(3).append_column("more", pa.array([1])),
        ".hidden.parquet": orders(4),
        "_temporary/d.parquet": orders(5),
    }.items():
        write(table, tmp_path / "orders" / name)
    (tmp_path / "orders" / "_SUCCESS").touch()
    (tmp_path / "orders" / "notes.txt").write_text("none of ours")
    return tmp_path / "orders"


def test_a_folder_is_all_its_files(ingest: Ingest, folder: Path) -> None:
    """At any depth, whatever the order of their columns and the width of their integers."""
    found = ingest(folder)
    assert found["customer"].to_pylist() == [1, 2, 3]
    assert found["usd"].to_pylist() == [7, 1, 1]
    assert found.schema.field("usd").type == pa.int64()


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("orders/*.parquet", [1, 2]), ("orders/[b-z]*", [2]), ("*/20??/c.*", [3]), ("**/?.parquet", [1, 2])],
)
def test_a_glob_is_what_it_matches(ingest: Ingest, folder: Path, pattern: str, expected: list[int]) -> None:
    """Among the files that a folder would give."""
    assert ingest(folder.parent / pattern)["customer"].to_pylist() == expected


def test_a_relative_glob_starts_from_the_working_directory(
    ingest: Ingest, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As every relative path."""
    monkeypatch.chdir(folder)
    assert ingest(Path("*.parquet"))["customer"].to_pylist() == [1, 2]
    assert ingest(Path())["customer"].to_pylist() == [1, 2, 3]


def test_a_file_may_be_named_like_a_glob(ingest: Ingest, tmp_path: Path) -> None:
    """What exists is meant."""
    write(orders(2), tmp_path / "orders1.parquet")
    assert ingest(write(orders(1), tmp_path / "orders[1].parquet"))["customer"].to_pylist() == [1]


def test_a_folder_of_csv_is_read_as_one(ingest: Ingest, tmp_path: Path) -> None:
    """007 in one file makes the keys of all of them text."""
    for name, key in (("a", "1"), ("b", "007")):
        (tmp_path / f"{name}.csv").write_text(f"usd,customer,at\n1,{key},2024-01-01\n")
    assert ingest(tmp_path)["customer"].to_pylist() == ["007", "1"]


@pytest.mark.parametrize("data", ["nothing/*.parquet", "orders/*.csv", "orders/2025", "orders/_temporary"])
def test_a_path_to_no_data_is_not_found(ingest: Ingest, folder: Path, data: str) -> None:
    """Naming it."""
    if "_" in data:
        (folder / "_temporary" / "d.parquet").unlink()
    with pytest.raises(NotFound, match=r"orders: there is no file .*Give"):
        ingest(folder.parent / data)


def test_parquet_and_csv_are_not_mixed(ingest: Ingest, folder: Path) -> None:
    """A glob can tell them apart."""
    write(orders(9), folder / "z.csv")
    with pytest.raises(BadInput, match=r"has both Parquet and CSV files\. Give a glob of one kind"):
        ingest(folder)
    assert ingest(folder / "*.csv")["customer"].to_pylist() == [9]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (orders(1).drop_columns("usd"), r"orders/z\.parquet lacks 'usd'"),
        (orders("1"), r"customer is string in orders/z\.parquet but int64 in orders/2024/c\.PARQUET"),
        (orders(1, usd=[1.5]), r"usd is double in orders/z\.parquet but int64 in orders/2024/c\.PARQUET"),
        (
            orders(1, usd=pa.array([2**63], pa.uint64())),
            r"usd of orders/z\.parquet is uint64 and holds values that do not fit in int64",
        ),
        (orders(1, at=[None]), r"1 of 4 rows break its contract: at is null in orders/z\.parquet row 1\."),
    ],
)
def test_the_file_that_differs_is_named(ingest: Ingest, folder: Path, table: pa.Table, message: str) -> None:
    """Whatever it differs in."""
    write(table, folder / "z.parquet")
    with pytest.raises(DataError, match=message):
        ingest(folder)


def test_rows_of_several_files_are_counted_in_each(ingest: Ingest, tmp_path: Path) -> None:
    """And only the first few are listed."""
    write(orders(1, None, None), tmp_path / "orders" / "a.parquet")
    write(orders(None, 2), tmp_path / "orders" / "b.parquet")
    where = "customer is null in orders/a.parquet rows 2, 3, orders/b.parquet row 1."
    with pytest.raises(DataError, match=where):
        ingest(tmp_path / "orders")
    write(orders(*[None] * 1_200, 1), tmp_path / "orders" / "a.parquet")
    with pytest.raises(DataError, match=r"null in 1,201 rows \(orders/a.parquet rows 1, 2, 3, 4, 5, …\)"):
        ingest(tmp_path / "orders")


TYPES = [
    (pa.timestamp("ms"), pa.timestamp("ns", "Asia/Tokyo")),
    (pa.date32(), pa.date64()),
    (pa.string(), pa.large_string()),
    (pa.float32(), pa.float64()),
    (pa.decimal128(5, 1), pa.decimal128(7, 4)),
    (pa.null(), pa.int32()),
]


@pytest.mark.parametrize(("one", "other"), TYPES, ids=str)
def test_types_of_one_kind_are_brought_together(
    ingest: Ingest, tmp_path: Path, define: Define, one: pa.DataType, other: pa.DataType
) -> None:
    """Units, zones, layouts, precisions; and a file that has nothing but nulls."""
    values: dict[int, list[Any]] = {0: [T], 1: [date(2024, 1, 1)], 2: ["x"], 3: [1.5], 4: [Decimal("1.5")]}
    given = values.get(TYPES.index((one, other)), [7])
    for name, kind in (("a", one), ("b", other)):
        column = pa.nulls(1) if pa.types.is_null(kind) else pa.array(given).cast(kind)
        write(orders(1, x=column), tmp_path / "orders" / f"{name}.parquet")
    floats = pa.types.is_floating(one)
    found = ingest(tmp_path / "orders", define(Max("m", "x") if floats else CountDistinct("m", "x")))
    assert set(found["x"].to_pylist()) - {None} == set(given)


def test_a_table_is_read_as_parquet_is(ingest: Ingest, define: Define) -> None:
    """With dictionaries, run lengths and string views, which leave no trace."""
    use_case = define(Sum("s", "usd"), CountDistinct("c", "code"))
    plain = orders("a", "b", "b", usd=[1.5, 2.5, 2.5], code=["x", None, "y"])
    odd = pa.table(
        {
            "code": plain["code"].cast(pa.string_view()),
            "usd": plain["usd"].combine_chunks().dictionary_encode(),
            "at": pa.RunEndEncodedArray.from_arrays(pa.array([3]), plain["at"].combine_chunks().slice(0, 1)),
            "customer": plain["customer"].combine_chunks().dictionary_encode(),
        }
    )
    assert digest_table(ingest(odd, use_case)) == digest_table(ingest(plain, use_case))


def test_a_table_that_breaks_the_contract_is_refused(ingest: Ingest) -> None:
    """As a file is."""
    with pytest.raises(DataError, match="orders: the Arrow table lacks 'usd'; its columns are"):
        ingest(orders(1).drop_columns("usd"))
    with pytest.raises(DataError, match=r"orders: the Arrow table has no rows\. Give a table with events"):
        ingest(orders(1).slice(1))


CONDITIONS = (Where("channel", "==", "web"), Where("paid", "==", True))


def test_columns_of_conditions_keep_their_types(ingest: Ingest, define: Define) -> None:
    """Text and booleans, from Parquet and from CSV alike, where booleans may be 1 and 0."""
    use_case = define(Count("n", where=CONDITIONS))
    table = orders(1, 1, 1, channel=["7", None, "web"], paid=[True, None, False])
    found = ingest(table, use_case)
    assert found.schema.field("channel").type == pa.string()
    assert found.schema.field("paid").type == pa.bool_()
    path = use_case.sources[0].name + ".csv"
    text = (
        f"customer,at,channel,paid\n1,{T.isoformat()},7,TRUE\n1,{T.isoformat()},,\n1,{T.isoformat()},web,0\n"
    )
    assert ingest(_text(path, text), use_case).equals(found)


def _text(name: str, content: str) -> Path:
    path = Path.cwd() / name
    path.write_text(content)
    return path


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["true", "False"], [True, False]),
        (["1", "0"], [1, 0]),
        (["1.5", ""], [1.5, None]),
        (["TRUE", "1", ""], [True, True, None]),
    ],
)
def test_latest_values_in_csv_are_numbers_or_booleans(
    ingest: Ingest, define: Define, texts: list[str], expected: list[object]
) -> None:
    """As most of them look."""
    rows = "".join(f"1,2024-01-0{day},{text}\n" for day, text in enumerate(texts, 1))
    found = ingest(_text("orders.csv", f"customer,at,x\n{rows}"), define(Latest("x")))["x"].to_pylist()
    assert [(type(one), one) for one in found] == [(type(one), one) for one in expected]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"channel": [7]}, "channel must be text, found int64"),
        ({"paid": [1]}, "paid must be true or false, found int64"),
        ({"x": ["1"]}, r"x must be a number \(.*\), true or false, found string"),
        ({"order": [None]}, "order is null in row 1"),
        ({"order": [1.5]}, "order must be an integer or a string, found double"),
        ({"shop": [None]}, "shop is null in row 1"),
        ({"shop": [True]}, "shop must be an integer or a string, found bool"),
    ],
)
def test_other_types_are_refused(
    ingest: Ingest, define: Define, columns: dict[str, object], message: str
) -> None:
    """Of conditions, latest values, event ids and every part of a key."""
    view = {"name": "newest", "source": "orders", "features": (Latest("x"),)}
    use_case = define(
        Count("n", where=CONDITIONS),
        views=(view,),
        created="at",
        key=("customer", "shop"),
        order={"event_id": "order"},
    )
    fine: dict[str, object] = {"channel": ["web"], "paid": [True], "x": [True], "order": ["a"], "shop": [1]}
    assert ingest(orders(1, **fine), use_case).num_rows == 1
    with pytest.raises(DataError, match=message):
        ingest(orders(1, **fine | columns), use_case)


DECLARED = {"customer": "text", "at": "timestamp", "usd": "integer", "paid": "boolean"}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"customer": [1]}, "customer is declared text, found int64"),
        ({"at": [date(2024, 1, 1)]}, r"at is declared timestamp, found date32\[day\]"),
        ({"usd": [1.0]}, "usd is declared integer, found double"),
        ({"paid": [1]}, "paid is declared boolean, found int64"),
    ],
)
def test_declared_types_are_part_of_the_contract(
    ingest: Ingest, define: Define, columns: dict[str, object], message: str
) -> None:
    """Also where the feature would take another."""
    use_case = define(Sum("s", "usd"), views=(PAID,), order={"columns": DECLARED})
    fine: dict[str, object] = {"paid": [True]}
    assert ingest(orders("a", **fine), use_case).num_rows == 1
    with pytest.raises(DataError, match=message):
        ingest(orders("a", **fine | columns), use_case)


PAID = {"name": "newest", "source": "orders", "features": (Latest("paid"),)}


def test_csv_is_read_as_it_is_declared(ingest: Ingest, define: Define) -> None:
    """A key of digits stays text, 1 and 0 become booleans; what is no integer is a row that breaks it."""
    use_case = define(Sum("s", "usd"), views=(PAID,), order={"columns": DECLARED})
    found = ingest(_text("orders.csv", "customer,at,usd,paid\n7,2024-01-01T10:00,+5,1\n"), use_case)
    assert found.to_pylist() == [
        {"customer": "7", "at": T - timedelta(days=90, hours=2), "paid": True, "usd": 5}
    ]
    with pytest.raises(DataError, match="paid is not true or false in row 2; usd is not an integer in row 1"):
        ingest(
            _text("orders.csv", "customer,at,usd,paid\n7,2024-01-01,5.0,1\n7,2024-01-01,5,yes\n"), use_case
        )
