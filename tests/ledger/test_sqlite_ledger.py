"""What only a file can do: be missing, in the way, locked, damaged, out of reach or of something else."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from mlops_core.adapters.ledger.sqlite import SQLiteLedger
from mlops_core.errors import BadInput, IntegrityError, MlopsError, Unavailable
from tests.ledger.drafts import ledger_at, promoted, registered
from tests.ledger.processes import said, started, unprivileged, with_mount

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def filled(path: Path) -> SQLiteLedger:
    """A ledger of two entries."""
    ledger = SQLiteLedger(path, patience=0.2)
    ledger.append("churn", [registered(1), promoted(1)], after=0)
    return ledger


def test_reading_makes_nothing(tmp_path: Path) -> None:
    """Neither a file nor its folder."""
    ledger = SQLiteLedger(tmp_path / "new" / "ledger.db")
    assert ledger.entries("churn") == ()
    assert ledger.names() == []
    assert list(tmp_path.iterdir()) == []


def test_the_first_append_makes_one_file(tmp_path: Path) -> None:
    """And the folders above it; no log, no journal, no lock stays."""
    filled(tmp_path / "a" / "b" / "led?g%er#.db")
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["led?g%er#.db"]


def test_a_file_that_was_only_begun_is_an_empty_ledger(tmp_path: Path) -> None:
    """As a process leaves it that is killed before its first entry is written."""
    path = tmp_path / "ledger.db"
    path.touch()
    assert SQLiteLedger(path).entries("churn") == ()
    assert SQLiteLedger(path).names() == []
    assert len(filled(path).entries("churn")) == 2


def test_a_link_to_the_file_is_the_same_ledger(tmp_path: Path) -> None:
    """Journal and locks are those of the file itself."""
    before = filled(tmp_path / "ledger.db").entries("churn")
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link.db"
    link.symlink_to(tmp_path / "ledger.db")
    added = SQLiteLedger(link).append("churn", [registered(2)], after=2)
    assert SQLiteLedger(tmp_path / "ledger.db").entries("churn") == before + added


def test_a_locked_file_is_waited_for_and_then_named(tmp_path: Path) -> None:
    """Another process keeps it for itself; when that has ended, all is as before."""
    path = tmp_path / "ledger.db"
    ledger = filled(path)
    before = ledger.entries("churn")
    with started("lock", f"sqlite:///{path}") as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        message = (
            rf"^the ledger {path} was locked by another process for 0\.2 s: try again when it has finished"
        )
        with pytest.raises(Unavailable, match=message):
            ledger.entries("churn")
        with pytest.raises(Unavailable, match=message):
            ledger.append("churn", [registered(2)], after=2)
        with pytest.raises(Unavailable, match=message):
            ledger.names()
        holder.kill()
    assert ledger.entries("churn") == before
    assert len(ledger.append("churn", [registered(2)], after=2)) == 1


def test_a_reader_does_not_keep_a_writer_out(tmp_path: Path) -> None:
    """One that reads slowly delays the commit; it sees what was there when it began."""
    path = tmp_path / "ledger.db"
    ledger = filled(path)
    with closing(sqlite3.connect(path)) as reader:
        rows = reader.execute("SELECT number FROM entry")
        assert rows.fetchone() == (1,)
        with pytest.raises(Unavailable, match="was locked by another process"):
            ledger.append("churn", [registered(2)], after=2)
        assert rows.fetchall() == [(2,)]
    assert len(ledger.append("churn", [registered(2)], after=2)) == 1


@pytest.mark.parametrize("content", [b"not a database, but long enough to be looked at" * 30, None])
def test_a_damaged_file_is_named_with_its_remedy(tmp_path: Path, content: bytes | None) -> None:
    """Another file altogether, or noise within a good one; it is never replaced."""
    path = tmp_path / "ledger.db"
    ledger = filled(path)
    whole = path.read_bytes()
    damaged = content or whole[:200] + b"\xff" * (len(whole) - 200)
    path.write_bytes(damaged)
    for call in (
        lambda: ledger.entries("churn"),
        ledger.names,
        lambda: ledger.append("churn", [registered(2)], after=2),
    ):
        with pytest.raises(
            IntegrityError, match=rf"^the ledger {path} is damaged: .*\. Restore it from a backup"
        ):
            call()
    assert path.read_bytes() == damaged


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    """Such as MLflow's, named by mistake."""
    path = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE runs (id)")
    before = path.read_bytes()
    ledger = SQLiteLedger(path)
    calls: list[Callable[[], object]] = [
        lambda: ledger.entries("churn"),
        lambda: ledger.append("churn", [registered(1)], after=0),
    ]
    for call in calls:
        with pytest.raises(BadInput, match=r"mlflow\.db is a database of something else, not a ledger"):
            call()
    assert path.read_bytes() == before


