"""The SQLite file of an online store: its layout, transactions on it, and SQLite's errors as ours.

The number of the layout is the file's `user_version`. Values are derived data, so a file of an earlier layout
is not converted: the next write replaces its tables, and until then there is nothing to read. A layout with
other columns has other names for its tables, so that a reader of one never misreads the other.
"""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from mlops_core.adapters.online_store.sqlite_readers import SQLiteReaders
from mlops_core.errors import IntegrityError, MlopsError, NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["SQLiteFile"]

_BUSY_SECONDS = 10.0
_LARGE_LOG = 4 * 2**20  # bytes of write-ahead log that are not worth keeping
_LAYOUT = 2
# The key has no declared type, so that SQLite converts none and tells '1' from 1.
_STATEMENTS = (
    "DROP TABLE IF EXISTS online_state",  # of layout 1, whose files have no number
    "DROP TABLE IF EXISTS online_row",
    "CREATE TABLE feature_set (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, as_of TEXT NOT NULL, "
    "row_count INTEGER NOT NULL, digest TEXT NOT NULL, features TEXT NOT NULL, kinds TEXT NOT NULL)",
    "CREATE TABLE feature_row (set_id INTEGER NOT NULL, key NOT NULL, packed BLOB NOT NULL, "
    "PRIMARY KEY (set_id, key)) WITHOUT ROWID",
    f"PRAGMA user_version = {_LAYOUT}",
)


class SQLiteFile:
    """Transactions on the file `path`, from any thread and process; for errors see `SQLiteOnlineStore`."""

    def __init__(self, path: Path, *, reads_only: bool = False) -> None:
        self._path = path
        opened = _looked_at if reads_only else _read
        # A bound method of the store would keep the readers, and so itself, from ever being closed.
        self._readers = SQLiteReaders(path, lambda: opened(path))

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that no other writer shares; committed at the end, rolled back on an error."""
        with _translated(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(_opened(self._path, "rwc")) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("BEGIN IMMEDIATE")
                _lay_out(connection, self._path)
                yield connection
                connection.execute("COMMIT")
                _shorten_log(connection, self._path)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A transaction that sees one state of the file; neither writers nor it wait for the other.

        Raises `NotFound` when there is no file, or none of this layout.
        """
        if not self._path.exists():
            raise NotFound(f"there is no {self._path}")
        with _translated(self._path), self._readers.borrowed() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):
                    raise NotFound(_without_tables(connection, self._path)) from error
                raise
            connection.execute("COMMIT")

    def close(self) -> None:
        """Close the connections that are kept to read with; the next read opens one again."""
        self._readers.close()


def _opened(path: Path, mode: str) -> sqlite3.Connection:
    """A connection in SQLite's open mode `mode`, in autocommit, to be used by one thread at a time."""
    address = f"{path.resolve().as_uri()}?mode={mode}"
    return sqlite3.connect(
        address, uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )


def _read(path: Path) -> sqlite3.Connection:
    return _opened(path, "ro")


def _looked_at(path: Path) -> sqlite3.Connection:
    """Without a lock, so that no files are made, where all is in the file itself."""
    log = path.with_name(f"{path.name}-wal")
    return _opened(path, "ro" if log.exists() and log.stat().st_size else "ro&immutable=1")


def _lay_out(connection: sqlite3.Connection, path: Path) -> None:
    version = _layout_of(connection)
    if version > _LAYOUT:
        raise MlopsError(
            f"{path} has layout {version} of online values, and this version of the software knows those up "
            f"to {_LAYOUT}. Use the newer version, or delete the file and materialise its values again."
        )
    if version < _LAYOUT:
        for statement in _STATEMENTS:
            connection.execute(statement)


def _shorten_log(connection: sqlite3.Connection, path: Path) -> None:
    """Move a large log into the file and cut it, unless someone reads just now: then the next write does."""
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size > _LARGE_LOG:
        connection.execute("PRAGMA busy_timeout = 100")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _layout_of(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _without_tables(connection: sqlite3.Connection, path: Path) -> str:
    found = connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'online_state'").fetchone()
    if _layout_of(connection) or found != (0,):
        return f"{path} holds online values as another version of this software kept them"
    return f"nothing was ever written to {path}"


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except MlopsError:
        raise
    except (sqlite3.Error, struct.error, TypeError, ValueError, OSError) as error:
        raise _ours(error, path) from error


def _ours(error: Exception, path: Path) -> MlopsError:
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:  # the low byte is the kind
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return Unavailable(
                f"{path} is locked by another writer: {error}. Try again when it has finished."
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            damaged = True
        case _:
            damaged = isinstance(error, struct.error | TypeError | ValueError)
    if damaged:
        return IntegrityError(f"{path} is damaged: {error}. Delete it and materialise its values again.")
    return MlopsError(
        f"cannot use {path}: {error}. See that its folder exists and is writable (readers, too, keep a lock "
        "file beside it) and that the disk has room."
    )
