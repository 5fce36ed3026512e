"""The offline store in DuckDB: embedded, in parallel, spilling to disk when memory is short."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from mlops_core.adapters.feature_store.columns import columns_of, feature_groups, label_source
from mlops_core.adapters.feature_store.duckdb_events import EventsFile
from mlops_core.adapters.feature_store.duckdb_session import duckdb_session
from mlops_core.adapters.feature_store.ingestion import ingest_file
from mlops_core.adapters.feature_store.instants import Column, micros
from mlops_core.adapters.feature_store.spine import Spine, events_of, spine_table
from mlops_core.adapters.feature_store.sql import features_query, labels_query, magnitudes_query, spine_query

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    import duckdb

    from mlops_core.adapters.feature_store.columns import FeatureGroup
    from mlops_core.domain.sources import EventSource
    from mlops_core.domain.usecase import UseCase

__all__ = ["DuckDBOfflineStore"]


class DuckDBOfflineStore:
    """`mlops_core.ports.OfflineStore` in DuckDB. Every call has a connection of its own.

    `threads` (default: all cores) and `memory_limit` (such as "2GB"; default: DuckDB's, 80 % of memory) bound
    a call; the answer, to the bit, does not depend on them.
    """

    def __init__(self, *, threads: int | None = None, memory_limit: str | None = None) -> None:
        self._threads = threads
        self._memory_limit = memory_limit

    def ingest(self, use_case: UseCase, source: EventSource, path: Path, into: Path) -> None:
        """See `OfflineStore.ingest`."""
        ingest_file(use_case, source, path, into)

    def spine(self, use_case: UseCase, events: Path, at: Sequence[datetime]) -> pa.Table:
        """See `OfflineStore.spine`; `events` are those of the label's source."""
        file = self._label_events(use_case, events)
        moments = pa.table({"moment": pa.array(sorted(set(map(micros, at))), pa.int64())})
        with self._session(moments=moments) as connection:
            found = connection.sql(spine_query(file.relation(recorded=True))).to_arrow_table()
        return spine_table(use_case.entity.key, found["k"].cast(file.key_type), found["moment"])

    def features(self, use_case: UseCase, events: Mapping[str, Path], spine: pa.Table) -> pa.Table:
        """See `OfflineStore.features`. Each source and visibility is one pass over its events."""
        asked = Spine.of(spine, use_case.entity.key)
        found: dict[str, Column] = {}
        for group in feature_groups(use_case):
            needed = columns_of(use_case, group.source).names
            path = events_of(events, group.source.name)
            found |= self._group(group, EventsFile(path, group.source, asked.key, needed), asked)
        return asked.with_columns({name: found[name] for name in use_case.feature_names})

    def labels(self, use_case: UseCase, events: Path, spine: pa.Table) -> pa.Table:
        """See `OfflineStore.labels`; `events` are those of the label's source."""
        asked = Spine.of(spine, use_case.entity.key)
        file = self._label_events(use_case, events)
        query = labels_query(file.relation(recorded=False), use_case.label.horizon)
        with self._session(spine=file.spine(asked)) as connection:
            found = connection.sql(query).to_arrow_table()
        return asked.with_columns({use_case.label.name: found["label"].cast(pa.int8())})

    def _group(self, group: FeatureGroup, file: EventsFile, asked: Spine) -> dict[str, Column]:
        relation = file.relation(recorded=group.recorded)
        floats = file.summed_floats(group.features)
        with self._session(spine=file.spine(asked)) as connection:
            if floats:
                (row,) = connection.sql(magnitudes_query(relation, floats)).fetchall()
                magnitudes = {name: value or 0.0 for name, value in zip(floats, row, strict=True)}
                relation = replace(relation, magnitudes=magnitudes)
            found = connection.sql(features_query(relation, group.features)).to_arrow_table()
        return {feature.name: found[f"f{number}"] for number, feature in enumerate(group.features)}

    def _label_events(self, use_case: UseCase, path: Path) -> EventsFile:
        source = label_source(use_case)
        key = use_case.entity.key
        return EventsFile(path, source, key, (key, *columns_of(use_case, source).timestamps))

    @contextmanager
    def _session(self, **relations: pa.Table) -> Iterator[duckdb.DuckDBPyConnection]:
        with duckdb_session(threads=self._threads, memory_limit=self._memory_limit) as connection:
            for name, table in relations.items():
                connection.register(name, table)
            yield connection
