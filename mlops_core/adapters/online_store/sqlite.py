"""The online store in SQLite: one file, one packed row an entity, replaced in one transaction.

Rows of a use case carry the number of their generation, and `online_state` says which one holds. A writer
adds the new generation, moves the pointer and removes the old generation in a single transaction; a reader
looks at pointer and rows in a single transaction of its own. In WAL mode neither waits for the other, and
a reader sees the old values or the new ones, whole.
"""

from __future__ import annotations

import json
import sqlite3
import struct
from contextlib import closing, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from mlops_core.adapters.online_store.packing import Packing
from mlops_core.domain.online import OnlineState
from mlops_core.errors import IntegrityError, MlopsError, NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from mlops_core.adapters.online_store.rows import OnlineRows
    from mlops_core.domain.online import FeatureValue, Key

__all__ = ["SQLiteOnlineStore"]

_BUSY_SECONDS = 10.0
# The key has no declared type, so that SQLite converts none and tells '1' from 1.
_TABLES = (
    "CREATE TABLE IF NOT EXISTS online_state (name TEXT PRIMARY KEY, generation INTEGER NOT NULL, "
    "as_of TEXT NOT NULL, row_count INTEGER NOT NULL, digest TEXT NOT NULL, features TEXT NOT NULL, "
    "kinds TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS online_row (generation INTEGER NOT NULL, key NOT NULL, packed BLOB NOT NULL, "
    "PRIMARY KEY (generation, key)) WITHOUT ROWID",
)


class _Pointer(NamedTuple):
    """A row of `online_state`: the generation that holds, what it is, and how its rows are packed."""

    generation: int
    state: OnlineState
    packing: Packing


class SQLiteOnlineStore:
    """`mlops_core.ports.OnlineStore` in the SQLite file `path`, which the first write makes.

    Every call opens the file anew, so any thread and process may share the store. Raises `Unavailable` when
    another writer holds it for longer than 10 seconds, `IntegrityError` when the file is damaged, and
    `MlopsError` when it cannot be opened or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, name: str, table: pa.Table, key: str, as_of: datetime) -> OnlineState:
        """See `OnlineStore.write`."""
        from mlops_core.adapters.online_store.rows import OnlineRows  # not needed to read

        rows = OnlineRows.of(table, key)
        state = rows.state(as_of)
        with self._connection(mode="rwc") as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
            for statement in _TABLES:
                connection.execute(statement)
            old = _pointer(connection, name)
            if old is None or old.state != state:
                _replace(connection, name, rows, state)
            connection.execute("COMMIT")
        return state

    def read(self, name: str, keys: Sequence[Key]) -> list[Mapping[str, FeatureValue] | None]:
        """See `OnlineStore.read`."""
        if not self._path.exists():
            raise self._nothing(name)
        with self._connection(mode="ro") as connection:
            connection.execute("BEGIN")
            pointer = _pointer(connection, name)
            if pointer is None:
                raise self._nothing(name)
            found = [_packed(connection, pointer.generation, key) for key in keys]
            return [None if one is None else pointer.packing.unpack(one) for one in found]

    def state(self, name: str) -> OnlineState | None:
        """See `OnlineStore.state`."""
        if not self._path.exists():
            return None
        with self._connection(mode="ro") as connection:
            pointer = _pointer(connection, name)
        return pointer and pointer.state

    def _nothing(self, name: str) -> NotFound:
        return NotFound(
            f"no online values of {name!r} were ever written to {self._path}. Materialise them first."
        )

    @contextmanager
    def _connection(self, *, mode: str) -> Iterator[sqlite3.Connection]:
        """A connection in SQLite's open mode `mode`, in autocommit; what is not committed is rolled back."""
        try:
            if mode == "rwc":
                self._path.parent.mkdir(parents=True, exist_ok=True)
            address = f"{self._path.resolve().as_uri()}?mode={mode}"
            connection = sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
            with closing(connection):
                yield connection
        except (sqlite3.Error, struct.error, TypeError, ValueError, OSError) as error:
            raise _translated(error, self._path) from error


def _pointer(connection: sqlite3.Connection, name: str) -> _Pointer | None:
    try:
        row = connection.execute(
            "SELECT generation, as_of, row_count, digest, features, kinds FROM online_state WHERE name = ?",
            (name,),
        ).fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):  # a file whose first write never came to its end
            return None
        raise
    if row is None:
        return None
    generation, as_of, rows, digest, features, kinds = row
    state = OnlineState(as_of=datetime.fromisoformat(as_of), rows=rows, digest=digest)
    return _Pointer(generation, state, Packing(tuple(json.loads(features)), kinds))


def _replace(connection: sqlite3.Connection, name: str, rows: OnlineRows, state: OnlineState) -> None:
    (generation,) = connection.execute("SELECT coalesce(max(generation), 0) + 1 FROM online_state").fetchone()
    packing = Packing(rows.names, rows.kinds)
    connection.executemany(
        "INSERT INTO online_row VALUES (?, ?, ?)",
        ((generation, key, packing.pack(values)) for key, values in rows),
    )
    connection.execute(
        "DELETE FROM online_row WHERE generation = (SELECT generation FROM online_state WHERE name = ?)",
        (name,),
    )
    connection.execute(
        "INSERT OR REPLACE INTO online_state VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            name,
            generation,
            state.as_of.isoformat(),
            state.rows,
            state.digest,
            json.dumps(rows.names),
            rows.kinds,
        ),
    )


def _packed(connection: sqlite3.Connection, generation: int, key: Key) -> bytes | None:
    if not _can_be_stored(key):
        return None
    query = "SELECT packed FROM online_row WHERE generation = ? AND key = ?"
    row: tuple[bytes] | None = connection.execute(query, (generation, key)).fetchone()
    return row and row[0]


def _can_be_stored(key: Key) -> bool:
    """Whether a table of keys could hold this one: True is not 1, and half of a character is no text."""
    if isinstance(key, str):
        return not any("\ud800" <= one <= "\udfff" for one in key)
    return isinstance(key, int) and not isinstance(key, bool) and -(2**63) <= key < 2**63


def _translated(error: Exception, path: Path) -> MlopsError:
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
