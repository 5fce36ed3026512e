"""Run by the tests, in a process of its own: uses a ledger, and prints what came of it.

python appender.py race URL WORKER TURNS    enter versions, looking again when another was faster
python appender.py step URL                 append two entries in one step
python appender.py limited URL BYTES        the same, with a limit for the size of a file
python appender.py read URL                 count the entries
python appender.py lock URL                 lock a SQLite file until ended
"""

from __future__ import annotations

import resource
import sqlite3
import sys
import time
from typing import TYPE_CHECKING

from mlops_core.errors import Conflict, MlopsError
from tests.ledger.drafts import decided, ledger_at, promoted, registered

if TYPE_CHECKING:
    from collections.abc import Callable


def race(url: str, worker: int, turns: int) -> int:
    """Enter `turns` versions, from when the others are ready too; how often another was faster."""
    ledger = ledger_at(url)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    lost = 0
    for turn in range(turns):
        while True:
            after = len(ledger.entries("churn"))
            try:
                ledger.append("churn", [registered(1 + worker * turns + turn), decided()], after=after)
            except Conflict:
                lost += 1
            else:
                break
    return lost


def step(url: str) -> int:
    """What a promotion writes: both entries or neither. How many there are afterwards."""
    ledger = ledger_at(url)
    after = len(ledger.entries("churn"))
    ledger.append("churn", [decided(2), promoted(2)], after=after)
    return len(ledger.entries("churn"))


def limited(url: str, size: int) -> int:
    """A disk that has room for so much of a file."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return step(url)


def read(url: str) -> int:
    """How many entries there are."""
    return len(ledger_at(url).entries("churn"))


def lock(url: str) -> None:
    """Let nobody read or write."""
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    sys.stdout.write("locked\n")
    sys.stdout.flush()
    time.sleep(600)


if __name__ == "__main__":
    actions: dict[str, Callable[..., int | None]] = {
        action.__name__: action for action in (race, step, limited, read, lock)
    }
    what, where, *numbers = sys.argv[1:]
    try:
        sys.stdout.write(str(actions[what](where, *map(int, numbers))))
    except MlopsError as error:
        sys.stdout.write(f"{type(error).__name__}: {error}")