def test_a_file_of_a_later_layout_is_left_alone(tmp_path: Path) -> None:
    """A newer version may have it; this one says so."""
    path = tmp_path / "ledger.db"
    ledger = filled(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    calls: list[Callable[[], object]] = [
        lambda: ledger.entries("churn"),
        lambda: ledger.append("churn", [registered(2)], after=2),
    ]
    for call in calls:
        with pytest.raises(
            MlopsError, match=r"ledger\.db has layout 2 of the ledger.*: use the newer version"
        ):
            call()


def test_a_path_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    """A folder in its place, or a file where its folder should be."""
    (tmp_path / "file").touch()
    with pytest.raises(MlopsError, match=rf"^cannot write to the ledger {tmp_path}: it cannot be opened"):
        SQLiteLedger(tmp_path).append("churn", [registered(1)], after=0)
    with pytest.raises(MlopsError, match=rf"^cannot make the folder of the ledger in {tmp_path}/file: "):
        SQLiteLedger(tmp_path / "file" / "ledger.db").append("churn", [registered(1)], after=0)


def test_an_entry_cannot_be_put_in_the_place_of_another(tmp_path: Path) -> None:
    """Not even by INSERT OR REPLACE, for which SQLite asks no trigger about the deletion; nor after a gap."""
    path = tmp_path / "ledger.db"
    before = filled(path).entries("churn")
    with closing(sqlite3.connect(path)) as connection:
        for number in (1, 2, 4, None):
            with pytest.raises(sqlite3.IntegrityError, match="added at its end"):
                connection.execute("INSERT OR REPLACE INTO entry VALUES ('churn', ?, 'x', 'x')", (number,))
    assert SQLiteLedger(path).entries("churn") == before


@pytest.mark.live
@pytest.mark.parametrize(("folder", "file"), [(0o555, 0o444), (0o755, 0o444), (0o555, 0o644)])
def test_what_may_only_be_read_is_read(tmp_path: Path, folder: int, file: int) -> None:
    """A file or folder without permission to write: reading works, and appending says why it does not."""
    home = tmp_path / "home"
    path = home / "ledger.db"
    filled(path)
    path.chmod(file)
    home.chmod(folder)
    assert said("read", f"sqlite:///{path}", before=unprivileged()) == "2"
    answer = said("step", f"sqlite:///{path}", before=unprivileged())
    home.chmod(0o755)
    assert answer.startswith(f"MlopsError: cannot write to the ledger {path}: ")
    assert "permission denied" in answer or "may you write to its folder?" in answer
    assert [found.name for found in home.iterdir()] == ["ledger.db"]


@pytest.mark.live
def test_a_folder_that_may_not_be_entered_is_named(tmp_path: Path) -> None:
    """It is not taken for an empty ledger."""
    home = tmp_path / "home"
    filled(home / "ledger.db")
    home.chmod(0o000)
    answers = [said(what, f"sqlite:///{home}/ledger.db", before=unprivileged()) for what in ("read", "step")]
    home.chmod(0o755)
    for answer in answers:
        assert answer.startswith("MlopsError: cannot ")
        assert f" in {home}: permission denied." in answer


@pytest.mark.live
def test_a_read_only_disk_is_read(tmp_path: Path) -> None:
    """And named by whoever would write; a folder cannot be made there either."""
    home = tmp_path / "home"
    filled(home / "ledger.db")
    mounted = with_mount(f"mount --bind '{home}' '{home}'; mount -o remount,bind,ro '{home}'")
    assert said("read", f"sqlite:///{home}/ledger.db", before=mounted) == "2"
    answer = said("step", f"sqlite:///{home}/ledger.db", before=mounted)
    assert answer == (
        f"MlopsError: cannot write to the ledger {home}/ledger.db: permission denied, or it is on a "
        "read-only file system. Mend that and run the same again: an entry "
        "is written whole or not at all, and not twice."
    )
    answer = said("step", f"sqlite:///{home}/new/ledger.db", before=mounted)
    assert f"in {home}/new: it is on a read-only file system" in answer


@pytest.mark.live
def test_a_full_disk_is_named(tmp_path: Path) -> None:
    """At the first use of a small one."""
    home = tmp_path / "home"
    home.mkdir()
    mounted = with_mount(f"mount -t tmpfs -o size=8k none '{home}'")
    answer = said("step", f"sqlite:///{home}/ledger.db", before=mounted)
    assert answer.startswith(f"MlopsError: cannot write to the ledger {home}/ledger.db: the disk is full.")


@pytest.mark.live
def test_a_limit_of_the_system_is_named(tmp_path: Path) -> None:
    """No file may be longer than the ledger is; it stays as it was."""
    path = tmp_path / "ledger.db"
    before = filled(path).entries("churn")
    answer = said("limited", f"sqlite:///{path}", path.stat().st_size)
    assert answer.startswith(
        f"MlopsError: cannot write to the ledger {path}: the disk reports an error, a limit"
    )
    assert ledger_at(f"sqlite:///{path}").entries("churn") == before
    assert [found.name for found in tmp_path.iterdir()] == ["ledger.db"]
