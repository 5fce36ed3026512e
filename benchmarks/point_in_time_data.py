"""The data of `point_in_time.py`: rows in the order in which they were recorded, and a spine in no order."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mlops_core.definitions import (
    Count,
    Entity,
    EventSource,
    FeatureView,
    GatePolicy,
    Latest,
    LogisticRegression,
    Max,
    Mean,
    Min,
    NoEventWithin,
    Sum,
    UseCase,
    days,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["COLUMNS", "TASKS", "WINDOWS", "make", "use_case"]

TASKS = ("latest", "known", "windows")
COLUMNS = tuple(f"f{number}" for number in range(10))
WINDOWS = (
    ("count", 30), ("sum", 30), ("mean", 30), ("sum", 90), ("mean", 90), ("min", 90), ("max", 90),
    ("count", 365), ("sum", 365), ("max", 365),
)  # fmt: skip
"""Aggregates of column f0 and the days that each looks back; their features are called count_30 and so on."""

_PER_KEY = 100  # rows of one entity
_START, _SPAN = 1_704_067_200_000_000, 730 * 86_400_000_000  # microseconds: two years from 2024 on
_CHUNK = 5_000_000  # rows written at once
_TIMESTAMP = pa.timestamp("us", "UTC")
_KINDS = {"count": Count, "sum": Sum, "mean": Mean, "min": Min, "max": Max}


def make(folder: Path, *, asked: int, rows: int, columns: int = 10) -> None:
    """Write `rows.parquet` and `spine.parquet`: a hundred rows an entity, one entity in a hundred unknown."""
    random = np.random.default_rng(0)
    entities = max(rows // _PER_KEY, 1)
    writer: pq.ParquetWriter | None = None
    for table in _rows(random, rows, entities, columns):
        # dictionaries of numbers that hardly repeat would slow all readers down
        writer = writer or pq.ParquetWriter(
            folder / "rows.parquet", table.schema, compression="lz4", use_dictionary=False
        )
        writer.write_table(table, row_group_size=122_880)
    if writer is not None:
        writer.close()
    spine = {
        "entity": random.integers(0, entities + entities // 100 + 1, asked),
        "event_timestamp": _instants(random.integers(_START, _START + _SPAN, asked)),
        "row_id": np.arange(asked),
    }
    pq.write_table(pa.table(spine), folder / "spine.parquet", compression="zstd")


def use_case(task: str, columns: int = 10) -> UseCase:
    """The definitions of a task: the latest of ten columns, by event time or as known, or ten aggregates."""
    created = "recorded" if task == "known" else None
    latest = tuple(Latest(name) for name in COLUMNS[:columns])
    windows = tuple(
        _KINDS[kind](f"{kind}_{back}", *(() if kind == "count" else ("f0",)), window=days(back))
        for kind, back in WINDOWS
    )
    return UseCase(
        name="benchmark",
        entity=Entity(name="entity", key="entity"),
        sources=(EventSource(name="rows", event_timestamp="at", created_timestamp=created),),
        views=(FeatureView(name="view", source="rows", features=windows if task == "windows" else latest),),
        label=NoEventWithin(name="gone", source="rows", horizon=timedelta(days=30)),
        candidates=(LogisticRegression(),),
        gate=GatePolicy(floor=0.5),
    )


def _rows(random: np.random.Generator, rows: int, entities: int, columns: int) -> Iterator[pa.Table]:
    """Rows in chunks, each in the order of its created timestamps, hours after it happened."""
    chunks = -(-rows // _CHUNK)
    for number in range(chunks):
        count = rows * (number + 1) // chunks - rows * number // chunks
        low, high = (_START + _SPAN * place // chunks for place in (number, number + 1))
        happened = random.integers(low, high, count)
        recorded = happened + random.exponential(6 * 3_600_000_000, count).astype(np.int64)
        order = np.argsort(recorded)
        found = {
            "entity": random.integers(0, entities, count),
            "at": _instants(happened[order]),
            "recorded": _instants(recorded[order]),
        }
        yield pa.table(
            found | {name: np.round(random.normal(0, 100, count), 3) for name in COLUMNS[:columns]}
        )


def _instants(micros: NDArray[np.int64]) -> pa.Array:
    return pa.array(micros).cast(_TIMESTAMP)
