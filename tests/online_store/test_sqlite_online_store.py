"""What only a file can do: be locked, damaged, shared, or in the way."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from mlops_core.adapters.online_store import sqlite
from mlops_core.adapters.online_store.sqlite import SQLiteOnlineStore
from mlops_core.errors import IntegrityError, MlopsError, NotFound, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

T = datetime(2024, 3, 31, tzinfo=UTC)


def values(number: int, rows: int = 3) -> pa.Table:
    """Feature `n` of some customers."""
    return pa.table({"customer": list(range(rows)), "n": [number] * rows})


def rows_in(path: Path) -> list[tuple[int, int]]:
    """Generations in the file, with their numbers of rows."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(
            "SELECT generation, count(*) FROM online_row GROUP BY generation"
        ).fetchall()


def test_the_same_values_again_write_nothing(tmp_path: Path) -> None:
    """The generation stays; a new instant makes a new one, and the old one is removed."""
    store = SQLiteOnlineStore(tmp_path / "online.db")
    for _ in range(3):
        store.write("churn", values(1), "customer", T)
    assert rows_in(tmp_path / "online.db") == [(1, 3)]
    store.write("churn", values(1), "customer", T + timedelta(days=1))
    store.write("other", values(1, rows=2), "customer", T)
    assert rows_in(tmp_path / "online.db") == [(2, 3), (3, 2)]


def test_another_store_on_the_same_file_sees_the_same(tmp_path: Path) -> None:
    """Nothing is kept in memory."""
    state = SQLiteOnlineStore(tmp_path / "online.db").write("churn", values(1), "customer", T)
    other = SQLiteOnlineStore(tmp_path / "online.db")
    assert other.state("churn") == state
    assert other.read("churn", [1]) == [{"n": 1}]


def test_a_write_that_fails_midway_changes_nothing(tmp_path: Path) -> None:
    """Here the disk says no after some rows; readers keep what was there."""
    path = tmp_path / "online.db"
    store = SQLiteOnlineStore(path)
    state = store.write("churn", values(1), "customer", T)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON online_row WHEN NEW.key = 2 "
            "BEGIN SELECT raise(ABORT, 'full'); END"
        )
    with pytest.raises(MlopsError, match=r"cannot use .*online\.db: full"):
        store.write("churn", values(2), "customer", T)
    assert store.state("churn") == state
    assert store.read("churn", [0, 2]) == [{"n": 1}, {"n": 1}]
    assert rows_in(path) == [(1, 3)]


def test_a_locked_file_is_unavailable_to_writers_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same call may succeed later; readers need not wait."""
    monkeypatch.setattr(sqlite, "_BUSY_SECONDS", 0.05)
    store = SQLiteOnlineStore(tmp_path / "online.db")
    store.write("churn", values(1), "customer", T)
    with closing(sqlite3.connect(tmp_path / "online.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match=r"online\.db is locked"):
            store.write("churn", values(2), "customer", T)
        assert store.read("churn", [1]) == [{"n": 1}]
    store.write("churn", values(2), "customer", T)
    assert store.read("churn", [1]) == [{"n": 2}]


def test_a_reader_keeps_no_writer_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that began before the write still sees the old values, whole."""
    monkeypatch.setattr(sqlite, "_BUSY_SECONDS", 0.05)
    store = SQLiteOnlineStore(tmp_path / "online.db")
    store.write("churn", values(1), "customer", T)
    with closing(sqlite3.connect(tmp_path / "online.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT generation FROM online_state").fetchall() == [(1,)]
        store.write("churn", values(2), "customer", T)
        assert reader.execute("SELECT generation, count(*) FROM online_row").fetchall() == [(1, 3)]
    assert store.read("churn", [1]) == [{"n": 2}]


@pytest.mark.parametrize("content", [b"not a database, but long enough to be looked at" * 30, None])
def test_a_damaged_file_is_named_with_its_remedy(tmp_path: Path, content: bytes | None) -> None:
    """Another file altogether, or pages of zeros within a good one."""
    path = tmp_path / "online.db"
    store = SQLiteOnlineStore(path)
    store.write("churn", values(1, rows=2_000), "customer", T)
    whole = path.read_bytes()
    path.write_bytes(content or whole[:4096] + b"\0" * (len(whole) - 4096))
    for call in (lambda: store.read("churn", [1]), lambda: store.write("churn", values(2), "customer", T)):
        with pytest.raises(IntegrityError, match=r"online\.db is damaged: .* Delete it and materialise"):
            call()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE online_row SET packed = x'00'",
        "UPDATE online_state SET features = '['",
        "UPDATE online_state SET as_of = 'yesterday'",
        "UPDATE online_state SET kinds = 'qq'",
        "UPDATE online_state SET kinds = '?!'",
        "UPDATE online_row SET packed = 5",
    ],
)
def test_a_damaged_row_is_never_served(tmp_path: Path, change: str) -> None:
    """Values of another length, or a description that cannot be read."""
    store = SQLiteOnlineStore(tmp_path / "online.db")
    store.write("churn", values(1), "customer", T)
    with closing(sqlite3.connect(tmp_path / "online.db")) as connection:
        connection.execute(change)
        connection.commit()
    with pytest.raises(IntegrityError, match="is damaged"):
        store.read("churn", [1])


def test_a_file_whose_first_write_was_cut_off_is_as_good_as_new(tmp_path: Path) -> None:
    """No tables yet, or no bytes at all."""
    path = tmp_path / "online.db"
    path.touch()
    store = SQLiteOnlineStore(path)
    assert store.state("churn") is None
    with pytest.raises(NotFound, match="'churn'"):
        store.read("churn", [1])
    store.write("churn", values(1), "customer", T)
    assert store.read("churn", [1]) == [{"n": 1}]


def test_a_path_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    """A folder in its place, or a file where its folder should be."""
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file" / "online.db"):
        with pytest.raises(MlopsError, match=f"cannot use {path}"):
            SQLiteOnlineStore(path).write("churn", values(1), "customer", T)


def test_reading_needs_no_arrow(tmp_path: Path) -> None:
    """A server answers from the store without loading what only a writer needs."""
    SQLiteOnlineStore(tmp_path / "online.db").write("churn", values(1), "customer", T)
    code = (
        "import sys; from pathlib import Path;"
        "from mlops_core.adapters.online_store.sqlite import SQLiteOnlineStore;"
        f"assert SQLiteOnlineStore(Path({str(tmp_path / 'online.db')!r})).read('churn', [1]) == [{{'n': 1}}];"
        "assert not {'pyarrow', 'numpy', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 - this very interpreter, code of ours
