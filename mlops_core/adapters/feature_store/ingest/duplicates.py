"""Rows that say the same thing twice: dropped when they agree, refused when they do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from mlops_core.adapters.feature_store.ingest.ordering import order_of, same_as_before, taken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mlops_core.adapters.feature_store.columns import SourceColumns
    from mlops_core.adapters.feature_store.ingest.violations import Violations
    from mlops_core.adapters.feature_store.instants import Column

__all__ = ["identities", "sorted_events"]


def identities(columns: SourceColumns) -> list[tuple[str, ...]]:
    """Which columns name a row: none for plain events, of which two may be equal and both count.

    Rows of features are named by a view's key and their timestamps, events with an id by that and when it was
    recorded.
    """
    found = [(*key, *columns.timestamps) for key in columns.unique]
    if columns.event_id is not None:
        found.append(tuple(filter(None, (columns.event_id, columns.created_timestamp))))
    return found


def sorted_events(arrays: dict[str, Column], columns: SourceColumns, violations: Violations) -> pa.Table:
    """The rows that break nothing, in canonical order and without duplicates of rows that have a name.

    Rows of one name that are not equal are added to `violations`, and are not there either.
    """
    table, rows = pa.table(arrays), None
    if violations.broken.any():
        rows = np.flatnonzero(~violations.broken)
        table = taken(table, rows)
    order = order_of(table, columns.names)
    events = taken(table, order)
    del table
    named = identities(columns)
    if not named:
        return events
    keep = ~same_as_before(events, columns.names)
    if not keep.all():
        events, order = events.filter(pa.array(keep)), order[keep]
    conflicting = np.zeros(events.num_rows, dtype=np.bool_)
    for name in named:
        mask = _alike(events, name, columns.names)
        if mask.any():
            conflicting |= mask
            broken = np.zeros(len(violations.broken), dtype=np.bool_)
            broken[order[mask] if rows is None else rows[order[mask]]] = True
            violations.of_rows(", ".join(name), "are equal but the rest differs", broken)
    return events.filter(pa.array(~conflicting)) if conflicting.any() else events


def _alike(events: pa.Table, name: Sequence[str], canonical: Sequence[str]) -> NDArray[np.bool_]:
    """Which rows share their name with another one."""
    found = np.zeros(events.num_rows, dtype=np.bool_)
    order = None
    if tuple(name) != tuple(canonical[: len(name)]):  # else they stand together as they are
        order = order_of(events, name)
        events = taken(events.select(list(name)), order)
    again = np.flatnonzero(same_as_before(events, name))
    both = np.concatenate([again, again - 1])
    found[both if order is None else order[both]] = True
    return found
