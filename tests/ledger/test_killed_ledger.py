"""Killed, or refused by the disk, at any moment of an append: all of it or nothing is there."""

from __future__ import annotations

from itertools import count, cycle
from typing import TYPE_CHECKING

import pytest

from tests.ledger.drafts import ledger_at, promoted, registered
from tests.ledger.processes import said, strace, unprivileged

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.live
CALLS = ["mkdir", "pwrite64", "fsync", "fdatasync", "unlink", "ftruncate"]


def folders_below(path: Path) -> list[str]:
    """All that lies there."""
    return sorted(found.relative_to(path).as_posix() for found in path.rglob("*"))


@pytest.mark.parametrize("first", [True, False], ids=["first use", "a later append"])
def test_a_kill_at_any_write_leaves_all_or_nothing(tmp_path: Path, first: bool) -> None:
    """The chain is whole, the next append goes through, and nothing else lies there then."""
    deaths = 0
    heads = set()
    for call in CALLS:
        for number in count(1):
            home = tmp_path / f"{call}-{number}"
            url = f"sqlite:///{home}/new/ledger.db"
            ledger = ledger_at(url)
            before = () if first else ledger.append("churn", [registered(1), registered(2)], after=0)
            done = said("step", url, before=strace(call, "signal=KILL", number, tmp_path / "log"))
            if done:
                assert done == str(len(before) + 2)
                break
            deaths += 1
            entries = ledger.entries("churn")
            heads.add(len(entries) - len(before))
            assert entries[: len(before)] == before
            added = ledger.append("churn", [promoted(2)], after=len(entries))
            assert ledger.entries("churn") == (*entries, *added)
            assert folders_below(home) == ["new", "new/ledger.db"]
    assert deaths > 12
    assert heads == {0, 2}


def test_a_full_disk_at_any_write_leaves_what_was_there(tmp_path: Path) -> None:
    """One error that says so, nothing of the step, nothing beside it; with room it goes through."""
    home = tmp_path / "home"
    url = f"sqlite:///{home}/ledger.db"
    before = ledger_at(url).append("churn", [registered(1), registered(2)], after=0)
    for number in count(1):
        done = said("step", url, before=strace("pwrite64", "error=ENOSPC", number, tmp_path / "log"))
        if done == "4":
            break
        assert done == (
            f"MlopsError: cannot write to the ledger {home}/ledger.db: the disk is full. Mend that and run "
            "the same again: an entry is written whole or not at all, and not twice."
        )
        assert ledger_at(url).entries("churn") == before
        assert folders_below(home) == ["ledger.db"]
    assert number > 10


def test_a_disk_that_cannot_sync_is_no_success(tmp_path: Path) -> None:
    """Whichever sync of journal and file fails, the caller is told; the step is there whole or not."""
    url = f"sqlite:///{tmp_path}/ledger.db"
    ledger = ledger_at(url)
    head = len(ledger.append("churn", [registered(1), registered(2)], after=0))
    told = 0
    for number in range(1, 8):
        answer = said("step", url, before=strace("fdatasync", "error=EIO", number, tmp_path / "log"))
        now = len(ledger.entries("churn"))
        if answer.isdigit():
            assert answer == str(now) == str(head + 2)
        else:
            assert "the disk reports an error" in answer
            assert now in (head, head + 2)
            told += 1
        head = now
    assert told > 2
    assert answer.isdigit()


def test_what_a_killed_writer_left_is_read_by_one_who_may_not_write(tmp_path: Path) -> None:
    """Killed at any write: without permission for folder, file or both, the old entries are read."""
    journals = 0
    modes = cycle([(0o555, 0o444), (0o555, 0o644), (0o755, 0o444)])
    for number, (folder, file) in enumerate(modes, start=1):
        home = tmp_path / str(number)
        url = f"sqlite:///{home}/ledger.db"
        ledger_at(url).append("churn", [registered(1), registered(2)], after=0)
        done = said("step", url, before=strace("pwrite64", "signal=KILL", number, tmp_path / "log"))
        if done:
            break
        journals += (home / "ledger.db-journal").exists()
        for path in home.iterdir():
            path.chmod(file)
        home.chmod(folder)
        assert said("read", url, before=unprivileged()) == "2"
        home.chmod(0o755)
    assert journals > 10
