"""What every ledger does."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from mlops_core.domain import ledger as domain
from mlops_core.domain.digest import canonical, digest_bytes
from mlops_core.errors import Conflict
from tests.ledger.drafts import decided, promoted, registered

if TYPE_CHECKING:
    from datetime import tzinfo

    from mlops_core.domain.ledger import Draft
    from mlops_core.ports import Ledger


def test_a_ledger_that_was_never_written_to_is_empty(ledger: Ledger) -> None:
    """No entries and no names."""
    assert ledger.entries("churn") == ()
    assert ledger.names() == []


def test_entries_come_back_as_they_were_appended(ledger: Ledger) -> None:
    """In their order, each with its place, the same instant for those of one step."""
    first = ledger.append("churn", [registered(1)], after=0)
    rest = ledger.append("churn", [decided(1), promoted(1)], after=1)
    assert ledger.entries("churn") == first + rest
    assert [entry.number for entry in first + rest] == [1, 2, 3]
    assert [entry.event for entry in rest] == [decided(1).event, promoted(1).event]
    assert rest[0].at == rest[1].at >= first[0].at


def test_each_entry_holds_the_digest_of_the_one_before(ledger: Ledger) -> None:
    """Over steps and within one."""
    ledger.append("churn", [registered(1), decided(1)], after=0)
    ledger.append("churn", [promoted(1)], after=2)
    entries = ledger.entries("churn")
    assert [entry.previous for entry in entries] == [None, entries[0].digest, entries[1].digest]
    assert entries[0].digest == digest_bytes(canonical(entries[0]).encode())


def test_each_model_has_numbers_of_its_own(ledger: Ledger) -> None:
    """Names that differ in case, accents or blanks are different models."""
    names = ["churn", "Churn", "chürn", "churn ", "10", "9"]
    for name in names:
        (entry,) = ledger.append(name, [registered(1)], after=0)
        assert (entry.name, entry.number, entry.previous) == (name, 1, None)
    assert ledger.names() == sorted(names)
    assert all(len(ledger.entries(name)) == 1 for name in names)


@pytest.mark.parametrize("after", [0, 1, 3])
def test_whoever_saw_another_end_writes_nothing(ledger: Ledger, after: int) -> None:
    """Too few entries seen, or more than there are; the message says where it is."""
    before = ledger.append("churn", [registered(1), promoted(1)], after=0)
    with pytest.raises(Conflict, match=rf"'churn' is at entry 2, not {after}"):
        ledger.append("churn", [registered(2)], after=after)
    assert ledger.entries("churn") == before


def test_an_end_that_never_was_is_a_conflict(ledger: Ledger) -> None:
    """In an empty ledger, too, and it stays empty."""
    with pytest.raises(Conflict, match="look again"):
        ledger.append("churn", [registered(1)], after=4)
    assert ledger.entries("churn") == ()


def test_no_drafts_are_no_entries(ledger: Ledger) -> None:
    """Nothing is appended."""
    assert ledger.append("churn", [], after=0) == ()
    assert ledger.entries("churn") == ()


def test_time_never_goes_back(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host whose clock is behind enters what it does at the instant of the last entry."""

    class Behind(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Behind:
            return cls(2001, 1, 1, tzinfo=tz)

    (first,) = ledger.append("churn", [registered(1)], after=0)
    monkeypatch.setattr(domain, "datetime", Behind)
    (second,) = ledger.append("churn", [promoted(1)], after=1)
    assert second.at == first.at
    assert ledger.entries("churn") == (first, second)


def test_every_text_comes_back(ledger: Ledger) -> None:
    """Quotes, line ends, NUL, scripts and emoji in a reason, and a long one."""
    reasons = [
        'it\'s "so"; DROP TABLE entry --',
        "a\r\nb\x00c\u2028",
        "日本語 ✅ é",
        "%s :name ?",
        "x" * 100_000,
    ]
    drafts = [registered(1, reason) for reason in reasons]
    ledger.append("churn", drafts, after=0)
    assert [entry.reason for entry in ledger.entries("churn")] == reasons


def test_of_threads_that_append_at_once_one_wins_each_place(ledger: Ledger) -> None:
    """Each of four enters five versions, looking again when another was faster."""
    lost: list[Conflict] = []
    errors: list[Exception] = []

    def enter(draft: Draft) -> None:
        try:
            while True:
                try:
                    ledger.append("churn", [draft], after=len(ledger.entries("churn")))
                except Conflict as conflict:
                    lost.append(conflict)
                else:
                    return
        except Exception as error:  # a thread's error must reach the test
            errors.append(error)

    def work(worker: int) -> None:
        for turn in range(5):
            enter(registered(1 + 5 * worker + turn))

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    entries = ledger.entries("churn")
    assert sorted(entry.version for entry in entries) == list(range(1, 21))
    assert [entry.number for entry in entries] == list(range(1, 21))
