"""Run by Feast's Python in an empty folder: what Feast 0.67 alone answers to cases that ours has a rule for.

Prints JSON: what each case found, or the error it ended with.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.types import Int64

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime.now(UTC).replace(microsecond=0)
START = NOW - timedelta(days=20)
BIG = 2**60 + 1
TIME = pa.timestamp("us", "UTC")
KEY = Entity(name="id", join_keys=["id"], value_type=ValueType.INT64)


def store_of(name: str, *, ttl: timedelta = timedelta(0), feature: str = "value") -> FeatureStore:
    """A repository with one view of one row (1, START, BIG)."""
    folder = Path(name).absolute()
    folder.mkdir()
    table = {"id": [1], "at": pa.array([START], TIME), feature: pa.array([BIG], pa.int64())}
    pq.write_table(pa.table(table), folder / "rows.parquet")
    store = FeatureStore(
        config=RepoConfig(
            project="alone",
            provider="local",
            registry=str(folder / "registry.db"),
            offline_store={"type": "duckdb"},
            online_store={"type": "sqlite", "path": str(folder / "online.db")},
            entity_key_serialization_version=3,
            repo_path=folder,
        )
    )
    source = FileSource(name="rows", path=str(folder / "rows.parquet"), timestamp_field="at")
    schema = [Field(name="id", dtype=Int64), Field(name=feature, dtype=Int64)]
    store.apply(
        [KEY, source, FeatureView(name="view", entities=[KEY], ttl=ttl, schema=schema, source=source)]
    )
    return store


def historical(store: FeatureStore, feature: str = "value") -> Any:
    """Rows for the key that is there and for one that is not."""
    moments = [START + timedelta(hours=1)] * 2
    frame = pd.DataFrame({"id": [1, 2], "event_timestamp": pd.Series(moments).dt.as_unit("us")})
    return store.get_historical_features(frame, [f"view:{feature}"])


def pushed(store: FeatureStore, *rows: tuple[datetime, int]) -> Any:
    """Online values after each (time, value) was written, in that order."""
    for moment, value in rows:
        frame = pd.DataFrame({"id": [1], "at": pd.Series([moment]).dt.as_unit("us"), "value": [value]})
        store.write_to_online_store("view", frame)
    return store.get_online_features(["view:value"], [{"id": 1}]).to_dict()["value"][0]


def beside_null(store: FeatureStore) -> Any:
    """An integer that was written with a null in the next row."""
    values = pd.array([BIG, None], dtype="Int64")
    moments = pd.Series([START] * 2).dt.as_unit("us")
    store.write_to_online_store("view", pd.DataFrame({"id": [1, 2], "at": moments, "value": values}))
    return store.get_online_features(["view:value"], [{"id": 1}]).to_dict()["value"][0]


def loaded_as_a_frame(store: FeatureStore) -> Any:
    """The integer of the row that is there, when the other has none."""
    return int(historical(store).to_df().sort_values("id")["value"].iloc[0])


def asked_as_text(store: FeatureStore) -> Any:
    """The value of key 1, asked for as "1"."""
    pushed(store, (NOW, 2))
    return store.get_online_features(["view:value"], [{"id": "1"}]).to_dict()["value"][0]


CASES = {
    "mixed ttl": lambda: historical(store_of("mixed", ttl=timedelta(hours=36))).to_arrow().num_rows,
    "name ending in _y": lambda: historical(store_of("y", feature="size_y"), "size_y").to_arrow().num_rows,
    "frame": lambda: loaded_as_a_frame(store_of("frame")),
    "older after newer": lambda: pushed(store_of("older"), (NOW, 2), (START, 1)),
    "ttl online": lambda: pushed(store_of("online", ttl=timedelta(days=1)), (START, 1)),
    "integer beside a null": lambda: beside_null(store_of("beside")),
    "text for an integer": lambda: asked_as_text(store_of("text")),
}


def outcome(case: Callable[[], Any]) -> Any:
    """What a case found, or its error in a line."""
    try:
        return case()
    except Exception as error:  # noqa: BLE001, RUF100 - any failure is an answer
        return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"


sys.stdout.write(json.dumps({name: outcome(case) for name, case in CASES.items()}) + "\n")
