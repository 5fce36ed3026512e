"""Feast's online stores on the data of `benchmarks/online.py`, run by a Python that has Feast, not ours.

    python online_feast.py measure sqlite FOLDER        # prints one JSON object
    python online_feast.py measure redis://HOST:PORT/DB FOLDER
    python online_feast.py write STORE FOLDER           # materialises everything again until it is ended

FOLDER has `values.parquet` and `changed.parquet`, the same with newer values for some entities. `latencies`,
`seconds` and `beside` are how both sides measure.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["beside", "latencies", "seconds"]

ENTITIES = (1, 100)
FEATURES = [f"f{number}" for number in range(10)]


def latencies(read: Callable[[list[int]], object], rows: int, reads: int) -> dict[str, list[float]]:
    """Microseconds, p50 and p99, by the number of entities; a tenth of the reads with 100 of them.

    Feast's SQLite refuses reads while it is written ("database is locked"): they are tried again within their
    time, and how many were refused is said on standard error.
    """
    chosen, found, refused = random.Random(0), {}, 0  # noqa: S311 - keys to read, not secrets
    for entities in ENTITIES:
        times = []
        for _ in range(reads if entities == 1 else max(reads // 10, 1)):
            keys = [chosen.randrange(rows) for _ in range(entities)]
            start = time.perf_counter_ns()
            refused += _tried(read, keys)
            times.append((time.perf_counter_ns() - start) / 1_000)
        times.sort()
        found[str(entities)] = [times[len(times) // 2], times[len(times) * 99 // 100]]
    if refused:
        sys.stderr.write(f"{refused} reads were refused: database is locked\n")
    return found


def _tried(read: Callable[[list[int]], object], keys: list[int]) -> int:
    """Read until it is answered; returns how often it was refused."""
    for refused in range(10_000):
        try:
            read(keys)
        except Exception as error:  # SQLite's own, whichever way Feast passes it on
            if "locked" not in str(error):
                raise
        else:
            return refused
    raise RuntimeError("a read was refused 10,000 times")


def seconds(work: Callable[[], object]) -> list[float]:
    """By the clock and of this process's processor time."""
    start, busy = time.perf_counter(), time.process_time()
    work()
    return [time.perf_counter() - start, time.process_time() - busy]


@contextmanager
def beside(words: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Have a program run in `folder` beside the body."""
    process = subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL)  # noqa: S603 - our own words
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def feast_store(where: str, folder: Path, values: str) -> Any:
    """A feature store with one view of ten features, in `folder`."""
    from datetime import timedelta

    from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
    from feast.types import Float64

    online = {"type": "sqlite", "path": str(folder / "feast_online.db")}
    if where != "sqlite":
        host, _, number = where.removeprefix("redis://").partition("/")
        online = {"type": "redis", "connection_string": f"{host},db={number}"}
    config = RepoConfig(
        project="online",
        provider="local",
        registry=str(folder / f"registry-{online['type']}.db"),
        online_store=online,
        offline_store={"type": "duckdb"},
        entity_key_serialization_version=3,
    )
    store = FeatureStore(config=config)
    customer = Entity(name="customer", join_keys=["customer"], value_type=ValueType.INT64)
    view = FeatureView(
        name="values",
        entities=[customer],
        ttl=timedelta(0),
        schema=[Field(name=name, dtype=Float64) for name in FEATURES],
        source=FileSource(path=str(folder / values), timestamp_field="event_timestamp"),
    )
    store.apply([customer, view])
    return store


def materialise(store: Any) -> None:
    """Bring everything online."""
    from datetime import datetime, timezone

    store.materialize(
        datetime(2024, 1, 1, tzinfo=timezone.utc),  # noqa: UP017 - Feast's Python may be older than ours
        datetime(2024, 6, 1, tzinfo=timezone.utc),  # noqa: UP017 - the same
    )


def later(folder: Path, number: int) -> None:
    """Write `later.parquet`, where every row is newer: Feast on Redis skips those of a time it has."""
    from datetime import timedelta

    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(folder / "changed.parquet")
    times = table["event_timestamp"].to_pylist()
    newer = pa.array([one + timedelta(minutes=1 + number) for one in times], table["event_timestamp"].type)
    column = table.column_names.index("event_timestamp")
    pq.write_table(table.set_column(column, "event_timestamp", newer), folder / "later.parquet")


def measure(where: str, folder: Path, rows: int, reads: int) -> dict[str, Any]:
    """What `benchmarks.online.measure` does for ours; definitions are applied before the clock starts."""
    found: dict[str, Any] = {}
    for name, values in (("first", "values"), ("unchanged", "values"), ("changed", "changed")):
        store = feast_store(where, folder, f"{values}.parquet")
        found[name] = seconds(partial(materialise, store))
    features = [f"values:{name}" for name in FEATURES]

    def read(keys: list[int]) -> object:
        entities = [{"customer": key} for key in keys]
        return store.get_online_features(features=features, entity_rows=entities).to_dict()

    assert store.get_online_features(features, [{"customer": 0}]).to_dict()["f0"] == [2.0]

    found["idle"] = latencies(read, rows, reads)
    words = [sys.executable, __file__, "write", where, str(folder), str(rows), str(reads)]
    with beside(words, folder) as writer:
        time.sleep(15)  # it has imported Feast then, and writes
        found["writing"] = latencies(read, rows, reads)
        found["alone"] = writer.poll() is not None
    return found


def main(what: str, where: str, folder: str, rows: str, reads: str) -> None:
    """See the module."""
    sys.stdout, said = sys.stderr, sys.stdout  # Feast prints progress where the answer belongs
    if what == "measure":
        said.write(json.dumps(measure(where, Path(folder), int(rows), int(reads))))
    for number in range(1_000_000 if what == "write" else 0):
        later(Path(folder), number)
        materialise(feast_store(where, Path(folder), "later.parquet"))


if __name__ == "__main__":
    os.environ["FEAST_USAGE"] = "False"
    main(*sys.argv[1:])
