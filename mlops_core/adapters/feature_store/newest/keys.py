"""Keys as numbers: those of a spine numbered in ascending order, those of events looked up among them.

Strings are compared once per different value, integers once per run of equal ones, and a composite key is
numbered part by part, so that no two keys can collide, however their parts are written.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from mlops_core.adapters.feature_store.instants import Column

    Numbers = NDArray[np.int64]

__all__ = ["NumberedKeys", "changes"]


class NumberedKeys:
    """The different keys of a spine: `numbers` has that of each row, -1 for a key with a null part.

    Numbers ascend with the keys, compared part by part as canonical events are sorted.
    """

    def __init__(self, columns: Iterable[Column]) -> None:
        self._parts: list[Column] = []  # of each part, its different values in ascending order
        self._pairs: list[Numbers] = []  # of each part but the first, the different (key so far, part)
        self.numbers: Numbers = np.empty(0, np.int64)
        for column in columns:
            part = self._number_part(column)
            if len(self._parts) == 1:
                self.numbers = part
                continue
            paired = self._paired(self.numbers, part)
            self._pairs.append(np.unique(paired[paired >= 0]))
            self.numbers = _positions(self._pairs[-1], paired)

    @property
    def count(self) -> int:
        """How many different keys there are."""
        return len(self._pairs[-1] if self._pairs else self._parts[0])

    def any_between(self, low: int | str, high: int | str) -> bool:
        """Whether the first part of any key lies in [low, high]."""
        values = self._parts[0]
        start = bisect_left(range(len(values)), low, key=lambda place: values[place].as_py())
        return start < len(values) and values[start].as_py() <= high

    def find(self, columns: Sequence[Column]) -> Numbers:
        """The number of the key in each row of `columns`, -1 where the spine does not ask for it.

        Strings must be dictionary-encoded; there are no nulls.
        """
        plain = [_codes(column) for column in columns]
        starts = np.flatnonzero(changes(*plain))
        numbers: Numbers = np.empty(0, np.int64)
        for place, (column, codes) in enumerate(zip(columns, plain, strict=True)):
            part = self._find_part(place, column, codes[starts])
            numbers = (
                part if place == 0 else _positions(self._pairs[place - 1], self._paired(numbers, part, place))
            )
        return np.repeat(numbers, np.diff(starts, append=len(plain[0])))

    def _number_part(self, column: Column) -> Numbers:
        encoded = pc.dictionary_encode(column)
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.combine_chunks()
        values = encoded.dictionary
        order = np.asarray(pc.sort_indices(values), dtype=np.int64)
        ranks = np.empty(len(order) + 1, np.int64)
        ranks[order] = np.arange(len(order))
        ranks[-1] = -1  # a null's index is made -1, which is the last place
        self._parts.append(values.take(pa.array(order)))
        return ranks[np.asarray(pc.fill_null(encoded.indices, -1), dtype=np.int64)]

    def _find_part(self, place: int, column: Column, codes: Numbers) -> Numbers:
        values = self._parts[place]
        if not isinstance(column.type, pa.DictionaryType):
            return _positions(np.asarray(values), codes)
        found = pc.fill_null(pc.index_in(column.dictionary, values), -1)
        return np.asarray(found, dtype=np.int64)[codes]

    def _paired(self, before: Numbers, part: Numbers, place: int = -1) -> Numbers:
        paired = before * len(self._parts[place]) + part
        return np.where((before < 0) | (part < 0), -1, paired)


def changes(*columns: Numbers) -> NDArray[np.bool_]:
    """Whether a row differs from the one before it in any column; the first row does."""
    found = np.ones(len(columns[0]), np.bool_)
    np.not_equal(columns[0][1:], columns[0][:-1], out=found[1:])
    for column in columns[1:]:
        found[1:] |= column[1:] != column[:-1]
    return found


def _codes(column: Column) -> Numbers:
    codes: Any = column.indices if isinstance(column.type, pa.DictionaryType) else column
    return np.asarray(codes)


def _positions(values: Numbers, wanted: Numbers) -> Numbers:
    """Where each of `wanted` stands in ascending, different `values`; -1 where it does not."""
    if not len(values):
        return np.full(len(wanted), -1, np.int64)
    found = np.minimum(np.searchsorted(values, wanted), len(values) - 1)
    return np.where(values[found] == wanted, found, -1)
