"""Feast's side of `feast_process`: run by the Python that has Feast.

One JSON request a line, one answer a line; tables come and go as Parquet files. A script on its own, as
nothing of mlops_core can be imported there.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

# Any: Feast has no types here, and JSON is what it is.
Request = dict[str, Any]

_BATCH = 10_000  # rows written at once; more only costs memory
_KEYS = 500  # keys read at once: SQLite takes a limited number of parameters
_PRESENT = "present"


class Bridge:
    """Repositories by folder, opened once: Feast keeps a registry's cache in each."""

    def __init__(self) -> None:
        self._stores: dict[str, Any] = {}

    def hello(self) -> Request:
        """Which Feast this is."""
        import feast

        return {"feast": feast.__version__}

    def historical(self, *, folder: str, reads: Sequence[Request]) -> Request:
        """Point-in-time reads of files, each with a spine; the repository lives as long as they do."""
        import pyarrow.parquet as pq

        store = _open(folder)
        store.apply([part for read in reads for part in _view(read, read["source"])])
        for read in reads:
            # µs all the way: pandas keeps Parquet's unit, DuckDB 2.0 refuses nanoseconds
            spine = pq.read_table(read["spine"]).to_pandas()
            names = [f"{read['view']}:{name}" for name, _ in read["features"]]
            job = store.get_historical_features(spine, names, filter_by_created_timestamp=read["known"])
            pq.write_table(job.to_arrow(), read["into"])  # to_df() would turn integers into floats
        return {}

    def write(self, *, folder: str, view: Request, as_of: str) -> Request:
        """Define a view and write all values of its file; nothing reads them before they are all there."""
        store = self._store(folder)
        store.apply(_view(view, view["source"]))
        _rest_in_wal(store)
        online = store._get_provider()  # what its own write_to_online_store does, which rounds integers
        applied, moment = store.get_feature_view(view["view"]), datetime.fromisoformat(as_of)
        for rows in _rows(view, moment):
            online.online_write_batch(store.config, applied, rows, None)
        return {}

    def read(self, *, folder: str, view: Request, rows: Sequence[Sequence[Any]]) -> Request:
        """Values per key in the order asked; null for a key that is not there."""
        from feast.errors import FeatureViewNotFoundException

        store = self._store(folder)
        try:
            return {"rows": _online(store, view, rows)}
        except FeatureViewNotFoundException:  # written by another process since the registry was read
            store.refresh_registry()
            return {"rows": _online(store, view, rows)}

    def forget(self, *, folder: str, prefix: str, keep: Sequence[str]) -> Request:
        """Remove the views whose names begin with `prefix`, with their values, but those to keep."""
        store = self._store(folder)
        store.refresh_registry()
        gone = [
            one for one in store.list_feature_views() if one.name.startswith(prefix) and one.name not in keep
        ]
        wanted = {name for one in gone for name in one.entities}
        entities = [one for one in store.list_entities() if one.name in wanted]
        if gone:
            store.apply([], objects_to_delete=[*gone, *entities], partial=False)
        return {}

    def _store(self, folder: str) -> Any:
        if folder not in self._stores:
            from feast import FeatureStore

            self._stores[folder] = FeatureStore(repo_path=folder)
        return self._stores[folder]


def _open(folder: str) -> Any:
    """A repository of a registry and nothing else."""
    from feast import FeatureStore, RepoConfig

    return FeatureStore(
        config=RepoConfig(
            project="mlops",
            provider="local",
            registry=str(Path(folder, "registry.db")),
            offline_store={"type": "duckdb"},
            online_store={"type": "sqlite", "path": str(Path(folder, "online.db"))},
            entity_key_serialization_version=3,
            repo_path=Path(folder),
        )
    )


