"""Rows with an event id: of those with the same id the one recorded last stands for the others.

So a row is there from when it was recorded until the next version of its event is, and the newest row of a
key can go again: with a correction that moves it in time, or to another key.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mlops_core.adapters.feature_store.newest.keys import changes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mlops_core.adapters.feature_store.instants import Column

    Numbers = NDArray[np.int64]

__all__ = ["ALWAYS", "NEVER_THERE", "newest_by_step", "replaced_at"]

ALWAYS = np.iinfo(np.int64).max
NEVER_THERE = np.iinfo(np.int64).min


def replaced_at(ids: Column, created: Numbers, known: int | None) -> Numbers:
    """Per row when the next version of its event was recorded, `ALWAYS` for the last one.

    Versions recorded after `known` do not exist, and of two recorded at the same time the first stands. What
    is not there at all has `NEVER_THERE`.
    """
    found = np.full(len(created), NEVER_THERE)
    there = np.arange(len(created)) if known is None else np.flatnonzero(created <= known)
    codes = np.asarray(_plain(pc.dictionary_encode(ids)).indices, dtype=np.int64)
    order = there[np.lexsort((created[there], codes[there]))]
    order = order[changes(codes[order], created[order])]
    until = np.full(len(order), ALWAYS)
    same = codes[order[1:]] == codes[order[:-1]]
    until[:-1][same] = created[order[1:]][same]
    found[order] = until
    return found


def newest_by_step(visible: Numbers, until: Numbers) -> Iterator[tuple[int, int]]:
    """For rows of one key in order: (from when on, which row is the newest one there), -1 for none."""
    spans = [
        span
        for span in enumerate(zip(visible.tolist(), until.tolist(), strict=True))
        if span[1][0] < span[1][1]
    ]
    changed = [(since, row, True) for row, (since, _) in spans]
    changed += [(end, row, False) for row, (_, end) in spans if end != ALWAYS]
    changed.sort()
    there: list[int] = []
    for place, (moment, row, comes) in enumerate(changed):
        if comes:
            insort(there, row)
        else:
            there.pop(bisect_left(there, row))
        if place + 1 == len(changed) or changed[place + 1][0] != moment:
            yield moment, there[-1] if there else -1


def _plain(column: Column) -> Column:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
