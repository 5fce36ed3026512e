"""The online store in SQLite: one file, one packed row an entity, of which a write changes what differs.

A write compares every row with the stored one, writes those that differ, removes the entities that are gone
and describes the result, all in a single transaction; a reader looks at description and rows in a single
transaction of its own. In WAL mode neither waits for the other, and a reader sees the old values or the new
ones, whole.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from mlops_core.adapters.online_store.keys import stored_key
from mlops_core.adapters.online_store.packing import Packing
from mlops_core.adapters.online_store.sqlite_file import SQLiteFile
from mlops_core.domain.online import OnlineState
from mlops_core.errors import NotFound

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from mlops_core.adapters.online_store.keys import StoredKey
    from mlops_core.adapters.online_store.rows import OnlineRows
    from mlops_core.domain.online import FeatureValue, Key

__all__ = ["SQLiteOnlineStore"]

_LOG = logging.getLogger(__name__)
_KEYS = 512  # of one query; SQLite takes at least 999 parameters
_PUT_SET = (
    "INSERT INTO feature_set (name, as_of, row_count, digest, features, kinds) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (name) DO UPDATE SET as_of = excluded.as_of, row_count = excluded.row_count, "
    "digest = excluded.digest, features = excluded.features, kinds = excluded.kinds RETURNING id"
)
_PUT_ROW = (
    "INSERT INTO feature_row VALUES (?, ?, ?) ON CONFLICT (set_id, key) DO UPDATE "
    "SET packed = excluded.packed WHERE packed IS NOT excluded.packed"
)


class SQLiteOnlineStore:
    """`mlops_core.ports.OnlineStore` in the SQLite file `path`, which the first write makes.

    Any thread and process may share the store; it keeps connections to read with until it is closed or gone.
    Raises `Unavailable` when another writer holds the file for longer than 10 seconds, `IntegrityError` when
    it is damaged, and `MlopsError` when it cannot be opened or written. With `reads_only`, reading makes no
    files beside it, unless a writer has left its log there.
    """

    near = True  # a read waits for no network, see `Predictor.is_quick`

    def __init__(self, path: Path, *, reads_only: bool = False) -> None:
        self._path = path
        self._file = SQLiteFile(path, reads_only=reads_only)

    def write(self, name: str, table: pa.Table, keys: Sequence[str], as_of: datetime) -> OnlineState:
        """See `OnlineStore.write`."""
        from mlops_core.adapters.online_store.rows import OnlineRows  # not needed to read

        rows = OnlineRows.of(table, keys)
        state = rows.state(as_of)
        with self._file.writing() as connection:
            held = _state(connection, name)
            if held is not None and (held == state or held.as_of > state.as_of):
                return held
            number = _put_set(connection, name, state, rows)
            if held is None or held.digest != state.digest:
                _put_rows(connection, name, number, rows)
        return state

    def read(self, name: str, keys: Sequence[Key]) -> list[Mapping[str, FeatureValue] | None]:
        """See `OnlineStore.read`."""
        stored = [stored_key(key) for key in keys]
        try:
            with self._file.reading() as connection:
                query = "SELECT id, features, kinds FROM feature_set WHERE name = ?"
                held = connection.execute(query, (name,)).fetchone()
                if held is not None:
                    number, features, kinds = held
                    unpack = Packing.of(features, kinds).unpack
                    found = _packed(connection, number, stored)
                    return [unpack(found[key]) if key in found else None for key in stored]
        except NotFound as error:
            raise NotFound(f"no online values of {name!r}: {error}. Materialise them first.") from error
        raise NotFound(
            f"no online values of {name!r} were ever written to {self._path}. Materialise them first."
        )

    def state(self, name: str) -> OnlineState | None:
        """See `OnlineStore.state`."""
        with suppress(NotFound), self._file.reading() as connection:
            return _state(connection, name)
        return None

    def names(self) -> list[str]:
        """See `OnlineStore.names`."""
        with suppress(NotFound), self._file.reading() as connection:
            return sorted(name for (name,) in connection.execute("SELECT name FROM feature_set"))
        return []

    def drop(self, name: str) -> None:
        """See `OnlineStore.drop`."""
        if name not in self.names():  # so that no file is made for it
            return
        with self._file.writing() as connection:
            connection.execute(
                "DELETE FROM feature_row WHERE set_id = (SELECT id FROM feature_set WHERE name = ?)", (name,)
            )
            connection.execute("DELETE FROM feature_set WHERE name = ?", (name,))

    def close(self) -> None:
        """Close the connections that are kept to read with; the next read opens one again."""
        self._file.close()


def _state(connection: sqlite3.Connection, name: str) -> OnlineState | None:
    query = "SELECT as_of, row_count, digest FROM feature_set WHERE name = ?"
    row = connection.execute(query, (name,)).fetchone()
    if row is None:
        return None
    as_of, rows, digest = row
    return OnlineState(as_of=datetime.fromisoformat(as_of), rows=rows, digest=digest)


def _put_set(connection: sqlite3.Connection, name: str, state: OnlineState, rows: OnlineRows) -> int:
    described = (state.as_of.isoformat(), state.rows, state.digest, rows.names_json, rows.kinds)
    (number,) = connection.execute(_PUT_SET, (name, *described)).fetchone()
    return int(number)


def _put_rows(connection: sqlite3.Connection, name: str, number: int, rows: OnlineRows) -> None:
    """Write the rows that differ, remove those that are gone."""
    before = connection.total_changes
    connection.executemany(_PUT_ROW, ((number, key, packed) for key, packed in rows.packed()))
    written = connection.total_changes - before
    (stored,) = connection.execute("SELECT count(*) FROM feature_row WHERE set_id = ?", (number,)).fetchone()
    if stored > len(rows.keys):
        kept = set(rows.keys)
        held = connection.execute("SELECT key FROM feature_row WHERE set_id = ?", (number,)).fetchall()
        connection.executemany(
            "DELETE FROM feature_row WHERE set_id = ? AND key = ?",
            ((number, key) for (key,) in held if key not in kept),
        )
    _LOG.info(
        "online values of %s: %d of %d rows written, %d removed",
        name,
        written,
        len(rows.keys),
        stored - len(rows.keys),
    )


def _packed(
    connection: sqlite3.Connection, number: int, keys: Sequence[StoredKey | None]
) -> dict[StoredKey | None, bytes]:
    """Packed rows by key, of those that are there. NULL, which no row has, stands for what cannot be one."""
    found: dict[StoredKey | None, bytes] = {}
    for start in range(0, len(keys), _KEYS):
        part = keys[start : start + _KEYS]
        # Powers of two are few statements to keep prepared
        part = [*part, *[None] * ((1 << (len(part) - 1).bit_length()) - len(part))]
        places = ", ".join("?" * len(part))
        query = f"SELECT key, packed FROM feature_row WHERE set_id = ? AND key IN ({places})"  # noqa: S608 - ?
        found.update(connection.execute(query, (number, *part)))
    return found
