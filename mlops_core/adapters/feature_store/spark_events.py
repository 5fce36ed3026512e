"""Canonical Parquet and checked spines as the relations that `sql` speaks of, for Spark.

Columns get names of ours by position, so no name of theirs needs quoting or can collide.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from mlops_core.adapters.feature_store.canonical import events_schema
from mlops_core.adapters.feature_store.instants import micros
from mlops_core.adapters.feature_store.sql.events import EventColumn, Events, in_micros
from mlops_core.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from pyspark.sql import SparkSession
    from pyspark.sql.types import StructType

    from mlops_core.adapters.feature_store.spine import Spine
    from mlops_core.domain.sources import EventSource

__all__ = ["SparkEvents"]

_VIEW = "canonical"


class SparkEvents:
    """The canonical events of `source` at `path`, of which the columns `needed` are read.

    `known_at` leaves out what was recorded later. Raises what `events_schema` raises.
    """

    def __init__(
        self, path: Path, source: EventSource, needed: Iterable[str], known_at: datetime | None
    ) -> None:
        wanted = tuple(dict.fromkeys(needed))
        schema = events_schema(path, wanted)
        self._types = {name: schema.field(name).type for name in wanted}
        self._path = path
        self._source = source
        self._known_at = None if known_at is None else micros(known_at)
        self._columns = {name: f"c{number}" for number, name in enumerate(wanted)}

    def key_types(self, keys: Sequence[str]) -> list[pa.DataType]:
        """Types of key columns: int64 or string."""
        return [self._types[key] for key in keys]

    def relation(self, session: SparkSession, keys: Sequence[str], *, recorded: bool) -> Events:
        """The events as SQL of `session`; `recorded` where they are seen from when they were recorded on.

        The last relation asked of a session is the one that its SQL speaks of.
        """
        source, columns = self._source, self._columns
        # the schema is given, so that Spark need not run a job to find it
        reader = session.read.schema(self._schema()).option("datetimeRebaseMode", "CORRECTED")
        frame = reader.option("recursiveFileLookup", "true").parquet(_location(self._path))
        frame.toDF(*columns.values()).createOrReplaceTempView(_VIEW)
        given = [f"{columns[key]} AS k{number}" for number, key in enumerate(keys)]
        given.append(f"unix_micros({columns[source.event_timestamp]}) AS t")
        if source.created_timestamp is not None:
            given.append(f"unix_micros({columns[source.created_timestamp]}) AS created")
        if source.event_id is not None:
            given.append(f"{columns[source.event_id]} AS id")
        return Events(
            relation=f"(SELECT {', '.join([*given, *columns.values()])} FROM {_VIEW})",  # noqa: S608 - all ours
            keys=len(keys),
            created=source.created_timestamp is not None,
            versions=source.event_id is not None,
            recorded=recorded and source.created_timestamp is not None,
            delay=in_micros(source.delay),
            known_at=self._known_at,
            columns={name: EventColumn.of(columns[name], kind) for name, kind in self._types.items()},
        )

    def spine(self, asked: Spine, keys: Iterable[tuple[str, str]]) -> pa.Table:
        """The relation `spine (row_id, k0, k1, …, moment)`, its keys in the events' types.

        `keys` are (column of the spine, column of the events) pairs.
        """
        columns = {"row_id": pa.array(np.arange(len(asked.moments), dtype=np.int64))}
        for number, (ours, theirs) in enumerate(keys):
            columns[f"k{number}"] = asked.key_like(ours, self._types[theirs], self._source.name)
        return pa.table({**columns, "moment": asked.moments})

    def _schema(self) -> StructType:
        from pyspark.sql.types import StructField, StructType

        return StructType([StructField(name, _spark_type(kind)) for name, kind in self._types.items()])


def _spark_type(kind: pa.DataType) -> object:
    """Canonical events have few types, see `mlops_core.ports.OfflineStore`."""
    from pyspark.sql.pandas.types import from_arrow_type

    return from_arrow_type(kind)


def _location(path: Path) -> str:
    """The file as Hadoop names it, which takes a name for a pattern unless told otherwise.

    Raises `BadInput` for names that Spark passes over without a word, or cannot say.
    """
    if path.name.startswith((".", "_")) or ":" in path.name:
        raise BadInput(
            f"Spark does not read files whose names begin with . or _ or have a colon: {path}. Rename it."
        )
    return "file://" + re.sub(r"([\\*?\[\]{}])", r"\\\1", str(path.resolve()))
