"""Entries that somebody changed, removed, moved or put in between are noticed by whoever reads."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mlops_core.domain.digest import canonical, digest_bytes
from mlops_core.errors import IntegrityError, MlopsError
from tests.ledger.drafts import decided, ledger_at, promoted, registered

if TYPE_CHECKING:
    from mlops_core.ports import Ledger


class Table:
    """The rows of a ledger of `churn`, seen from beneath it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._file = url.startswith("sqlite")
        self._name = "entry" if self._file else "mlops_ledger"

    def unprotect(self) -> None:
        """Switch off what refuses changes."""
        if self._file:
            for trigger in ("entry_stays", "entry_remains", "entry_follows"):
                self.run(f"DROP TRIGGER {trigger}")
        else:
            self.run("ALTER TABLE mlops_ledger DISABLE TRIGGER ALL")

    def run(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """One statement, with ? for values and `entry` for the table."""
        statement = statement.replace(" entry ", f" {self._name} ")
        if self._file:
            with (
                closing(sqlite3.connect(Path(self._url.removeprefix("sqlite:///")))) as connection,
                connection,
            ):
                return connection.execute(statement, values).fetchall()
        import psycopg

        with psycopg.connect(self._url) as server:
            cursor = server.execute(statement.replace("?", "%s"), values)
            return cursor.fetchall() if cursor.description else []

    def text(self, number: int) -> dict[str, Any]:
        """What the entry says."""
        ((text,),) = self.run("SELECT text FROM entry WHERE number = ?", number)
        said: dict[str, Any] = json.loads(text)
        return said

    def say(self, number: int, said: dict[str, Any], *, with_digest: bool) -> None:
        """Have the entry say this, and keep its old digest or give it the right one."""
        text = canonical(said)
        self.run("UPDATE entry SET text = ? WHERE number = ?", text, number)
        if with_digest:
            digest = digest_bytes(text.encode())
            self.run("UPDATE entry SET digest = ? WHERE number = ?", digest, number)


@pytest.fixture
def ledger(shared: str) -> Ledger:
    """A ledger of four entries."""
    ledger = ledger_at(shared)
    ledger.append("churn", [registered(1), decided(1), promoted(1), registered(2)], after=0)
    return ledger


@pytest.fixture
def table(ledger: Ledger, shared: str) -> Table:
    """Its rows, unprotected."""
    assert len(ledger.entries("churn")) == 4
    table = Table(shared)
    table.unprotect()
    return table


OTHER = {
    "version": 3,
    "model": "another",
    "actor": "nobody",
    "reason": "none",
    "name": "other",
    "number": 7,
    "at": "2001-01-01T00:00:00Z",
    "previous": "0" * 64,
    "event": {"kind": "archived", "successor": 9},
}


@pytest.mark.parametrize("number", [1, 2, 4])
def test_a_changed_field_is_noticed(ledger: Ledger, table: Table, number: int) -> None:
    """Whichever it is; the message names the entry, and says what to do."""
    whole = table.text(number)
    message = (
        rf"^entry {number} of the ledger of 'churn' in .* was changed.*: restore .* from a backup, and do"
    )
    for field, value in OTHER.items():
        table.say(number, {**whole, field: value}, with_digest=False)
        with pytest.raises(IntegrityError, match=message):
            ledger.entries("churn")
    table.say(number, whole, with_digest=False)
    assert len(ledger.entries("churn")) == 4


@pytest.mark.parametrize("number", [1, 2])
def test_a_change_with_a_new_digest_breaks_the_chain(ledger: Ledger, table: Table, number: int) -> None:
    """The next entry holds the digest of what was there; name, number and link are wrong by themselves."""
    whole = table.text(number)
    for field, value in OTHER.items():
        table.say(number, {**whole, field: value}, with_digest=True)
        found = number if field in ("name", "number", "previous") else number + 1
        with pytest.raises(IntegrityError, match=rf"^entry {found} of the ledger of 'churn'"):
            ledger.entries("churn")
    table.say(number, whole, with_digest=True)
    assert len(ledger.entries("churn")) == 4


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("UPDATE entry SET digest = 'x' WHERE number = 3", 3),
        ("UPDATE entry SET text = '' WHERE number = 3", 3),
        ("UPDATE entry SET number = 5 WHERE number = 3", 3),
        ("UPDATE entry SET number = 0 WHERE number = 1", 1),
        ("UPDATE entry SET name = 'other' WHERE number = 2", 2),
        ("DELETE FROM entry WHERE number = 1", 1),
        ("DELETE FROM entry WHERE number IN (2, 3)", 2),
    ],
)
def test_a_changed_or_removed_row_is_noticed(ledger: Ledger, table: Table, change: str, found: int) -> None:
    """Any of its columns, the row, or several."""
    table.run(change)
    with pytest.raises(IntegrityError, match=rf"^entry {found} of the ledger of 'churn'"):
        ledger.entries("churn")


