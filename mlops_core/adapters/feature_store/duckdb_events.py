"""Canonical Parquet and checked spines as the relations that `sql` speaks of, for DuckDB.

Columns of the file are taken by position: DuckDB's names are blind to case, and ours need no quoting.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from mlops_core.adapters.feature_store.canonical import events_schema
from mlops_core.adapters.feature_store.instants import micros
from mlops_core.adapters.feature_store.sql.events import EventColumn, Events, in_micros

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from mlops_core.adapters.feature_store.spine import Spine
    from mlops_core.domain.sources import EventSource

__all__ = ["EventsFile"]


class EventsFile:
    """The canonical events of `source` at `path`, of which the columns `needed` are read.

    `known_at` leaves out what was recorded later. Raises what `events_schema` raises.
    """

    def __init__(
        self, path: Path, source: EventSource, needed: Iterable[str], known_at: datetime | None
    ) -> None:
        self._schema = events_schema(path, needed)
        self._path = path
        self._source = source
        self._known_at = None if known_at is None else micros(known_at)
        self._columns = {name: f"c{number}" for number, name in enumerate(self._schema.names)}

    def key_types(self, keys: Sequence[str]) -> list[pa.DataType]:
        """Types of key columns: int64 or string."""
        return [self._schema.field(key).type for key in keys]

    def relation(self, keys: Sequence[str], *, recorded: bool) -> Events:
        """The events as SQL; `recorded` where they are seen from when they were recorded on."""
        source = self._source
        columns = self._columns
        given = [f"{columns[key]} AS k{number}" for number, key in enumerate(keys)]
        given.append(f"epoch_us({columns[source.event_timestamp]}) AS t")
        if source.created_timestamp is not None:
            given.append(f"epoch_us({columns[source.created_timestamp]}) AS created")
        if source.event_id is not None:
            given.append(f"{columns[source.event_id]} AS id")
        names = ", ".join(columns.values())
        file = f"read_parquet('{_escaped(self._path)}', hive_partitioning = false) AS file({names})"
        return Events(
            relation=f"(SELECT {', '.join(given)}, {names} FROM {file})",  # noqa: S608 - the path is escaped
            keys=len(keys),
            created=source.created_timestamp is not None,
            versions=source.event_id is not None,
            recorded=recorded and source.created_timestamp is not None,
            delay=in_micros(source.delay),
            known_at=self._known_at,
            columns={name: EventColumn.of(columns[name], self._schema.field(name).type) for name in columns},
        )

    def spine(self, asked: Spine, keys: Iterable[tuple[str, str]]) -> pa.Table:
        """The relation `spine (row_id, k0, k1, …, moment)`, its keys in the events' types.

        `keys` are (column of the spine, column of the events) pairs.
        """
        columns = {"row_id": pa.array(np.arange(len(asked.moments), dtype=np.int64))}
        for number, (ours, theirs) in enumerate(keys):
            kind = self._schema.field(theirs).type
            columns[f"k{number}"] = asked.key_like(ours, kind, self._source.name)
        return pa.table({**columns, "moment": asked.moments})


def _escaped(path: Path) -> str:
    """An absolute path within an SQL string, which DuckDB takes for a pattern of file names."""
    return re.sub(r"([*?\[])", r"[\1]", str(path.resolve())).replace("'", "''")
