"""Canonical Parquet and checked spines as the relations that `sql` speaks of, for DuckDB.

Columns of the file are taken by position: DuckDB's names are blind to case, and ours need no quoting.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from mlops_core.adapters.feature_store.canonical import events_schema
from mlops_core.adapters.feature_store.sql import Events
from mlops_core.domain.features import Mean, Sum

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from mlops_core.adapters.feature_store.spine import Spine
    from mlops_core.domain.features import AnyFeature
    from mlops_core.domain.sources import EventSource

__all__ = ["EventsFile"]


class EventsFile:
    """The canonical events of `source` at `path`, of which the columns `needed` are read.

    Raises what `events_schema` raises.
    """

    def __init__(self, path: Path, source: EventSource, key: str, needed: Iterable[str]) -> None:
        self._schema = events_schema(path, needed)
        self._path = path
        self._source = source
        self._key = key
        self._columns = {name: f"c{number}" for number, name in enumerate(self._schema.names)}

    @property
    def key_type(self) -> pa.DataType:
        """Type of the keys: int64 or string."""
        return self._schema.field(self._key).type

    def relation(self, *, recorded: bool) -> Events:
        """The events as SQL; `recorded` where they are seen from when they were recorded on."""
        columns = self._columns
        created = self._source.created_timestamp if recorded else None
        given = [f"{columns[self._key]} AS k", f"epoch_us({columns[self._source.event_timestamp]}) AS t"]
        if created is not None:
            given.append(f"epoch_us({columns[created]}) AS created")
        names = ", ".join(columns.values())
        file = f"read_parquet('{_escaped(self._path)}', hive_partitioning = false) AS file({names})"
        return Events(
            relation=f"(SELECT {', '.join(given)}, {names} FROM {file})",  # noqa: S608 - the path is escaped
            recorded=created is not None,
            columns=columns,
        )

    def summed_floats(self, features: Iterable[AnyFeature]) -> list[str]:
        """The SQL columns of floats that `features` add up."""
        summed = {one.column for one in features if isinstance(one, Sum | Mean)}
        names = [name for name in self._schema.names if name in summed]
        return [self._columns[name] for name in names if pa.types.is_floating(self._schema.field(name).type)]

    def spine(self, asked: Spine) -> pa.Table:
        """The relation `spine (row_id, k, moment)`, its keys in the events' type."""
        return pa.table(
            {
                "row_id": pa.array(np.arange(len(asked.moments), dtype=np.int64)),
                "k": asked.keys_like(self.key_type, self._source.name),
                "moment": asked.moments,
            }
        )


def _escaped(path: Path) -> str:
    """An absolute path within an SQL string, which DuckDB takes for a pattern of file names."""
    return re.sub(r"([*?\[])", r"[\1]", str(path.resolve())).replace("'", "''")
