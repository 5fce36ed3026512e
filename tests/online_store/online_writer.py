"""Run by `test_online_atomicity.py`, in a process of its own: write values of set `churn`.

    python online_writer.py replace sqlite|redis PLACE ROWS TIMES
    python online_writer.py die sqlite|redis PLACE ROWS

`replace` writes the numbers 1 to TIMES as the values of all entities, one after the other; `die` writes
another number and kills itself with SIGKILL when it has handed half of the rows to the engine.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from mlops_core.adapters.online_store import redis as redis_adapter
from mlops_core.adapters.online_store.redis import RedisOnlineStore
from mlops_core.adapters.online_store.rows import OnlineRows
from mlops_core.adapters.online_store.sqlite import SQLiteOnlineStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_core.adapters.online_store.keys import StoredKey
    from mlops_core.ports import OnlineStore

T = datetime(2024, 3, 31, tzinfo=UTC)


def write(store: OnlineStore, number: int, rows: int) -> None:
    """Two features of all entities, both `number`."""
    table = pa.table({"customer": range(rows), "a": [number] * rows, "b": [float(number)] * rows})
    store.write("churn", table, ["customer"], T + timedelta(seconds=number))


def die_halfway(kind: str) -> None:
    """Have this process killed between two rows (SQLite) or two parts of a draft (Redis)."""
    packed, put = OnlineRows.packed, redis_adapter._put

    def half_of_the_rows(rows: OnlineRows) -> Iterator[tuple[StoredKey, bytes]]:
        for number, row in enumerate(packed(rows)):
            if number == len(rows.keys) // 2:
                os.kill(os.getpid(), signal.SIGKILL)
            yield row

    parts = iter(range(10))

    def ten_parts(*arguments: object) -> None:
        if next(parts, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        put(*arguments)  # type: ignore[arg-type] # handed on as they came

    if kind == "sqlite":
        setattr(OnlineRows, "packed", half_of_the_rows)  # noqa: B010 - mypy refuses a plain assignment
    else:
        setattr(redis_adapter, "_put", ten_parts)  # noqa: B010 - the same


def main(what: str, kind: str, place: str, rows: int, times: int = 1) -> None:
    """See the module."""
    store = SQLiteOnlineStore(Path(place)) if kind == "sqlite" else RedisOnlineStore(place)
    if what == "die":
        die_halfway(kind)
    for number in range(1, times + 1):
        write(store, number, rows)


if __name__ == "__main__":
    main(*sys.argv[1:4], *map(int, sys.argv[4:]))  # type: ignore[arg-type] # three words, then numbers
