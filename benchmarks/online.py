"""Online stores: reading 1 and 100 entities, idle and while all are rewritten, and what a write costs.

Run from the repository's root, where nothing else runs::

    python -m benchmarks.online                           # ours on SQLite and on Redis: a minute
    python -m benchmarks.online --feast FEAST/bin/python  # Feast's beside them, some minutes

100,000 entities with ten doubles. A write hands all of them over: the `first` into an empty store, then
`unchanged` at a later instant, then with 1 % of the values `changed`. Reads are of entities chosen at random
and take a value per feature to Python; `writing` is while another process replaces all values again and again
(no two writes alike). A Redis server of our own is started on the loopback, without persistence. Feast gets
the same values with the same keys, and materialises the whole time range at each write (changed values are a
second newer, since on Redis it skips rows of an event time that it has); it needs an environment of its own,
with the extra for Redis.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.online_feast import ENTITIES, FEATURES, beside, latencies, seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlops_core.ports import OnlineStore

__all__ = ["main"]

ROOT = Path(__file__).parents[1]
T = datetime(2024, 3, 31, tzinfo=UTC)
STORES = ("sqlite", "redis")
WRITES = ("first", "unchanged", "changed")
SHARE = 100  # one row in so many changes
_LIBRARIES = ("pyarrow", "redis")

Measured = dict[str, Any]


def values(rows: int, seed: int = 0) -> pa.Table:
    """Ten doubles of every entity, none of them null."""
    random = np.random.default_rng(seed)
    return pa.table({"customer": np.arange(rows)} | {name: random.random(rows) for name in FEATURES})


def changed(table: pa.Table) -> pa.Table:
    """With another value for one in a hundred entities."""
    number = table.column_names.index("f0")
    new = np.where(np.arange(len(table)) % SHARE == 0, 2.0, table["f0"].to_numpy())
    return table.set_column(number, "f0", pa.array(new))


def opened(where: str) -> OnlineStore:
    """Ours, in a file or on a Redis server."""
    if where.startswith("redis:"):
        from mlops_core.adapters.online_store.redis import RedisOnlineStore

        return RedisOnlineStore(where)
    from mlops_core.adapters.online_store.sqlite import SQLiteOnlineStore

    return SQLiteOnlineStore(Path(where))


def measure(where: str, rows: int, reads: int) -> Measured:
    """Writes in seconds (clock, processor of this process), reads in microseconds (p50, p99)."""
    store, table = opened(where), values(rows)
    tables = (table, table, changed(table))
    found: Measured = {}
    for day, (name, one) in enumerate(zip(WRITES, tables, strict=True)):
        found[name] = seconds(partial(store.write, "values", one, ["customer"], T + timedelta(day)))
    before = store.state("values")
    assert store.read("values", [0])[0] == {name: tables[-1][name][0].as_py() for name in FEATURES}

    def read(keys: list[int]) -> None:
        assert None not in store.read("values", keys)

    found["idle"] = latencies(read, rows, reads)
    words = [sys.executable, "-m", "benchmarks.online", "--rows", str(rows), "--replace", where]
    with beside(words, ROOT) as writer:
        while store.state("values") == before and writer.poll() is None:
            time.sleep(0.05)  # until it has written once
        found["writing"] = latencies(read, rows, reads)
        found["alone"] = writer.poll() is not None
    return found


def replace(where: str, rows: int) -> None:
    """Write other values again and again, until this process is ended."""
    store, tables = opened(where), [values(rows, seed) for seed in (1, 2)]
    for number in range(1_000_000):
        store.write("values", tables[number % 2], ["customer"], T + timedelta(3, seconds=number))


def measure_feast(python: str, where: str, folder: Path, rows: int, reads: int) -> Measured:
    """The same, by the interpreter that has Feast."""
    table = values(rows)
    new = changed(table)
    times = [T + timedelta(seconds=float(one == 2.0)) for one in new["f0"].to_numpy()]
    for name, one, when in (("values", table, [T] * rows), ("changed", new, times)):
        stamped = one.append_column("event_timestamp", pa.array(when, pa.timestamp("us", "UTC")))
        pq.write_table(stamped, folder / f"{name}.parquet")
    words = [python, str(ROOT / "benchmarks" / "online_feast.py"), "measure", where, str(folder)]
    done = subprocess.run(  # noqa: S603 - the interpreter that was given, our script
        [*words, str(rows), str(max(reads // 10, 10))], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{shlex.join(words)} failed:\n{done.stderr[-4000:]}")
    refused = [line for line in done.stderr.splitlines() if "refused" in line]
    sys.stderr.writelines(f"feast at {where.partition(':')[0]}: {line}\n" for line in refused)
    found: Measured = json.loads(done.stdout)
    return found


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """The URL of a server of our own, without the database's number."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = f"redis-server --appendonly no --bind 127.0.0.1 --port {port} --save"
    with (folder / "redis.txt").open("wb") as log:
        process = subprocess.Popen([*words.split(), "", "--dir", str(folder)], stdout=log)  # noqa: S603 - ours
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"redis://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def read_table(measured: dict[str, Measured]) -> Iterable[str]:
    """Lines of Markdown: p50 and p99 of reads."""
    heads = [f"{entities}, {when}" for when in ("idle", "writing") for entities in ENTITIES]
    yield f"| µs to read, p50 / p99 | {' | '.join(heads)} |"
    yield f"| --- |{' --: |' * len(heads)}"
    for name, found in measured.items():
        pairs = [found[when][str(entities)] for when in ("idle", "writing") for entities in ENTITIES]
        yield f"| {name} | {' | '.join(f'{p50:,.0f} / {p99:,.0f}' for p50, p99 in pairs)} |"


