"""The offline store in DuckDB: embedded, in parallel, spilling to disk when memory is short."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from mlops_core.adapters.feature_store.columns import (
    columns_needed,
    feature_groups,
    label_source,
    label_sum,
    timing,
)
from mlops_core.adapters.feature_store.duckdb_dialect import DuckDBDialect
from mlops_core.adapters.feature_store.duckdb_events import EventsFile
from mlops_core.adapters.feature_store.duckdb_session import duckdb_session
from mlops_core.adapters.feature_store.ingest.canonical_files import CanonicalFiles
from mlops_core.adapters.feature_store.instants import Column, micros
from mlops_core.adapters.feature_store.spine import Spine, events_of, spine_table
from mlops_core.adapters.feature_store.sql.aggregates import split_floats
from mlops_core.adapters.feature_store.sql.answers import answered
from mlops_core.adapters.feature_store.sql.queries import (
    features_query,
    labels_query,
    magnitudes_of,
    magnitudes_query,
    spine_query,
)
from mlops_core.domain.labels import SumWithin
from mlops_core.progress import tell

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    import duckdb

    from mlops_core.adapters.feature_store.columns import FeatureGroup
    from mlops_core.domain.usecase import UseCase

__all__ = ["DuckDBOfflineStore"]


class DuckDBOfflineStore(CanonicalFiles):
    """`mlops_core.ports.OfflineStore` in DuckDB. Every call has a connection of its own.

    `threads` (default: all cores) and `memory_limit` (such as "2GB"; default: DuckDB's, 80 % of memory) bound
    a call; the answer, to the bit, does not depend on them.
    """

    def __init__(self, *, threads: int | None = None, memory_limit: str | None = None) -> None:
        self._threads = threads
        self._memory_limit = memory_limit

    def spine(
        self, use_case: UseCase, events: Path, at: Sequence[datetime], *, as_known_at: datetime | None = None
    ) -> pa.Table:
        """See `OfflineStore.spine`."""
        keys = use_case.entity.keys
        file = _label_events(use_case, events, as_known_at)
        moments = pa.table({"moment": pa.array(sorted(set(map(micros, at))), pa.int64())})
        with self._session(moments=moments) as connection:
            found = connection.sql(spine_query(file.relation(keys, recorded=True))).to_arrow_table()
        types = file.key_types(keys)
        columns = {key: found[f"k{number}"].cast(types[number]) for number, key in enumerate(keys)}
        return spine_table(columns, found["moment"])

    def features(
        self,
        use_case: UseCase,
        events: Mapping[str, Path],
        spine: pa.Table,
        *,
        as_known_at: datetime | None = None,
    ) -> pa.Table:
        """See `OfflineStore.features`. Each source, key and visibility is one pass over its events."""
        asked = Spine.of(spine, use_case.entity.keys)
        found: dict[str, Column] = {}
        aggregates: list[tuple[FeatureGroup, Path]] = []
        for group in feature_groups(use_case):
            path = events_of(events, group.source.name)
            if group.latest:
                tell(f"latest values of {group.source.name}", len(found) / len(use_case.joined_names))
                found |= _latest(group, path, asked, as_known_at)
            else:
                aggregates.append((group, path))
        if aggregates:
            with self._session() as connection:
                for group, path in aggregates:
                    tell(f"features from {group.source.name}", len(found) / len(use_case.joined_names))
                    file = EventsFile(path, group.source, columns_needed(group), as_known_at)
                    found |= _aggregated(connection, group, file, asked)
        return asked.with_columns({name: found[name] for name in use_case.joined_names})

    def labels(
        self, use_case: UseCase, events: Path, spine: pa.Table, *, as_known_at: datetime | None = None
    ) -> pa.Table:
        """See `OfflineStore.labels`."""
        keys, label = use_case.entity.keys, use_case.label
        asked = Spine.of(spine, keys)
        if isinstance(label, SumWithin):
            group = label_sum(use_case, label)
            summed = EventsFile(events, group.source, columns_needed(group), as_known_at)
            with self._session() as connection:
                return asked.with_columns(_aggregated(connection, group, summed, asked.ahead(label.horizon)))
        file = _label_events(use_case, events, as_known_at)
        query = labels_query(file.relation(keys, recorded=False), label.horizon)
        with self._session(spine=file.spine(asked, zip(keys, keys, strict=True))) as connection:
            found = connection.sql(query).to_arrow_table()
        return asked.with_columns({label.name: found["label"].cast(pa.int8())})

    @contextmanager
    def _session(self, **relations: pa.Table) -> Iterator[duckdb.DuckDBPyConnection]:
        with duckdb_session(threads=self._threads, memory_limit=self._memory_limit) as connection:
            for name, table in relations.items():
                connection.register(name, table)
            yield connection


def _label_events(use_case: UseCase, path: Path, known_at: datetime | None) -> EventsFile:
    source = label_source(use_case)
    return EventsFile(path, source, (*use_case.entity.keys, *timing(source)), known_at)


def _latest(
    group: FeatureGroup, path: Path, asked: Spine, as_known_at: datetime | None
) -> Mapping[str, Column]:
    from mlops_core.adapters.feature_store.newest.latest import latest_values

    return latest_values(group, path, asked, as_known_at=as_known_at)


def _aggregated(
    connection: duckdb.DuckDBPyConnection, group: FeatureGroup, file: EventsFile, asked: Spine
) -> dict[str, Column]:
    events = file.relation([theirs for _, theirs in group.keys], recorded=group.recorded)
    floats = split_floats(group.features, events)
    if floats:
        (row,) = connection.sql(magnitudes_query(events, floats)).fetchall()
        events = replace(events, magnitudes=magnitudes_of(floats, row))
    connection.register("spine", file.spine(asked, group.keys))
    query = features_query(events, group.features, DuckDBDialect())
    return answered(connection.sql(query).to_arrow_table(), group, events)
