"""Rows set aside: complete, with what they break, and none of them stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlops_core.adapters.feature_store.ingest.ingestion import ingest_file
from mlops_core.domain.features import Latest, Sum
from mlops_core.domain.rules import InRange, Matches, Unique
from mlops_core.errors import DataError, MlopsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_core.domain.history import Ingested
    from mlops_core.domain.sources import Data
    from mlops_core.domain.usecase import UseCase

    Define = Callable[..., UseCase]

T = datetime(2024, 3, 31, 12, tzinfo=UTC)
RULES = {"rules": (InRange("usd", 0), Matches("code", "[a-z]"))}


@pytest.fixture
def paths(tmp_path: Path) -> tuple[Path, Path]:
    """Of the events and of the quarantine."""
    return tmp_path / "events.parquet", tmp_path / "aside" / "orders.parquet"


def ingest(use_case: UseCase, data: Data, paths: tuple[Path, Path]) -> Ingested:
    return ingest_file(use_case, use_case.sources[0], data, paths[0], paths[1])


def orders(**columns: Any) -> pa.Table:
    """As many orders as the columns have."""
    rows = len(next(iter(columns.values())))
    fields: dict[str, Any] = {
        "customer": [1] * rows,
        "at": [T] * rows,
        "usd": [1] * rows,
        "code": ["a"] * rows,
    }
    return pa.table(fields | columns)


def test_broken_rows_are_set_aside_and_the_others_stored(define: Define, paths: tuple[Path, Path]) -> None:
    """As they came, with their numbers and all that they break."""
    table = orders(
        customer=pa.array([1, None, 3, 4], pa.int16()),
        usd=[1.5, float("nan"), -1.0, 2.0],
        code=pa.array(["a", "A", "b", None]).dictionary_encode(),
        more=[1, 2, 3, 4],
    )
    found = ingest(define(Sum("s", "usd"), order=RULES), table, paths)
    assert (found.rows, found.quarantined) == (2, 2)
    assert pq.read_table(paths[0])["customer"].to_pylist() == [1, 4]
    aside = pq.read_table(paths[1])
    assert aside.schema.names == ["customer", "at", "usd", "code", "row", "broken_rules"]
    assert aside.schema.field("customer").type == pa.int16()
    assert aside.schema.field("row").type == pa.int64()
    assert str(aside["usd"].to_pylist()) == "[nan, -1.0]"
    assert aside.select(["customer", "at", "code", "row", "broken_rules"]).to_pylist() == [
        {
            "customer": None,
            "at": T,
            "code": "A",
            "row": 2,
            "broken_rules": ["customer is null", "usd is not a finite number", "code does not match [a-z]"],
        },
        {"customer": 3, "at": T, "code": "b", "row": 3, "broken_rules": ["usd is below 0"]},
    ]


def test_csv_is_set_aside_as_text(define: Define, tmp_path: Path, paths: tuple[Path, Path]) -> None:
    """And what is stored of the other rows is as if these had never been there."""
    path = tmp_path / "orders.csv"
    path.write_text("customer,at,usd,code\n1,31.03.2024,1,a\n\n2,2024-03-31, x ,a\n3,2024-03-31,7,a\n")
    assert ingest(define(Sum("s", "usd"), order=RULES), path, paths).rows == 1
    assert pq.read_table(paths[1]).select(["customer", "at", "usd", "row"]).to_pylist() == [
        {"customer": "1", "at": "31.03.2024", "usd": "1", "row": 1},
        {"customer": "2", "at": "2024-03-31", "usd": " x ", "row": 2},
    ]
    assert pq.read_table(paths[0])["customer"].to_pylist() == [3]


def test_rows_of_several_files_are_set_aside_with_their_file(
    define: Define, tmp_path: Path, paths: tuple[Path, Path]
) -> None:
    """Counted in each of them."""
    (tmp_path / "orders").mkdir()
    for name, usd in (("b", [1, -2]), ("a", [1, 1, -1]), ("c", [3])):
        pq.write_table(orders(usd=usd), tmp_path / "orders" / f"{name}.parquet")
    assert ingest(define(Sum("s", "usd"), order=RULES), tmp_path / "orders", paths).quarantined == 2
    assert pq.read_table(paths[1]).select(["usd", "row", "file"]).to_pylist() == [
        {"usd": -1, "row": 3, "file": "orders/a.parquet"},
        {"usd": -2, "row": 2, "file": "orders/b.parquet"},
    ]


def test_all_rows_that_contradict_each_other_are_set_aside(define: Define, paths: tuple[Path, Path]) -> None:
    """But not what contradicts only a row that is set aside for something else."""
    later = T + timedelta(days=1)
    table = orders(customer=[1, 1, 2, 2, 3, 3], at=[T, T, T, later, T, T], usd=[1, 2, 3, 3, 4, -4])
    found = ingest(define(Latest("usd"), order=RULES), table, paths)
    assert (found.rows, found.quarantined) == (3, 3)
    aside = pq.read_table(paths[1])
    assert aside["row"].to_pylist() == [1, 2, 6]
    assert aside["broken_rules"].to_pylist() == [
        *[["customer, at are equal but the rest differs"]] * 2, ["usd is below 0"]
    ]  # fmt: skip


def test_what_remains_is_unique(define: Define, paths: tuple[Path, Path]) -> None:
    """All rows that share a value go."""
    use_case = define(Sum("s", "usd"), order={"rules": (Unique(("code",)),)})
    ingest(use_case, orders(code=["a", "b", "a"], customer=[1, 2, 1]), paths)
    assert pq.read_table(paths[0])["customer"].to_pylist() == [2]


def test_columns_of_our_names_keep_theirs(define: Define, paths: tuple[Path, Path]) -> None:
    """Ours give way."""
    use_case = define(Sum("s", "row"), order={"rules": (InRange("row", 0),)})
    ingest(use_case, orders(row=[-7, 1]), paths)
    aside = pq.read_table(paths[1])
    assert (aside["row"].to_pylist(), aside["_row"].to_pylist()) == ([-7], [1])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"usd": ["x"], "customer": [None]}, "usd must be a number .* customer is null in row 1"),
        ({"usd": [-1, -2]}, "2 of 2 rows break its contract: usd is below 0 in rows 1, 2"),
    ],
)
def test_nothing_is_set_aside_where_nothing_would_remain(
    define: Define, paths: tuple[Path, Path], columns: dict[str, Any], message: str
) -> None:
    """A column that is wrong throughout, or no row that is right: refused as without a quarantine."""
    with pytest.raises(DataError, match=message):
        ingest(define(Sum("s", "usd"), order=RULES), orders(**columns), paths)
    assert not paths[0].exists()
    assert not paths[1].exists()


def test_no_row_is_left_where_all_contradict_each_other(define: Define, paths: tuple[Path, Path]) -> None:
    """Found after sorting, refused all the same."""
    with pytest.raises(DataError, match="are equal but the rest differs"):
        ingest(define(Latest("usd")), orders(usd=[1, 2]), paths)
    assert not paths[1].exists()


def test_the_quarantine_is_that_of_the_last_delivery(define: Define, paths: tuple[Path, Path]) -> None:
    """Replaced by the next one's, gone when nothing is set aside, left by a delivery that is refused."""
    use_case = define(Sum("s", "usd"), order=RULES)
    for usd, expected in (([1, -1], [-1]), ([1, -2], [-2]), ([-3], [-2])):
        if 1 in usd:
            ingest(use_case, orders(usd=usd), paths)
        else:
            with pytest.raises(DataError):
                ingest(use_case, orders(usd=usd), paths)
        assert pq.read_table(paths[1])["usd"].to_pylist() == expected
    assert ingest(use_case, orders(usd=[1]), paths).quarantined == 0
    assert not paths[1].exists()


def test_a_quarantine_that_cannot_be_written_stores_nothing(define: Define, paths: tuple[Path, Path]) -> None:
    """Rows must not be lost."""
    paths[1].parent.write_text("in the way")
    with pytest.raises(MlopsError, match=r"cannot write .*aside/orders\.parquet"):
        ingest(define(Sum("s", "usd"), order=RULES), orders(usd=[1, -1]), paths)
    assert not paths[0].exists()