def write_table(measured: dict[str, Measured]) -> Iterable[str]:
    """Lines of Markdown: seconds of writes."""
    yield f"| s to write, clock / processor | {' | '.join(WRITES)} |"
    yield f"| --- |{' --: |' * len(WRITES)}"
    for name, found in measured.items():
        cells = [f"{wall:.2f} / {busy:.2f}" for wall, busy in (found[one] for one in WRITES)]
        yield f"| {name} | {' | '.join(cells)} |"


def ratio_table(measured: dict[str, Measured]) -> Iterable[str]:
    """Lines of Markdown: Feast's medians over ours on the same engine."""
    pairs = [name for name in measured if f"feast {name}" in measured]
    if not pairs:
        return
    yield "| Feast / ours | 1, idle | 100, idle | 1, writing | 100, writing | first | unchanged | changed |"
    yield f"| --- |{' --: |' * 7}"
    for name in pairs:
        both = measured[f"feast {name}"], measured[name]
        kinds = [(when, str(entities)) for when in ("idle", "writing") for entities in ENTITIES]
        costs = [
            [one[when][size][0] for when, size in kinds] + [one[key][0] for key in WRITES] for one in both
        ]
        yield f"| {name} | {' | '.join(f'{feast / ours:,.1f}' for feast, ours in zip(*costs, strict=True))} |"


def main(words: list[str]) -> None:
    """Print the tables as Markdown."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.online", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--rows", type=int, default=100_000, help="entities (100000)")
    parser.add_argument("--reads", type=int, default=5_000, help="reads of one entity, a tenth of 100 (5000)")
    parser.add_argument("--only", nargs="+", choices=STORES, default=STORES, metavar="STORE")
    parser.add_argument("--feast", metavar="PYTHON", help="an interpreter that has Feast")
    parser.add_argument("--replace", metavar="STORE", help=argparse.SUPPRESS)  # the writer of `measure`
    options = parser.parse_args(words)
    if options.replace:
        replace(options.replace, options.rows)
        return
    print(
        _machine(options.only), f"\nCommand: `{shlex.join(['python', '-m', 'benchmarks.online', *words])}`\n"
    )
    measured: dict[str, Measured] = {}
    with tempfile.TemporaryDirectory(prefix="online-") as name:
        folder = Path(name)
        for store in options.only:
            for label, found in _measure_both(store, folder, options):
                measured[label] = found
                print(f"{label}: measured", file=sys.stderr)
    print(*read_table(measured), "", *write_table(measured), "", *ratio_table(measured), sep="\n")
    ended = [label for label, found in measured.items() if found["alone"]]
    if ended:
        print(f"\nThe writer of {', '.join(ended)} ended early: its `writing` figures are idle ones.")


def _measure_both(store: str, folder: Path, options: argparse.Namespace) -> Iterator[tuple[str, Measured]]:
    """Ours, then Feast's, on one engine."""
    if store == "sqlite":
        yield store, measure(str(folder / "online.db"), options.rows, options.reads)
        if options.feast:
            yield "feast sqlite", measure_feast(options.feast, store, folder, options.rows, options.reads)
        return
    with redis_server(folder) as url:
        yield store, measure(f"{url}/0", options.rows, options.reads)
        if options.feast:
            yield "feast redis", measure_feast(options.feast, f"{url}/1", folder, options.rows, options.reads)


def _machine(stores: Iterable[str]) -> str:
    import sqlite3

    found = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    server = shutil.which("redis-server") if "redis" in stores else None
    if server:
        said = subprocess.run([server, "--version"], capture_output=True, text=True, check=True)  # noqa: S603 - found
        found += f", Redis server {said.stdout.split('v=')[1].split()[0]}"
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"Machine: {os.cpu_count()} processors, {platform.machine()}, load {load} at the start, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {found}"
    )


if __name__ == "__main__":
    os.chdir(ROOT)
    main(sys.argv[1:])
