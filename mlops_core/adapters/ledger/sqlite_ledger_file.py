"""The SQLite file of a ledger: its layout, transactions on it, and SQLite's errors as ours.

The journal is SQLite's oldest, a file beside the database that is deleted to commit, and not the write-ahead
log: that one needs a folder it can write to even for reading, and leaves two files behind when killed. With
`synchronous = EXTRA` the deletion, too, is on the disk when a commit returns. What a killed writer left is
rolled back by the next process that opens the file, or on a copy of it by one that may not write.
"""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_core.disk import sync, translated
from mlops_core.errors import BadInput, IntegrityError, MlopsError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LedgerFile"]

_OURS = 0x6D6C6F67  # "mlog": tells a ledger from any other SQLite database
_LAYOUT = 1
_STATEMENTS = (
    "CREATE TABLE entry (name TEXT NOT NULL, number INTEGER NOT NULL, digest TEXT NOT NULL, "
    "text TEXT NOT NULL, PRIMARY KEY (name, number))",
    "CREATE TRIGGER entry_stays BEFORE UPDATE ON entry "
    "BEGIN SELECT raise(ABORT, 'entries of the ledger are never changed'); END",
    "CREATE TRIGGER entry_remains BEFORE DELETE ON entry "
    "BEGIN SELECT raise(ABORT, 'entries of the ledger are never deleted'); END",
    # INSERT OR REPLACE deletes without asking the trigger above.
    "CREATE TRIGGER entry_follows BEFORE INSERT ON entry "
    "WHEN NEW.number IS NOT (SELECT coalesce(max(number), 0) + 1 FROM entry WHERE name = NEW.name) "
    "BEGIN SELECT raise(ABORT, 'entries of the ledger are added at its end'); END",
    f"PRAGMA application_id = {_OURS}",
    f"PRAGMA user_version = {_LAYOUT}",
)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_REASONS = {
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; is it a file, and may you write to its folder?",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk reports an error, a limit or a quota",
    sqlite3.SQLITE_PERM: "permission denied",
    sqlite3.SQLITE_READONLY: "permission denied, or it is on a read-only file system",
}


class LedgerFile:
    """Transactions on the file `path`, from any thread and process; each opens a connection of its own.

    They wait up to `patience` seconds for others; for errors see `SQLiteLedger`.
    """

    def __init__(self, path: Path, patience: float) -> None:
        self._path = path
        self._patience = patience

    def is_there(self) -> bool:
        """Whether there is a file, which may still be empty."""
        with translated("look for the ledger", self._path.parent):
            return self._path.exists()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that no other writer shares: durable at its end, or undone by an error."""
        with translated("make the folder of the ledger", self._path.parent):
            _make(self._path.parent)
        with self._translated("write to"), closing(self._opened(self._path, "rwc")) as connection:
            connection.execute("PRAGMA synchronous = EXTRA")
            connection.execute("BEGIN IMMEDIATE")
            if not self._laid_out(connection):
                for statement in _STATEMENTS:
                    connection.execute(statement)
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection | None]:
        """One state of the file; None when nothing was ever written, and nothing is then."""
        if not self.is_there():
            yield None
            return
        with self._translated("read"), self._snapshot() as connection:
            yield connection if self._laid_out(connection) else None

    @contextmanager
    def _snapshot(self) -> Iterator[sqlite3.Connection]:
        # Not opened for reading alone: what a killed writer left has to be rolled back first.
        with closing(self._opened(self._path, "rw")) as connection:
            try:
                _begin(connection)
            except sqlite3.OperationalError as error:
                if _kind(error) in _BUSY or not self._journal.exists():
                    raise
            else:
                yield connection
                return
        with tempfile.TemporaryDirectory(prefix="ledger-") as folder:
            copied = self._copied(Path(folder))
            with closing(self._opened(copied, "rw")) as connection:
                _begin(connection)
                yield connection

    def _copied(self, folder: Path) -> Path:
        """A copy of the file and of its journal, as a killed writer left them."""
        copied = folder / "ledger.db"
        before = self._journal.stat()
        copied.write_bytes(self._path.read_bytes())
        copied.with_name("ledger.db-journal").write_bytes(self._journal.read_bytes())
        after = self._journal.stat()
        # While the journal is the same, whatever was done to the file meanwhile is undone by it.
        if (before.st_ino, before.st_mtime_ns) != (after.st_ino, after.st_mtime_ns):
            raise Unavailable(f"{self._path} was being repaired by another process: try again")
        return copied

    @property
    def _journal(self) -> Path:
        path = self._path.resolve()
        return path.with_name(f"{path.name}-journal")

    def _opened(self, path: Path, mode: str) -> sqlite3.Connection:
        """A connection in SQLite's open mode `mode`, in autocommit; texts come as their UTF-8."""
        address = f"{path.resolve().as_uri()}?mode={mode}"
        connection = sqlite3.connect(address, uri=True, timeout=self._patience, isolation_level=None)
        connection.text_factory = bytes
        return connection

    def _laid_out(self, connection: sqlite3.Connection) -> bool:
        """Whether the tables are there. Raises `BadInput` when it is a database of something else."""
        (kind,) = connection.execute("PRAGMA application_id").fetchone()
        (layout,) = connection.execute("PRAGMA user_version").fetchone()
        if kind == _OURS and layout > _LAYOUT:
            raise MlopsError(
                f"{self._path} has layout {layout} of the ledger, and this version of the software knows "
                f"those up to {_LAYOUT}: use the newer version."
            )
        if kind == _OURS:
            return True
        (objects,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if objects:
            raise BadInput(
                f"{self._path} is a database of something else, not a ledger: name another in MLOPS_LEDGER."
            )
        return False

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        with translated(f"{doing} the ledger", self._path.parent):
            try:
                yield
            except sqlite3.Error as error:
                raise self._ours(doing, error) from error

    def _ours(self, doing: str, error: sqlite3.Error) -> MlopsError:
        kind = _kind(error)
        if kind in _BUSY:
            return Unavailable(
                f"the ledger {self._path} was locked by another process for {self._patience:g} s: try again "
                "when it has finished, or end it."
            )
        if kind in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return IntegrityError(
                f"the ledger {self._path} is damaged: {error}. Restore it from a backup: what it says stands "
                "nowhere else."
            )
        return MlopsError(
            f"cannot {doing} the ledger {self._path}: {_REASONS.get(kind, error)}. Mend that "
            "and run the same again: an entry is written whole or not at all, and not twice."
        )


def _kind(error: sqlite3.Error) -> int:
    code: int = getattr(error, "sqlite_errorcode", 0)  # there is none where Python itself found the error
    return code & 0xFF  # the low byte; the others say more of the same


def _begin(connection: sqlite3.Connection) -> None:
    """See one state from here on; BEGIN alone does not look at the file yet."""
    connection.execute("BEGIN")
    connection.execute("PRAGMA application_id").fetchone()


def _make(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        sync(folder.parent)
