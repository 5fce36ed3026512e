"""Readers see all of the old values or all of the new ones, whatever becomes of the writer."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from mlops_core.adapters.online_store.redis import RedisOnlineStore
from mlops_core.adapters.online_store.sqlite import SQLiteOnlineStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.ports import OnlineStore

T = datetime(2024, 3, 31, tzinfo=UTC)
WRITER = Path(__file__).with_name("online_writer.py")


@pytest.fixture(params=["sqlite", "redis"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, redis_url: Callable[[], str]
) -> tuple[str, str, OnlineStore]:
    """A kind of store that processes share, where it is, and an empty one there."""
    if request.param == "sqlite":
        path = tmp_path / "online.db"
        return "sqlite", str(path), SQLiteOnlineStore(path)
    url = redis_url()
    return "redis", url, RedisOnlineStore(url)


def write(store: OnlineStore, number: int, rows: int) -> None:
    """Two features of all entities, both `number`."""
    table = pa.table({"customer": range(rows), "a": [number] * rows, "b": [float(number)] * rows})
    store.write("churn", table, ["customer"], T + timedelta(seconds=number))


def numbers_in(store: OnlineStore, keys: range) -> set[float]:
    """The different values of all features in one read; more than one means that it was torn."""
    rows = store.read("churn", keys)
    assert None not in rows
    return {float(value or 0) for row in rows if row for value in row.values()}


def test_readers_in_threads_never_see_half_a_write(store: OnlineStore) -> None:
    """Values of 500 entities are replaced while three threads read them all through the same store."""
    keys = range(500)
    write(store, 0, 500)
    done = threading.Event()
    seen: list[set[float]] = []
    errors: list[Exception] = []

    def read() -> None:
        try:
            while not done.is_set():
                seen.append(numbers_in(store, keys))
                state = store.state("churn")
                assert state is not None
                assert state.rows == 500
        except Exception as error:  # a thread's error must reach the test
            errors.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(1, 25):
        write(store, number, 500)
    done.set()
    for reader in readers:
        reader.join()
    assert not errors
    assert {len(one) for one in seen} == {1}
    assert numbers_in(store, keys) == {24}


@pytest.mark.live
@pytest.mark.parametrize("rows", [2_000, 12_000], ids=["few", "many"])
def test_a_writer_in_another_process_is_never_seen_halfway(
    place: tuple[str, str, OnlineStore], rows: int
) -> None:
    """So few that Redis changes them in one transaction, and so many that it gets a draft."""
    kind, where, store = place
    write(store, 0, rows)
    keys = range(0, rows, rows // 100)
    words = [sys.executable, str(WRITER), "replace", kind, where, str(rows), "30"]
    seen = []
    with subprocess.Popen(words) as writer:  # noqa: S603 - this very interpreter, code of ours
        while writer.poll() is None:
            seen.append(numbers_in(store, keys))
    assert writer.returncode == 0
    assert {len(one) for one in seen} == {1}
    assert len(set.union(*seen)) > 2
    assert numbers_in(store, range(rows)) == {30}


@pytest.mark.live
def test_a_killed_writer_leaves_the_old_values(place: tuple[str, str, OnlineStore]) -> None:
    """Killed between two of many rows; readers keep what was there, and the next write succeeds."""
    kind, where, store = place
    write(store, 0, 40_000)
    state = store.state("churn")
    words = [sys.executable, str(WRITER), "die", kind, where, "40000"]
    writer = subprocess.run(words, check=False)  # noqa: S603 - this very interpreter, code of ours
    assert writer.returncode == -signal.SIGKILL
    assert store.state("churn") == state
    assert numbers_in(store, range(40_000)) == {0}
    assert store.names() == ["churn"]
    write(store, 2, 40_000)
    assert numbers_in(store, range(40_000)) == {2}


@pytest.mark.live
def test_of_two_writers_the_later_instant_wins(place: tuple[str, str, OnlineStore]) -> None:
    """Whoever of them comes to its end first, and no write is lost halfway."""
    kind, where, store = place
    words = [sys.executable, str(WRITER), "replace", kind, where, "3000", "15"]
    with (
        subprocess.Popen(words) as first,  # noqa: S603 - this very interpreter, code of ours
        subprocess.Popen(words) as second,  # noqa: S603 - the same
    ):
        assert (first.wait(), second.wait()) == (0, 0)
    state = store.state("churn")
    assert state is not None
    assert (state.as_of, state.rows) == (T + timedelta(seconds=15), 3_000)
    assert numbers_in(store, range(3_000)) == {15}