def test_exchanged_rows_are_noticed(ledger: Ledger, table: Table) -> None:
    """Each has its own digest, in the wrong place."""
    for number, place in ((2, 99), (3, 2), (99, 3)):
        table.run("UPDATE entry SET number = ? WHERE number = ?", place, number)
    with pytest.raises(IntegrityError, match=r"^entry 2 of .* was moved: it is entry 3 of 'churn'"):
        ledger.entries("churn")


def test_the_ledger_of_another_model_is_no_substitute(ledger: Ledger, table: Table) -> None:
    """A whole chain under another name."""
    table.run("UPDATE entry SET name = 'fraud' WHERE name = 'churn'")
    assert ledger.entries("churn") == ()
    with pytest.raises(IntegrityError, match=r"^entry 1 of the ledger of 'fraud'.* it is entry 1 of 'churn'"):
        ledger.entries("fraud")


def test_nothing_is_appended_to_a_changed_entry(ledger: Ledger, table: Table) -> None:
    """What came after it would vouch for it."""
    table.say(4, {**table.text(4), "reason": "none"}, with_digest=False)
    with pytest.raises(IntegrityError, match=r"^entry 4 of the ledger of 'churn'"):
        ledger.append("churn", [promoted(2)], after=4)
    assert table.run("SELECT max(number) FROM entry ") == [(4,)]


def test_an_entry_of_a_later_version_is_not_taken_for_damage(ledger: Ledger, table: Table) -> None:
    """It has its digest, and fields that this version does not know."""
    table.say(4, {**table.text(4), "ticket": "T-1"}, with_digest=True)
    with pytest.raises(
        MlopsError, match=r"^entry 4 .* cannot read it .*: use the version that wrote it"
    ) as caught:
        ledger.entries("churn")
    assert not isinstance(caught.value, IntegrityError)


def test_an_entry_of_an_earlier_version_keeps_its_place_in_the_chain(ledger: Ledger, table: Table) -> None:
    """It lacks a field that has a default now: what is linked is what is stored, not what would be today."""
    said = table.text(4)
    said["event"] = {"kind": "promoted"}
    table.say(4, said, with_digest=True)
    ((digest,),) = table.run("SELECT digest FROM entry WHERE number = 4")
    before = ledger.entries("churn")
    assert before[-1].digest != digest
    added = ledger.append("churn", [promoted(1)], after=4)
    assert added[0].previous == digest
    assert ledger.entries("churn") == before + added


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE entry SET number = number WHERE number = 4",
        "DELETE FROM entry WHERE number = 4",
        "UPDATE entry SET text = '' WHERE number = 1",
    ],
)
def test_the_database_refuses_to_change_entries(ledger: Ledger, shared: str, change: str) -> None:
    """By mistake, that is: whoever means it can switch that off."""
    before = ledger.entries("churn")
    with pytest.raises(Exception, match="entries of the ledger are never"):
        Table(shared).run(change)
    assert ledger.entries("churn") == before
