"""Which events no feature can see any more.

For every T at or after an instant, each row that goes is out of sight of all features over its source:

- aggregates: it happened at or before `T - offset - window` of the widest of them;
- latest values: it is older than the ttl at that instant, or another row of its key, which no correction
  takes back, is newer and was visible by then already;
- the label looks ahead, so it needs nothing earlier, but its source keeps the first visible event of each
  entity, by which the entity is known.

A corrected event goes when its correction was visible by the instant. What corrects an event stays as long as
any version of it does: else that one would count again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from mlops_core.adapters.feature_store.columns import source_keys
from mlops_core.adapters.feature_store.ingest.ordering import Groups
from mlops_core.adapters.feature_store.instants import micros
from mlops_core.domain.features import Latest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from mlops_core.adapters.feature_store.columns import SourceColumns
    from mlops_core.domain.sources import EventSource
    from mlops_core.domain.usecase import UseCase
    from mlops_core.domain.views import FeatureView

    Mask = NDArray[np.bool_]

__all__ = ["unseen_from"]

_TICK = timedelta(microseconds=1)
_NEVER = np.iinfo(np.int64).max


def unseen_from(
    events: pa.Table, use_case: UseCase, source: EventSource, columns: SourceColumns, keep_from: datetime
) -> Mask:
    """Marks the canonical `events` that no feature of `use_case` can see at `keep_from` or later."""
    views = [view for view in use_case.views if view.source == source.name]
    labelled = source.name == use_case.label.source
    if not (views or labelled) or not events.num_rows:
        return np.zeros(events.num_rows, dtype=np.bool_)
    history = _History(events, source, columns, micros(keep_from))
    gone = history.happened <= history.keep_from  # a label may look at any that happened later
    for view in views:
        gone &= (
            _unseen_latest(view, source_keys(use_case, view), history)
            if view.latest
            else _left(view, history)
        )
    if labelled:
        gone &= ~history.first_seen(use_case.entity.keys)
    return history.corrected | (gone & ~history.versions_with(~gone & ~history.corrected))


class _History:
    """Events with what is asked of them again and again; instants in microseconds since 1970."""

    def __init__(self, events: pa.Table, source: EventSource, columns: SourceColumns, keep_from: int) -> None:
        self.events = events
        self.keep_from = keep_from
        self.names = columns.names
        self.timestamps = columns.timestamps
        self.happened = _micros(events, source.event_timestamp)
        recorded = source.created_timestamp
        self.recorded = None if recorded is None else _micros(events, recorded)
        from_ = self.happened + source.delay // _TICK
        self.visible = from_ if self.recorded is None else np.maximum(from_, self.recorded)
        self.seen = self.visible <= keep_from
        self._versions = None
        self.final = np.ones(len(self.seen), dtype=np.bool_)
        self.corrected = np.zeros(len(self.seen), dtype=np.bool_)
        if source.event_id is not None:
            self._versions = self.groups([source.event_id], then=[recorded] if recorded else [])
            self.final = self._unmatched(np.ones_like(self.final))
            self.corrected = ~self._unmatched(self.seen)

    def groups(self, by: Sequence[str], then: Sequence[str]) -> Groups:
        """Events that are equal in columns `by`."""
        return Groups.of(self.events, by, self.names, then=then)

    def versions_with(self, mask: Mask) -> Mask:
        """Marks all versions of every event of which any is marked; without event ids, nothing."""
        return np.zeros_like(mask) if self._versions is None else self._versions.any(mask)

    def first_seen(self, keys: Sequence[str]) -> Mask:
        """The event by which each entity is known first, with all that a correction may yet take back."""
        groups = self.groups(keys, then=())
        visible = groups.sorted(np.where(self.final, self.visible, _NEVER))
        earliest = np.minimum.reduceat(visible, groups.starts)[groups.number]
        places = np.where((visible == earliest) & (visible < _NEVER), np.arange(len(visible)), _NEVER)
        first = np.minimum.reduceat(places, groups.starts)
        found = np.zeros_like(self.seen)
        found[first[first < _NEVER]] = True
        return groups.by_row(found) | ~(self.final | self.corrected)

    def _unmatched(self, mask: Mask) -> Mask:
        """Versions after which no marked one of the same event was recorded."""
        if self._versions is None or self.recorded is None:
            return np.ones_like(mask)
        recorded = self._versions.sorted(self.recorded)
        last = self._versions.last(mask)
        return self._versions.by_row((last < 0) | (recorded[last] <= recorded))


def _left(view: FeatureView, history: _History) -> Mask | bool:
    """Events that every aggregate of the view has left behind."""
    widest = 0
    for feature in view.features:
        if isinstance(feature, Latest) or feature.window is None:
            return False
        widest = max(widest, (feature.window + feature.offset) // _TICK)
    return history.happened <= history.keep_from - widest


def _unseen_latest(view: FeatureView, keys: Sequence[str], history: _History) -> Mask:
    """Rows too old, or behind a newer one that stays: the one that is last of those visible and final."""
    groups = history.groups(keys, then=history.timestamps)
    happened = groups.sorted(history.happened)
    last = groups.last(history.seen & history.final)
    newer = happened[last] > happened
    if history.recorded is not None:
        recorded = groups.sorted(history.recorded)
        newer |= (happened[last] == happened) & (recorded[last] > recorded)
    gone = groups.by_row((last >= 0) & newer)
    if view.ttl is not None:
        gone |= history.happened < history.keep_from - view.ttl // _TICK
    return gone


def _micros(events: pa.Table, name: str) -> NDArray[np.int64]:
    return np.asarray(events.column(name).cast(pa.int64()), dtype=np.int64)
