"""Aggregates of a sample of a spine by looking at every event: for results too large to compute twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.point_in_time_data import WINDOWS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["check_sample"]

_DAY = 86_400_000_000
_AGGREGATES: dict[str, Any] = {"count": len, "sum": np.sum, "mean": np.mean, "min": np.min, "max": np.max}


def check_sample(result: NDArray[np.float64], folder: Path, size: int = 1_000) -> None:
    """Ends this program when `result`, in the order of the spine, is wrong for any of `size` rows."""
    spine = pq.read_table(folder / "spine.parquet")
    picked = np.random.default_rng(1).choice(spine.num_rows, min(size, spine.num_rows), replace=False)
    asked = spine.take(pa.array(picked))
    events = pq.read_table(
        folder / "rows.parquet",
        columns=["entity", "at", "f0"],
        filters=pc.field("entity").isin(pc.unique(asked["entity"])),
    ).sort_by("entity")
    keys, times = events["entity"].to_numpy(), events["at"].cast(pa.int64()).to_numpy()
    values, moments = events["f0"].to_numpy(), asked["event_timestamp"].cast(pa.int64()).to_numpy()
    for row, key, moment in zip(picked, asked["entity"].to_numpy(), moments, strict=True):
        own = slice(*np.searchsorted(keys, (key, key + 1)))
        expected = [_value(kind, days * _DAY, moment, times[own], values[own]) for kind, days in WINDOWS]
        if not np.allclose(result[row], expected, rtol=1e-9, atol=1e-6, equal_nan=True):
            raise SystemExit(f"row {row:,} of the result is wrong: {result[row]} and not {expected}")


def _value(kind: str, window: int, moment: int, times: Any, values: Any) -> float:
    seen = values[(times <= moment) & (times > moment - window)]
    return float(_AGGREGATES[kind](seen)) if len(seen) or kind in ("count", "sum") else float("nan")