def _view(view: Request, source: str) -> list[Any]:
    """Feast's objects for one view: an entity per key column, the file, the view."""
    from feast import Entity, FeatureView, Field, FileSource, ValueType
    from feast.types import Float64, Int64, String

    types = {"integer": Int64, "number": Float64, "text": String}
    values = {"integer": ValueType.INT64, "text": ValueType.STRING}
    name = view["view"]
    entities = [
        # One name each view: a join key may be text in one and a number in another.
        Entity(name=f"{name}_{key}", join_keys=[key], value_type=values[kind])
        for key, kind in view["keys"]
    ]
    file = FileSource(
        name=f"{name}_file",
        path=source,
        timestamp_field="ts",
        created_timestamp_column="created" if view.get("created") else "",
    )
    ttl = timedelta(days=view.get("ttl_days", 0), microseconds=view.get("ttl_micros", 0))
    schema = [Field(name=one, dtype=types[kind]) for one, kind in (*view["keys"], *view["features"])]
    return [*entities, FeatureView(name=name, entities=entities, ttl=ttl, schema=schema, source=file)]


def _rest_in_wal(store: Any) -> None:
    """SQLite: readers are not held up by the writer of the next values. The mode stays with the file."""
    import sqlite3

    if store.config.online_store.type == "sqlite":
        path = store.config.repo_path / store.config.online_store.path
        connection = sqlite3.connect(path)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        finally:
            connection.close()


def _rows(view: Request, moment: datetime) -> Iterator[list[tuple[Any, dict[str, Any], datetime, None]]]:
    """Rows in Feast's own form; built here, as its conversion makes floats of integers beside a null."""
    import pyarrow.parquet as pq
    from feast.protos.feast.types.EntityKey_pb2 import (
        EntityKey,
    )

    keys, features = view["keys"], view["features"]
    with pq.ParquetFile(view["source"]) as file:
        for batch in file.iter_batches(batch_size=_BATCH):
            columns = {
                name: [_value(kind, one) for one in batch.column(name).to_pylist()]
                for name, kind in (*keys, *features)
            }
            names = [name for name, _ in keys]
            yield [
                (
                    EntityKey(join_keys=names, entity_values=[columns[name][row] for name in names]),
                    {name: columns[name][row] for name, _ in features},
                    moment,
                    None,
                )
                for row in range(batch.num_rows)
            ]


def _value(kind: str, value: Any) -> Any:
    from feast.protos.feast.types.Value_pb2 import Value

    fields = {"integer": "int64_val", "number": "double_val", "text": "string_val"}
    return Value() if value is None else Value(**{fields[kind]: value})


def _online(store: Any, view: Request, rows: Sequence[Sequence[Any]]) -> list[list[Any] | None]:
    names = [name for name, _ in view["features"]]
    keys = [name for name, _ in view["keys"]]
    found: list[list[Any] | None] = []
    for start in range(0, len(rows), _KEYS):
        asked: list[Mapping[str, Any]] = [
            dict(zip(keys, row, strict=True)) for row in rows[start : start + _KEYS]
        ]
        answer = store.get_online_features([f"{view['view']}:{name}" for name in names], asked).to_dict()
        # The answer has null for a key that is not there as for a null: a feature that is never null tells.
        there = [one is not None for one in answer[_PRESENT]]
        values: Iterable[tuple[Any, ...]] = zip(*(answer[name] for name in names), strict=True)
        found.extend(list(one) if is_there else None for is_there, one in zip(there, values, strict=True))
    return found


def _said(error: BaseException) -> str:
    """The last line of what an error says: the sentence itself, in the libraries met here."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[-1][:500]


def _answered(bridge: Bridge, line: str) -> Request:
    request = json.loads(line)
    try:
        return {"answer": getattr(bridge, request.pop("do"))(**request)}
    except Exception as error:  # noqa: BLE001, RUF100 - every failure of Feast's is an answer to our side
        kinds = [kind.__name__ for kind in type(error).__mro__[:-2]]
        return {"error": {"kinds": kinds, "said": _said(error)}}


def main() -> None:
    """Answer until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever Feast prints is no answer
    bridge = Bridge()
    for line in sys.stdin:
        answers.write(json.dumps(_answered(bridge, line)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
