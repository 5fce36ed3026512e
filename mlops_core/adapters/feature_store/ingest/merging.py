"""Upserts and expiry of canonical events, over whole columns.

The rows of both files are sorted by content with the stored ones first among equals; what replaces what is
then a matter of neighbours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from mlops_core.adapters.feature_store.canonical import read_events, write_events
from mlops_core.adapters.feature_store.columns import columns_of
from mlops_core.adapters.feature_store.ingest.duplicates import identities
from mlops_core.adapters.feature_store.ingest.expiry import unseen_from
from mlops_core.adapters.feature_store.ingest.ordering import Groups, order_of, taken
from mlops_core.adapters.feature_store.ingest.widening import in_one_type
from mlops_core.domain.history import Merged

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from numpy.typing import NDArray

    from mlops_core.adapters.feature_store.columns import SourceColumns
    from mlops_core.domain.sources import EventSource
    from mlops_core.domain.usecase import UseCase

    Mask = NDArray[np.bool_]

__all__ = ["merge_files"]


def merge_files(
    use_case: UseCase,
    source: EventSource,
    stored: Path,
    batch: Path | None,
    into: Path,
    keep_from: datetime | None = None,
) -> Merged:
    """Write the events of `stored` with those of `batch` to `into`; see `OfflineStore.merge`.

    Raises `DataError` when a column's types cannot be brought together without loss.
    """
    columns = columns_of(use_case, source)
    events = read_events(stored, columns.names)
    before = events.num_rows
    if batch is not None:
        events = in_one_type(events, read_events(batch, columns.names), columns.source)
    order = order_of(events, columns.names)
    events = taken(events, order)
    new = order >= before
    keep = _united(events, new, columns)
    if keep_from is not None:
        kept = np.flatnonzero(keep)
        gone = unseen_from(events.filter(pa.array(keep)), use_case, source, columns, keep_from)
        keep[kept[gone]] = False
    changed = Merged(added=int(np.sum(keep & new)), removed=int(np.sum(~keep & ~new)))
    write_events(events.filter(pa.array(keep)), into)
    return changed


def _united(events: pa.Table, new: Mask, columns: SourceColumns) -> Mask:
    """Which rows stay: of rows that are equal throughout, those that were stored."""
    if not new.any():
        return np.ones(len(new), dtype=np.bool_)
    equal = Groups.of(events, columns.names, columns.names)
    named = identities(columns)
    if not named:
        return _as_often(equal, new)
    twice = new & ~equal.is_first
    again = np.append(twice[1:], False)  # stored, and the batch has the very same
    keep = ~twice
    for name in named:
        groups = Groups.of(events, name, columns.names)
        keep &= new | again | ~groups.any(new)
    return keep


def _as_often(equal: Groups, new: Mask) -> Mask:
    """Stored rows and, of the new ones, as many as there are more of than were stored."""
    number = equal.number
    old = np.bincount(number, weights=~new, minlength=equal.count).astype(np.int64)
    place = np.arange(len(new)) - equal.starts[number]  # stored rows stand first
    return ~new | (place - old[number] >= old[number])
