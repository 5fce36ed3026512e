"""One contender of `point_in_time.py` in a process of its own.

`python -m benchmarks.point_in_time_contenders NAME TASK FOLDER` does TASK once with the files in FOLDER, from
reading them to having the result in memory, and prints what that took as JSON. Imports are not counted, nor
is what follows: the result's values are saved in the spine's order, to be compared.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.point_in_time_data import COLUMNS, WINDOWS, use_case

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CONTENDERS", "measured"]

NAMES: dict[str, tuple[str, ...]] = dict.fromkeys(("latest", "known"), COLUMNS) | {
    "windows": tuple(f"{kind}_{days}" for kind, days in WINDOWS)
}


def ours(task: str, folder: Path) -> Any:
    """The offline store, through its port, on events that were ingested before."""
    import pyarrow.parquet as pq

    from mlops_core.adapters.feature_store.duckdb import DuckDBOfflineStore

    spine = pq.read_table(folder / "spine.parquet")
    events = {"rows": folder / f"canonical-{task}.parquet"}
    return DuckDBOfflineStore().features(use_case(task), events, spine)


def ours_in_4_gb(task: str, folder: Path) -> Any:
    """The same with a limit."""
    import pyarrow.parquet as pq

    from mlops_core.adapters.feature_store.duckdb import DuckDBOfflineStore

    spine = pq.read_table(folder / "spine.parquet")
    events = {"rows": folder / f"canonical-{task}.parquet"}
    return DuckDBOfflineStore(memory_limit="4GB").features(use_case(task), events, spine)


def ingest(task: str, folder: Path) -> Any:
    """What ours needs once, when data come in: checked, sorted, written."""
    from mlops_core.adapters.feature_store.duckdb import DuckDBOfflineStore

    case = use_case(task)
    DuckDBOfflineStore().ingest(
        case, case.sources[0], folder / "rows.parquet", folder / f"canonical-{task}.parquet"
    )
    return None


def duckdb_by_hand(task: str, folder: Path) -> Any:
    """An ASOF JOIN; for what was known, of the rows that were the newest known when they were recorded."""
    import duckdb

    columns = ", ".join(COLUMNS)
    rows = f"read_parquet('{folder / 'rows.parquet'}')"
    if task == "known":
        rows = f"""(
            SELECT entity, greatest("at", recorded) AS "at", {columns} FROM {rows}
            QUALIFY greatest("at", recorded) < coalesce(min(greatest("at", recorded)) OVER (
                PARTITION BY entity ORDER BY "at", recorded ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
            ), 'infinity'))"""  # noqa: S608 - our own names
    query = f"""SELECT row_id, {columns} FROM read_parquet('{folder / "spine.parquet"}') AS spine
        ASOF LEFT JOIN {rows} AS found
        ON spine.entity = found.entity AND spine.event_timestamp >= found."at" """  # noqa: S608 - our own names
    found: Any = duckdb.sql(_windows_query(folder) if task == "windows" else query)
    return found.to_arrow_table()


def _windows_query(folder: Path) -> str:
    functions = {"count": "count", "sum": "sum", "mean": "avg", "min": "min", "max": "max"}
    values = ", ".join(
        f"{f'coalesce({found}, 0)' if kind == 'sum' else found} AS {kind}_{days}"
        for kind, days in WINDOWS
        if (found := f"{functions[kind]}(f0) OVER of_{days}")
    )
    windows = ", ".join(
        f"of_{days} AS (PARTITION BY entity ORDER BY t RANGE BETWEEN {days * 86_400_000_000 - 1} PRECEDING "
        "AND CURRENT ROW)"
        for days in sorted({days for _, days in WINDOWS})
    )
    return f"""WITH asked_and_rows AS (
            SELECT entity, epoch_us(event_timestamp) AS t, row_id, NULL AS f0
            FROM read_parquet('{folder / "spine.parquet"}')
            UNION ALL
            SELECT entity, epoch_us("at"), NULL, f0 FROM read_parquet('{folder / "rows.parquet"}'))
        SELECT row_id, {values} FROM asked_and_rows WINDOW {windows} QUALIFY row_id IS NOT NULL"""  # noqa: S608 - our own


def polars_asof(task: str, folder: Path, file: str = "rows.parquet") -> Any:
    """`join_asof`, by entity; both sides sorted by time first. Aggregates: `rolling` over rows and spine."""
    import polars as pl

    spine = pl.scan_parquet(folder / "spine.parquet")
    rows = pl.scan_parquet(folder / file)
    if task == "windows":
        return _polars_windows(spine, rows)
    time = "at"
    if task == "known":
        time = "visible"
        visible = pl.max_horizontal("at", "recorded")
        below = visible.shift(-1).cum_min(reverse=True).over("entity", order_by=["at", "recorded"])
        rows = rows.with_columns(visible.alias("visible"), below.alias("below"))
        rows = rows.filter(pl.col("below").is_null() | (pl.col("visible") < pl.col("below")))
    rows = rows.select("entity", time, *COLUMNS)
    if file == "rows.parquet":
        spine, rows = spine.sort("event_timestamp"), rows.sort(time)
    else:
        spine = spine.sort("entity", "event_timestamp")
    return spine.join_asof(
        rows, left_on="event_timestamp", right_on=time, by="entity", check_sortedness=False
    ).collect()


def polars_on_ours(task: str, folder: Path) -> Any:
    """`join_asof` on the file that we sorted when it came in: what sorting costs is then not in it either."""
    return polars_asof(task, folder, f"canonical-{task}.parquet")


def _polars_windows(spine: Any, rows: Any) -> Any:
    import polars as pl

    spine = spine.select("entity", pl.col("event_timestamp").alias("at"), "row_id")
    both = (
        pl.concat([rows.select("entity", "at", "f0"), spine], how="diagonal").sort("entity", "at").collect()
    )
    found: Any = None
    for days in sorted({days for _, days in WINDOWS}):
        values = [
            getattr(pl.col("f0"), kind)().alias(f"{kind}_{days}") for kind, back in WINDOWS if back == days
        ]
        rolled = both.rolling("at", group_by="entity", period=f"{days * 24}h", closed="right").agg(
            pl.col("row_id").last().alias("row_id"), *values
        )
        rolled = rolled.drop("entity", "at") if found is not None else rolled
        rolled = rolled.with_columns(both["row_id"]).filter(pl.col("row_id").is_not_null())
        found = rolled if found is None else found.hstack(rolled.drop("row_id"))
    return found


def pandas_asof(task: str, folder: Path) -> Any:
    """`merge_asof`, by entity; both sides sorted by time first. Aggregates: `rolling` over rows and spine."""
    import pandas as pd

    spine = pd.read_parquet(folder / "spine.parquet")
    if task == "windows":
        rows = pd.read_parquet(folder / "rows.parquet", columns=["entity", "at", "f0"])
        return _pandas_windows(spine, rows)
    times = ["at", "recorded"] if task == "known" else ["at"]
    rows = pd.read_parquet(folder / "rows.parquet", columns=["entity", *times, *COLUMNS])
    time = "at"
    if task == "known":
        time = "visible"
        rows = rows.sort_values(["entity", "at", "recorded"], ignore_index=True)
        rows["visible"] = rows[["at", "recorded"]].max(axis=1)
        upwards = rows["visible"].astype("int64")[::-1].groupby(rows["entity"][::-1])
        below = upwards.cummin().groupby(rows["entity"][::-1]).shift(1)[::-1]
        rows = rows[below.isna() | (rows["visible"].astype("int64") < below)]
    return pd.merge_asof(
        spine.sort_values("event_timestamp"),
        rows.sort_values(time),
        left_on="event_timestamp",
        right_on=time,
        by="entity",
    )


def _pandas_windows(spine: Any, rows: Any) -> Any:
    import pandas as pd

    both = pd.concat([rows, spine.rename(columns={"event_timestamp": "at"})])
    both = both.sort_values(["entity", "at"], kind="stable", ignore_index=True)
    found = pd.DataFrame({"row_id": both["row_id"]})
    for days in sorted({days for _, days in WINDOWS}):
        rolling = both.groupby("entity").rolling(f"{days}D", on="at")["f0"]
        for kind, back in WINDOWS:
            if back == days:
                values = getattr(rolling, kind)().to_numpy()
                found[f"{kind}_{days}"] = np.nan_to_num(values) if kind in ("sum", "count") else values
    return found[found["row_id"].notna()]


CONTENDERS: dict[str, Callable[[str, Path], Any]] = {
    "ours": ours,
    "ours-4GB": ours_in_4_gb,
    "ingest": ingest,
    "duckdb": duckdb_by_hand,
    "polars": polars_asof,
    "polars-sorted": polars_on_ours,
    "pandas": pandas_asof,
}
_IMPORTS = {
    "duckdb": ["duckdb", "pyarrow"],
    "polars": ["polars"],
    "polars-sorted": ["polars"],
    "pandas": ["pandas", "pyarrow.dataset"],
}
_OURS = [
    "pandas",
    "pyarrow.dataset",
    "mlops_core.adapters.feature_store.duckdb",
]  # read_table needs the first two


def measured(name: str, task: str, folder: Path) -> dict[str, float]:
    """Do it, save its values as `result-NAME-TASK.npy`, one column a feature; seconds and megabytes."""
    for module in _IMPORTS.get(name, _OURS):
        importlib.import_module(module)
    before = _peak()
    wall, cpu = time.perf_counter(), time.process_time()
    result = CONTENDERS[name](task, folder)
    found = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    found |= {"peak": _peak(), "before": before}
    if result is not None:
        np.save(folder / f"result-{name}-{task}.npy", _values(result, NAMES[task]))
    return found


def _values(result: Any, names: tuple[str, ...]) -> Any:
    """Values in the order of the spine, NaN for null."""

    def column(name: str) -> Any:
        found = result[name]
        return np.asarray(found.to_numpy(), dtype=np.float64)

    return np.column_stack([column(name) for name in names])[np.argsort(column("row_id"))]


def _peak() -> float:
    """Most memory this process had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    print(json.dumps(measured(sys.argv[1], sys.argv[2], Path(sys.argv[3]))))
