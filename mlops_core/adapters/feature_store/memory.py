"""The offline store in plain Python: every instant looks at every row. Slow, and plainly right: the oracle.

What may be seen at T is said in one place, `_seen`: what had been recorded by T (where that matters), of each
event its last version, and of these what had happened, and been delayed, by T.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mlops_core.adapters.feature_store.canonical import events_schema
from mlops_core.adapters.feature_store.columns import columns_of, feature_groups, label_source
from mlops_core.adapters.feature_store.ingest.canonical_files import CanonicalFiles
from mlops_core.adapters.feature_store.instants import micros
from mlops_core.adapters.feature_store.memory_values import Row, latest_value, ticks, total, value_of
from mlops_core.adapters.feature_store.spine import Spine, events_of, spine_table
from mlops_core.domain.features import Count, CountDistinct, Latest
from mlops_core.domain.labels import SumWithin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from mlops_core.adapters.feature_store.columns import FeatureGroup
    from mlops_core.domain.features import AnyFeature
    from mlops_core.domain.sources import EventSource
    from mlops_core.domain.usecase import UseCase

    KeyValues = tuple[Any, ...]  # Any: integers and strings, and null in a spine

__all__ = ["MemoryOfflineStore"]


class MemoryOfflineStore(CanonicalFiles):
    """`mlops_core.ports.OfflineStore` by brute force, for tests and for very small data."""

    def spine(
        self, use_case: UseCase, events: Path, at: Sequence[datetime], *, as_known_at: datetime | None = None
    ) -> pa.Table:
        """See `OfflineStore.spine`."""
        source, names = label_source(use_case), use_case.entity.keys
        rows, schema = _read(use_case, source, events, as_known_at)
        recorded = source.created_timestamp is not None
        found = [
            (moment, key)
            for moment in sorted(set(map(micros, at)))
            for key in sorted(_by_key(_seen(rows, source, moment, recorded=recorded), names))
        ]
        keys = {
            name: pa.array([key[place] for _, key in found], schema.field(name).type)
            for place, name in enumerate(names)
        }
        return spine_table(keys, pa.array([moment for moment, _ in found], pa.int64()))

    def features(
        self,
        use_case: UseCase,
        events: Mapping[str, Path],
        spine: pa.Table,
        *,
        as_known_at: datetime | None = None,
    ) -> pa.Table:
        """See `OfflineStore.features`."""
        asked = Spine.of(spine, use_case.entity.keys)
        found: dict[str, pa.Array] = {}
        for group in feature_groups(use_case):
            path = events_of(events, group.source.name)
            rows, schema = _read(use_case, group.source, path, as_known_at)
            found |= _features(group, rows, schema, asked)
        return asked.with_columns({name: found[name] for name in use_case.joined_names})

    def labels(
        self, use_case: UseCase, events: Path, spine: pa.Table, *, as_known_at: datetime | None = None
    ) -> pa.Table:
        """See `OfflineStore.labels`."""
        asked = Spine.of(spine, use_case.entity.keys)
        source, names = label_source(use_case), use_case.entity.keys
        rows, schema = _read(use_case, source, events, as_known_at)
        by_key = _by_key(_last_versions(rows), names)
        label = use_case.label
        horizon = ticks(label.horizon)
        seen_ahead = [
            [row for row in by_key.get(key, []) if moment < row.happened <= moment + horizon]
            for key, moment in _asked(asked, [(name, name) for name in names], schema, source)
        ]
        if isinstance(label, SumWithin):
            sums = pa.array([total(label, rows) for rows in seen_ahead], pa.float64())
            return asked.with_columns({label.name: sums})
        return asked.with_columns({label.name: pa.array([int(not rows) for rows in seen_ahead], pa.int8())})


def _read(
    use_case: UseCase, source: EventSource, path: Path, as_known_at: datetime | None
) -> tuple[list[Row], pa.Schema]:
    """The rows there were at `as_known_at`, and the columns' types."""
    schema = events_schema(path, columns_of(use_case, source).names)
    table = pq.read_table(path)
    happened = _micros(table, source.event_timestamp)
    created = _micros(table, source.created_timestamp) if source.created_timestamp else [None] * len(happened)
    rows = [
        Row(values, at, written, values[source.event_id] if source.event_id else None)
        for values, at, written in zip(table.to_pylist(), happened, created, strict=True)
    ]
    if as_known_at is None or source.created_timestamp is None:
        return rows, schema
    return [row for row in rows if row.written <= micros(as_known_at)], schema


def _micros(table: pa.Table, column: str) -> list[int]:
    found: list[int] = pc.cast(table[column], pa.int64()).to_pylist()
    return found


def _seen(rows: Iterable[Row], source: EventSource, moment: int, *, recorded: bool) -> list[Row]:
    """The events that may be seen at `moment`."""
    there = [row for row in rows if not recorded or row.written <= moment]
    return [row for row in _last_versions(there) if row.happened + ticks(source.delay) <= moment]


def _last_versions(rows: Iterable[Row]) -> list[Row]:
    """Of rows with the same event id the one recorded last; a row without an id is an event of its own."""
    found: dict[object, Row] = {}
    for place, row in enumerate(rows):
        event = ("event", row.event_id) if row.event_id is not None else ("row", place)
        if event not in found or row.written > found[event].written:
            found[event] = row
    return list(found.values())


def _by_key(rows: Iterable[Row], names: Sequence[str]) -> dict[KeyValues, list[Row]]:
    found: dict[KeyValues, list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row.values[name] for name in names), []).append(row)
    return found


def _asked(
    asked: Spine, keys: Iterable[tuple[str, str]], schema: pa.Schema, source: EventSource
) -> list[tuple[KeyValues, int]]:
    """Key and instant of every row of the spine, in the source's types; a key with a null is in no source."""
    columns = [
        asked.key_like(mine, schema.field(theirs).type, source.name).to_pylist() for mine, theirs in keys
    ]
    return list(zip(zip(*columns, strict=True), asked.moments.to_pylist(), strict=True))


def _features(group: FeatureGroup, rows: list[Row], schema: pa.Schema, asked: Spine) -> dict[str, pa.Array]:
    names = [theirs for _, theirs in group.keys]
    spine = _asked(asked, group.keys, schema, group.source)
    seen = {
        moment: _by_key(_seen(rows, group.source, moment, recorded=group.recorded), names)
        for moment in {moment for _, moment in spine}
    }
    found: dict[str, pa.Array] = {}
    for feature in group.features:
        value = _calculation(feature, group)
        values = [value(moment, seen[moment].get(key, [])) for key, moment in spine]
        found[feature.name] = pa.array(values, _type_of(feature, schema))
    return found


def _calculation(feature: AnyFeature, group: FeatureGroup) -> Callable[[int, list[Row]], float | None]:
    if isinstance(feature, Latest):
        return lambda moment, rows: latest_value(feature, group.ttl, moment, rows)
    return lambda moment, rows: value_of(feature, moment, rows)


def _type_of(feature: AnyFeature, schema: pa.Schema) -> pa.DataType:
    whole = isinstance(feature, Count | CountDistinct)
    if isinstance(feature, Latest):
        kind = schema.field(feature.column).type
        whole = pa.types.is_integer(kind) or pa.types.is_boolean(kind)
    return pa.int64() if whole else pa.float64()
