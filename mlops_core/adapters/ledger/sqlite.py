"""The ledger in a SQLite file: the default, for one machine or a shared disk that keeps locks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.adapters.ledger.rows import Known, Row, rows_after, verified
from mlops_core.adapters.ledger.sqlite_ledger_file import LedgerFile
from mlops_core.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlops_core.domain.ledger import Draft, Entry

__all__ = ["SQLiteLedger"]


class SQLiteLedger:
    """The port `Ledger` over the file `path`, made at the first append; processes and threads may share it.

    `patience` is how long, in seconds, a call waits for another process that has the file locked. Raises
    `Unavailable` after that, `IntegrityError` for a damaged file, `BadInput` for a database of something else
    and `MlopsError` for what the disk refuses.
    """

    def __init__(self, path: Path, *, patience: float = 30.0) -> None:
        self._path = path
        self._known: Known = {}
        self._file = LedgerFile(path, patience)

    def entries(self, name: str) -> tuple[Entry, ...]:
        """See `Ledger.entries`; none, and nothing is made, when there is no file."""
        with self._file.reading() as connection:
            if connection is None:
                return ()
            rows = connection.execute(
                "SELECT number, digest, text FROM entry WHERE name = ? ORDER BY number", (name,)
            ).fetchall()
        return verified(name, map(_row, rows), str(self._path), self._known)

    def append(self, name: str, drafts: Sequence[Draft], *, after: int) -> tuple[Entry, ...]:
        """See `Ledger.append`."""
        if after and not self._file.is_there():
            raise Conflict(
                f"there is no ledger {self._path}, and so no entry {after} of {name!r}: look again"
            )
        with self._file.writing() as connection:
            head = connection.execute(
                "SELECT number, digest, text FROM entry WHERE name = ? ORDER BY number DESC LIMIT 1", (name,)
            ).fetchone()
            seen = _row(head) if head else None
            made = rows_after(seen, name, drafts, after=after, where=str(self._path), known=self._known)
            connection.executemany(
                "INSERT INTO entry (name, number, digest, text) VALUES (?, ?, ?, ?)",
                [(name, row.number, row.digest, row.text.decode()) for row, _ in made],
            )
        return tuple(entry for _, entry in made)

    def names(self) -> list[str]:
        """The models that have entries."""
        with self._file.reading() as connection:
            if connection is None:
                return []
            found = connection.execute("SELECT DISTINCT name FROM entry").fetchall()
        return sorted(name.decode() for (name,) in found)


def _row(found: tuple[int, object, object]) -> Row:
    """What was found in a row. SQLite has any type in any column, so what is wrong stays wrong here."""
    number, digest, text = found
    known = digest.decode(errors="replace") if isinstance(digest, bytes) else repr(digest)
    return Row(number, known, text if isinstance(text, bytes) else b"")
