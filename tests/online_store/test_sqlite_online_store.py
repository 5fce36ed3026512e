"""What only a file can do: change row by row, have another layout, be damaged or in the way."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from mlops_core.adapters.online_store.sqlite import SQLiteOnlineStore
from mlops_core.errors import IntegrityError, MlopsError, NotFound

if TYPE_CHECKING:
    from pathlib import Path

T = datetime(2024, 3, 31, tzinfo=UTC)


def values(number: int, rows: int = 3) -> pa.Table:
    """Feature `n` of some customers."""
    return pa.table({"customer": list(range(rows)), "n": [number] * rows})


def rows_in(path: Path) -> list[tuple[str, int]]:
    """Sets in the file, with their numbers of rows."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(
            "SELECT name, count(key) FROM feature_set LEFT JOIN feature_row ON set_id = id GROUP BY name"
        ).fetchall()


def changes_in(path: Path) -> list[tuple[str, int]]:
    """What was done to rows since `watch`, by key."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT what, key FROM change ORDER BY key, what").fetchall()


def watch(path: Path) -> None:
    """Have the file remember every row that is written or removed."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE change (what, key)")
        for change, what in (
            ("AFTER INSERT", "'put', new.key"),
            ("AFTER UPDATE", "'set', new.key"),
            ("AFTER DELETE", "'cut', old.key"),
        ):
            connection.execute(
                f"CREATE TRIGGER [{change}] {change} ON feature_row "
                f"BEGIN INSERT INTO change SELECT {what}; END"
            )


def test_only_what_changed_is_written(tmp_path: Path) -> None:
    """One row differs, one is new, one left; the same values at a later instant touch no row."""
    path = tmp_path / "online.db"
    store = SQLiteOnlineStore(path)
    store.write("other", values(1), ["customer"], T)
    store.write("churn", pa.table({"customer": range(1_000), "n": range(1_000)}), ["customer"], T)
    watch(path)
    changed = pa.table({"customer": range(1, 1_001), "n": [*range(1, 7), -7, *range(8, 1_001)]})
    for days in range(3):
        store.write("churn", changed, ["customer"], T + timedelta(days=days))
    assert changes_in(path) == [("cut", 0), ("set", 7), ("put", 1_000)]
    assert store.read("churn", [0, 7, 1_000]) == [None, {"n": -7}, {"n": 1_000}]
    assert rows_in(path) == [("churn", 1_000), ("other", 3)]


def test_dropping_a_set_removes_its_rows(tmp_path: Path) -> None:
    """And those of no other; where there is no file, none is made."""
    path = tmp_path / "online.db"
    store = SQLiteOnlineStore(path)
    store.drop("churn")
    assert not path.exists()
    for name in ("churn", "other"):
        store.write(name, values(1), ["customer"], T)
    store.drop("churn")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM feature_row").fetchone() == (3,)
    assert store.names() == ["other"]


