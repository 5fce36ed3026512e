"""The offline store in plain Python: every row looks at every event. Slow, and plainly right: the oracle."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from mlops_core.adapters.feature_store.canonical import events_schema
from mlops_core.adapters.feature_store.columns import columns_of, feature_groups, label_source
from mlops_core.adapters.feature_store.ingestion import ingest_file
from mlops_core.adapters.feature_store.instants import micros
from mlops_core.adapters.feature_store.spine import Spine, events_of, spine_table
from mlops_core.domain.features import Count, CountDistinct, Max, Mean, Min, Since, Span, Sum

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from mlops_core.domain.features import AnyFeature
    from mlops_core.domain.sources import EventSource
    from mlops_core.domain.usecase import UseCase

__all__ = ["MemoryOfflineStore"]

_DAY = 86_400_000_000


@dataclass(frozen=True)
class _Event:
    """An event: its values by column, when it happened and from when on it may be seen."""

    values: Mapping[str, Any]  # Any: a value of whatever type its column has
    happened: int
    visible: int


class MemoryOfflineStore:
    """`mlops_core.ports.OfflineStore` by brute force, for tests and for very small data."""

    def ingest(self, use_case: UseCase, source: EventSource, path: Path, into: Path) -> None:
        """See `OfflineStore.ingest`."""
        ingest_file(use_case, source, path, into)

    def spine(self, use_case: UseCase, events: Path, at: Sequence[datetime]) -> pa.Table:
        """See `OfflineStore.spine`; `events` are those of the label's source."""
        by_key, kind = _read(use_case, label_source(use_case), events, recorded=True)
        rows = [
            (moment, key)
            for moment in sorted(set(map(micros, at)))
            for key in sorted(by_key)
            if any(event.visible <= moment for event in by_key[key])
        ]
        keys = pa.array([key for _, key in rows], kind)
        return spine_table(use_case.entity.key, keys, pa.array([moment for moment, _ in rows], pa.int64()))

    def features(self, use_case: UseCase, events: Mapping[str, Path], spine: pa.Table) -> pa.Table:
        """See `OfflineStore.features`."""
        asked = Spine.of(spine, use_case.entity.key)
        found: dict[str, pa.Array[Any]] = {}
        for group in feature_groups(use_case):
            path = events_of(events, group.source.name)
            by_key, kind = _read(use_case, group.source, path, recorded=group.recorded)
            rows = _rows(asked, kind, group.source)
            for feature in group.features:
                values = [_value(feature, moment, by_key.get(key, [])) for key, moment in rows]
                integers = isinstance(feature, Count | CountDistinct)
                found[feature.name] = pa.array(values, pa.int64() if integers else pa.float64())
        return asked.with_columns({name: found[name] for name in use_case.feature_names})

    def labels(self, use_case: UseCase, events: Path, spine: pa.Table) -> pa.Table:
        """See `OfflineStore.labels`; `events` are those of the label's source."""
        asked = Spine.of(spine, use_case.entity.key)
        source = label_source(use_case)
        by_key, kind = _read(use_case, source, events, recorded=False)
        horizon = use_case.label.horizon // timedelta(microseconds=1)
        labels = [
            int(not any(moment < event.happened <= moment + horizon for event in by_key.get(key, [])))
            for key, moment in _rows(asked, kind, source)
        ]
        return asked.with_columns({use_case.label.name: pa.array(labels, pa.int8())})


def _read(
    use_case: UseCase, source: EventSource, path: Path, *, recorded: bool
) -> tuple[dict[Any, list[_Event]], pa.DataType]:
    """Events by key, and the keys' type."""
    schema = events_schema(path, columns_of(use_case, source).names)
    created = source.created_timestamp if recorded else None
    by_key: dict[Any, list[_Event]] = {}
    for row in pq.read_table(path).to_pylist():
        happened = micros(row[source.event_timestamp])
        visible = max(happened, micros(row[created])) if created else happened
        by_key.setdefault(row[use_case.entity.key], []).append(_Event(row, happened, visible))
    return by_key, schema.field(use_case.entity.key).type


def _rows(asked: Spine, kind: pa.DataType, source: EventSource) -> list[tuple[Any, int]]:
    keys = asked.keys_like(kind, source.name).to_pylist()
    return list(zip(keys, asked.moments.to_pylist(), strict=True))


def _value(feature: AnyFeature, moment: int, events: Sequence[_Event]) -> float | None:
    window = None if feature.window is None else feature.window // timedelta(microseconds=1)
    seen = [
        event
        for event in events
        if event.visible <= moment and (window is None or event.happened > moment - window)
    ]
    if isinstance(feature, Count):
        return len(seen)
    if isinstance(feature, Since | Span):
        return _days(feature, moment, sorted(event.happened for event in seen))
    values = [event.values[feature.column] for event in seen if event.values[feature.column] is not None]
    if isinstance(feature, CountDistinct):
        return len(set(values))
    return _number(feature, [Fraction(value) for value in values])


def _days(feature: Since | Span, moment: int, happened: Sequence[int]) -> float | None:
    if not happened:
        return None
    if isinstance(feature, Span):
        return (happened[-1] - happened[0]) / _DAY
    return (moment - happened[-1 if feature.event == "last" else 0]) / _DAY


def _number(feature: Sum | Mean | Min | Max, values: Sequence[Fraction]) -> float | None:
    if isinstance(feature, Sum):
        return float(sum(values))
    if not values:
        return None
    match feature:
        case Mean():
            return float(sum(values) / len(values))
        case Min():
            return float(min(values))
        case Max():
            return float(max(values))
