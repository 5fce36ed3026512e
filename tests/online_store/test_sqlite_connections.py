"""Connections to the file of the SQLite online store: shared, kept, locked, forked, replaced."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from mlops_core.adapters.online_store import sqlite_file
from mlops_core.adapters.online_store.sqlite import SQLiteOnlineStore
from mlops_core.errors import NotFound, Unavailable

T = datetime(2024, 3, 31, tzinfo=UTC)


def values(number: int, rows: int = 3) -> pa.Table:
    """Feature `n` of some customers."""
    return pa.table({"customer": list(range(rows)), "n": [number] * rows})


def test_a_replaced_file_is_read_from_then_on(tmp_path: Path) -> None:
    """Though the reader keeps its connection to the old one; deleted, it is gone."""
    path, other = tmp_path / "online.db", tmp_path / "other.db"
    store = SQLiteOnlineStore(path)
    for file, number in ((path, 1), (other, 2)):
        writer = SQLiteOnlineStore(file)
        writer.write("churn", values(number), ["customer"], T)
    assert store.read("churn", [1]) == [{"n": 1}]
    other.replace(path)
    assert store.read("churn", [1]) == [{"n": 2}]
    path.unlink()
    assert store.state("churn") is None
    with pytest.raises(NotFound, match="there is no"):
        store.read("churn", [1])
    store.write("churn", values(3), ["customer"], T)
    assert store.read("churn", [1]) == [{"n": 3}]


def test_a_forked_process_reads_with_connections_of_its_own(tmp_path: Path) -> None:
    """What was open before the fork is neither used nor closed by the child; both go on reading."""
    store = SQLiteOnlineStore(tmp_path / "online.db")
    store.write("churn", values(1), ["customer"], T)
    assert store.read("churn", [1]) == [{"n": 1}]
    child = os.fork()
    if child == 0:
        made: list[sqlite3.Connection] = []

        def opened(*words: Any, connect: Any = sqlite3.connect, **options: Any) -> sqlite3.Connection:
            made.append(connect(*words, **options))
            return made[-1]

        setattr(sqlite3, "connect", opened)  # noqa: B010 - mypy refuses a plain assignment
        fine = [store.read("churn", [1]) for _ in range(3)] == [[{"n": 1}]] * 3
        del store
        os._exit(0 if fine and len(made) == 1 else 1)
    assert os.waitpid(child, 0)[1] == 0
    store.write("churn", values(2), ["customer"], T)
    assert store.read("churn", [1]) == [{"n": 2}]


def test_reading_keeps_one_connection_open_until_the_store_is_closed(tmp_path: Path) -> None:
    """Or gone."""
    path = tmp_path / "online.db"
    store = SQLiteOnlineStore(path)
    store.write("churn", values(1), ["customer"], T)

    def files_open() -> int:
        names = [str(one.readlink()) for one in Path("/proc/self/fd").iterdir() if one.is_symlink()]
        return names.count(str(path))

    assert files_open() == 0
    for _ in range(5):
        store.read("churn", [1])
        assert store.state("churn")
    assert files_open() == 1
    store.close()
    assert files_open() == 0
    store.read("churn", [1])
    assert files_open() == 1
    del store
    assert files_open() == 0


def test_a_large_write_leaves_no_large_log(tmp_path: Path) -> None:
    """Though a reader's connection keeps the log file from being removed."""
    store = SQLiteOnlineStore(tmp_path / "online.db")
    store.write("churn", values(0), ["customer"], T)
    store.read("churn", [1])
    store.write("churn", pa.table({"customer": range(200_000), "n": range(200_000)}), ["customer"], T)
    assert (tmp_path / "online.db-wal").stat().st_size == 0
    assert (tmp_path / "online.db").stat().st_size > 4_000_000
    assert store.read("churn", [199_999]) == [{"n": 199_999}]


def test_another_store_on_the_same_file_sees_the_same(tmp_path: Path) -> None:
    """Nothing is kept in memory."""
    state = SQLiteOnlineStore(tmp_path / "online.db").write("churn", values(1), ["customer"], T)
    other = SQLiteOnlineStore(tmp_path / "online.db")
    assert other.state("churn") == state
    assert other.read("churn", [1]) == [{"n": 1}]


def test_a_locked_file_is_unavailable_to_writers_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same call may succeed later; readers need not wait."""
    monkeypatch.setattr(sqlite_file, "_BUSY_SECONDS", 0.05)
    store = SQLiteOnlineStore(tmp_path / "online.db")
    store.write("churn", values(1), ["customer"], T)
    with closing(sqlite3.connect(tmp_path / "online.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match=r"online\.db is locked"):
            store.write("churn", values(2), ["customer"], T)
        assert store.read("churn", [1]) == [{"n": 1}]
    store.write("churn", values(2), ["customer"], T)
    assert store.read("churn", [1]) == [{"n": 2}]


def test_a_reader_keeps_no_writer_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that began before the write still sees the old values, whole."""
    monkeypatch.setattr(sqlite_file, "_BUSY_SECONDS", 0.05)
    store = SQLiteOnlineStore(tmp_path / "online.db")
    store.write("churn", values(1), ["customer"], T)
    with closing(sqlite3.connect(tmp_path / "online.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT row_count FROM feature_set").fetchall() == [(3,)]
        store.write("churn", values(2), ["customer"], T)
        rows = reader.execute("SELECT DISTINCT hex(packed) FROM feature_row").fetchall()
        assert rows == [("000100000000000000",)]
    assert store.read("churn", [1]) == [{"n": 2}]


def test_reading_needs_no_arrow(tmp_path: Path) -> None:
    """A server answers from the store without loading what only a writer needs."""
    SQLiteOnlineStore(tmp_path / "online.db").write("churn", values(1), ["customer"], T)
    code = (
        "import sys; from pathlib import Path;"
        "from mlops_core.adapters.online_store.sqlite import SQLiteOnlineStore;"
        f"assert SQLiteOnlineStore(Path({str(tmp_path / 'online.db')!r})).read('churn', [1]) == [{{'n': 1}}];"
        "assert not {'pyarrow', 'numpy', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 - this very interpreter, code of ours
