"""Entries as rows of a table, and the chain that their digests make.

A row holds an entry's place, its canonical JSON and the digest of that text; the entry holds the digest of
the one before. What is stored is what is digested: an entry that an earlier version of this software wrote is
checked as it lies there, not as this version would write it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pydantic import ValidationError

from mlops_core.domain.digest import canonical, digest_bytes
from mlops_core.domain.ledger import Entry, entries_after
from mlops_core.errors import Conflict, IntegrityError, MlopsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlops_core.domain.ledger import Draft

__all__ = ["Known", "Row", "rows_after", "verified"]

# Entries read before, by digest: to digest a text again is ten times as fast as to parse it again.
Known = dict[str, Entry]


class Row(NamedTuple):
    """An entry as it is stored; `text` is UTF-8, and both may have been changed, see `verified`."""

    number: int
    digest: str
    text: bytes


def rows_after(
    head: Row | None, name: str, drafts: Sequence[Draft], *, after: int, where: str, known: Known
) -> list[tuple[Row, Entry]]:
    """The drafts as rows to be stored after `head`, each with its entry.

    Raises `Conflict` when `head` is not the entry that the caller has seen, and `IntegrityError` when it was
    changed.
    """
    there = head.number if head else 0
    if there != after:
        raise Conflict(f"the ledger of {name!r} is at entry {there}, not {after}: look again")
    last = _entry(name, head, where, known) if head else None
    previous = head.digest if head else None
    made: list[tuple[Row, Entry]] = []
    for drawn in entries_after(last, name, drafts):
        # The link is to the stored text. An entry of an earlier version would be written otherwise today.
        entry = drawn if drawn.previous == previous else drawn.model_copy(update={"previous": previous})
        text = canonical(entry).encode()
        previous = digest_bytes(text)
        made.append((Row(entry.number, previous, text), entry))
    return made


def verified(name: str, rows: Iterable[Row], where: str, known: Known) -> tuple[Entry, ...]:
    """The entries of all rows of a model, by ascending number.

    Raises `IntegrityError` for the first that was changed, removed, moved or put in between; `where` names
    the database. Rows cut off at the end leave a chain that is whole: the database refuses to delete any.
    """
    entries: list[Entry] = []
    previous: str | None = None
    for place, row in enumerate(rows, start=1):
        if row.number != place:
            raise _broken(name, place, where, f"is missing (entry {row.number!r} stands in its place)")
        entry = _entry(name, row, where, known)
        if entry.previous != previous:
            raise _broken(name, place, where, "does not follow the one before it")
        previous = row.digest
        entries.append(entry)
    return tuple(entries)


def _entry(name: str, row: Row, where: str, known: Known) -> Entry:
    if digest_bytes(row.text) != row.digest:
        raise _broken(name, row.number, where, "was changed: its text does not have its digest")
    try:
        entry = known.get(row.digest) or Entry.model_validate_json(row.text)
    except ValidationError as error:
        raise MlopsError(
            f"entry {row.number} of the ledger of {name!r} in {where} is whole, but this version of the "
            f"software cannot read it ({error.error_count()} fields differ): use the version that wrote it, "
            "or a later one."
        ) from error
    if (entry.name, entry.number) != (name, row.number):
        raise _broken(name, row.number, where, f"was moved: it is entry {entry.number} of {entry.name!r}")
    known[row.digest] = entry
    return entry


def _broken(name: str, number: int, where: str, what: str) -> IntegrityError:
    return IntegrityError(
        f"entry {number} of the ledger of {name!r} in {where} {what}. What follows cannot be trusted: "
        f"restore {where} from a backup, and do not edit it."
    )