def first_layout(path: Path) -> None:
    """A file as the first version of this software wrote it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE online_state (name TEXT PRIMARY KEY, generation INTEGER NOT NULL, as_of TEXT NOT "
            "NULL, row_count INTEGER NOT NULL, digest TEXT NOT NULL, features TEXT NOT NULL, kinds TEXT NOT "
            "NULL) WITHOUT ROWID; CREATE TABLE online_row (generation INTEGER NOT NULL, key NOT NULL, packed "
            "BLOB NOT NULL, PRIMARY KEY (generation, key)) WITHOUT ROWID;"
            "INSERT INTO online_state VALUES ('churn', 1, '2024-03-31T00:00:00+00:00', 1, '', '[]', '');"
            "INSERT INTO online_row VALUES (1, 1, x'');"
        )


def test_a_file_of_the_first_layout_is_replaced_at_the_next_write(tmp_path: Path) -> None:
    """Its values are derived, so they are written anew; until then a reader is told to do that."""
    path = tmp_path / "online.db"
    first_layout(path)
    store = SQLiteOnlineStore(path)
    assert store.state("churn") is None
    assert store.names() == []
    with pytest.raises(NotFound, match=r"another version of this software kept them\. Materialise them"):
        store.read("churn", [1])
    store.write("churn", values(5), ["customer"], T - timedelta(days=1_000))
    assert store.read("churn", [1]) == [{"n": 5}]
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    assert sorted(tables) == [("feature_row",), ("feature_set",)]


def test_a_file_of_a_later_layout_is_left_alone(tmp_path: Path) -> None:
    """A newer version may have it; this one says so instead of writing."""
    path = tmp_path / "online.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 3")
    before = path.read_bytes()
    store = SQLiteOnlineStore(path)
    with pytest.raises(NotFound, match="as another version of this software kept them"):
        store.read("churn", [1])
    with pytest.raises(MlopsError, match=r"online\.db has layout 3 .* Use the newer version"):
        store.write("churn", values(1), ["customer"], T)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)
    assert len(path.read_bytes()) == len(before)


def test_a_write_that_fails_midway_changes_nothing(tmp_path: Path) -> None:
    """Here the disk says no after some rows; readers keep what was there."""
    path = tmp_path / "online.db"
    store = SQLiteOnlineStore(path)
    state = store.write("churn", values(1), ["customer"], T)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE UPDATE ON feature_row WHEN NEW.key = 2 "
            "BEGIN SELECT raise(ABORT, 'full'); END"
        )
    with pytest.raises(MlopsError, match=r"cannot use .*online\.db: full"):
        store.write("churn", values(2), ["customer"], T)
    assert store.state("churn") == state
    assert store.read("churn", [0, 2]) == [{"n": 1}, {"n": 1}]
    assert rows_in(path) == [("churn", 3)]


@pytest.mark.parametrize("content", [b"not a database, but long enough to be looked at" * 30, None])
def test_a_damaged_file_is_named_with_its_remedy(tmp_path: Path, content: bytes | None) -> None:
    """Another file altogether, or pages of zeros within a good one."""
    path = tmp_path / "online.db"
    store = SQLiteOnlineStore(path)
    store.write("churn", values(1, rows=2_000), ["customer"], T)
    whole = path.read_bytes()
    path.write_bytes(content or whole[:4096] + b"\0" * (len(whole) - 4096))
    for call in (lambda: store.read("churn", [1]), lambda: store.write("churn", values(2), ["customer"], T)):
        with pytest.raises(IntegrityError, match=r"online\.db is damaged: .* Delete it and materialise"):
            call()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE feature_row SET packed = x'00'",
        "UPDATE feature_set SET features = '['",
        "UPDATE feature_set SET kinds = 'qq'",
        "UPDATE feature_set SET kinds = '?!'",
        "UPDATE feature_set SET features = '[1]'",
        "UPDATE feature_row SET packed = 5",
    ],
)
def test_a_damaged_row_is_never_served(tmp_path: Path, change: str) -> None:
    """Values of another length, or a description that cannot be read."""
    store = SQLiteOnlineStore(tmp_path / "online.db")
    store.write("churn", values(1), ["customer"], T)
    with closing(sqlite3.connect(tmp_path / "online.db")) as connection:
        connection.execute(change)
        connection.commit()
    with pytest.raises(IntegrityError, match="is damaged"):
        store.read("churn", [1])


def test_a_damaged_state_is_never_believed(tmp_path: Path) -> None:
    """An instant that is none, neither for readers nor for the writer who compares with it."""
    store = SQLiteOnlineStore(tmp_path / "online.db")
    store.write("churn", values(1), ["customer"], T)
    with closing(sqlite3.connect(tmp_path / "online.db")) as connection:
        connection.execute("UPDATE feature_set SET as_of = 'yesterday'")
        connection.commit()
    with pytest.raises(IntegrityError, match="is damaged"):
        store.state("churn")
    with pytest.raises(IntegrityError, match="is damaged"):
        store.write("churn", values(2), ["customer"], T)


def test_a_file_whose_first_write_was_cut_off_is_as_good_as_new(tmp_path: Path) -> None:
    """No tables yet, or no bytes at all."""
    path = tmp_path / "online.db"
    path.touch()
    store = SQLiteOnlineStore(path)
    assert store.state("churn") is None
    with pytest.raises(NotFound, match="'churn'"):
        store.read("churn", [1])
    store.write("churn", values(1), ["customer"], T)
    assert store.read("churn", [1]) == [{"n": 1}]


def test_a_path_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    """A folder in its place, or a file where its folder should be."""
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file" / "online.db"):
        with pytest.raises(MlopsError, match=f"cannot use {path}"):
            SQLiteOnlineStore(path).write("churn", values(1), ["customer"], T)
