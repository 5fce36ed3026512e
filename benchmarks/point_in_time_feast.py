"""Feast as a contender of `point_in_time.py`, run by the interpreter of an environment that has it.

`python benchmarks/point_in_time_feast.py STORE FOLDER` (STORE is duckdb or dask) reads the latest values of
the rows in FOLDER for its spine and prints what that took as JSON. Imports and `apply` are not counted. It
imports nothing of this project, which Feast's environment need not have.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
import warnings
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

COLUMNS = [f"f{number}" for number in range(10)]


def store_of(kind: str, folder: Path, home: Path) -> tuple[Any, list[str]]:
    """A feature store over the rows, in a repository of its own, and the features' references."""
    from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
    from feast.types import Float64

    config = RepoConfig(
        project="benchmark",
        provider="local",
        registry=str(home / "registry.db"),
        online_store={"type": "sqlite", "path": str(home / "online.db")},
        offline_store={"type": kind},
        entity_key_serialization_version=3,
    )
    store = FeatureStore(config=config)
    entity = Entity(name="entity", join_keys=["entity"], value_type=ValueType.INT64)
    view = FeatureView(
        name="view",
        entities=[entity],
        ttl=timedelta(0),
        schema=[Field(name=name, dtype=Float64) for name in COLUMNS],
        source=FileSource(name="rows", path=str(folder / "rows.parquet"), timestamp_field="at"),
        online=False,
    )
    store.apply([entity, view])
    return store, [f"view:{name}" for name in COLUMNS]


def measured(kind: str, folder: Path) -> dict[str, float]:
    """Seconds and megabytes; the values are saved as `result-feast-STORE-latest.npy`."""
    with tempfile.TemporaryDirectory(prefix="feast-") as home:
        store, features = store_of(kind, folder, Path(home))
        before = _peak()
        wall, cpu = time.perf_counter(), time.process_time()
        spine = pd.read_parquet(folder / "spine.parquet")
        result = store.get_historical_features(entity_df=spine, features=features).to_df()
        found = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        found |= {"peak": _peak(), "before": before}
    values = np.full((len(spine), len(COLUMNS)), np.nan)  # its dask store drops rows; they are nulls here
    values[result["row_id"].to_numpy(dtype=np.int64)] = result[COLUMNS].to_numpy(dtype=np.float64)
    np.save(folder / f"result-feast-{kind}-latest.npy", values)
    return found | {"rows": len(result)}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # Feast's own deprecations
    print(json.dumps(measured(sys.argv[1], Path(sys.argv[2]).absolute())))
