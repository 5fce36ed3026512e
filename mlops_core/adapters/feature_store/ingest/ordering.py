"""Tables in the order of their content, and rows that are equal in some columns; nulls are equal here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Values = NDArray[Any]  # Any: of whatever type, which is also what comes back

__all__ = ["Groups", "order_of", "same_as_before", "taken"]

_PIECE = 2**31 - 1  # bytes
_ROWS = 65_536  # so many strings of 32 KiB on average are less than a piece


def order_of(table: pa.Table, names: Sequence[str]) -> NDArray[np.int64]:
    """Row numbers in ascending order of these columns, nulls last; equal rows stay in their order."""
    order = pc.sort_indices(table, sort_keys=[(name, "ascending") for name in names])
    return np.asarray(order).astype(np.int64, copy=False)


def taken(table: pa.Table, rows: NDArray[np.int64]) -> pa.Table:
    """These rows in this order.

    Arrow's `take` brings a column into one piece first, which text of more than 2 GiB does not fit in.
    """
    long = [
        one.name for one in table.schema if pa.types.is_string(one.type) and table[one.name].nbytes > _PIECE
    ]
    for name in long:
        place = table.column_names.index(name)
        table = table.set_column(place, name, table[name].cast(pa.large_string()))
    table = table.take(pa.array(rows))
    for name in long:
        column = table[name]
        parts = [column.slice(start, _ROWS).combine_chunks() for start in range(0, len(column), _ROWS)]
        pieces = pa.chunked_array([part.cast(pa.string()) for part in parts], pa.string())
        table = table.set_column(table.column_names.index(name), name, pieces)
    return table


def same_as_before(table: pa.Table, names: Sequence[str]) -> NDArray[np.bool_]:
    """For each row whether it equals the row before it in all these columns; False for the first."""
    same = np.ones(table.num_rows, dtype=np.bool_)
    same[:1] = False
    for name in names:
        column = table.column(name)
        one, other = column.slice(1), column.slice(0, max(0, len(column) - 1))
        equal = pc.fill_null(pc.equal(one, other), False)
        if column.null_count:
            equal = pc.or_(equal, pc.and_(pc.is_null(one), pc.is_null(other)))
        same[1:] &= np.asarray(equal, dtype=np.bool_)
    return same


@dataclass(frozen=True)
class Groups:
    """Rows of a table that are equal in some columns.

    `order` has the row numbers group by group, None where the table stands so already; `is_first` marks the
    first of each group in that order.
    """

    order: NDArray[np.int64] | None
    is_first: NDArray[np.bool_]

    @classmethod
    def of(
        cls, table: pa.Table, by: Sequence[str], canonical: Sequence[str], *, then: Sequence[str] = ()
    ) -> Groups:
        """Groups by columns `by`, in each the order of `then`; `table` is sorted by `canonical`."""
        wanted = (*by, *then)
        order = None
        if wanted != tuple(canonical[: len(wanted)]):
            order = order_of(table, wanted)
            table = taken(table.select(list(by)), order)
        return cls(order, ~same_as_before(table, by))

    @property
    def starts(self) -> NDArray[np.int64]:
        """Where each group begins in `order`."""
        return np.flatnonzero(self.is_first)

    @property
    def number(self) -> NDArray[np.int64]:
        """The number of the group at each place of `order`, from 0."""
        return np.cumsum(self.is_first) - 1

    @property
    def count(self) -> int:
        """How many groups there are."""
        return int(np.count_nonzero(self.is_first))

    def sorted(self, values: Values) -> Values:
        """Values by row as values by place in `order`."""
        return values if self.order is None else values[self.order]

    def by_row(self, values: Values) -> Values:
        """Values by place in `order` as values by row."""
        if self.order is None:
            return values
        found = np.empty_like(values)
        found[self.order] = values
        return found

    def any(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """For each row whether any row of its group is marked."""
        if not len(mask):
            return mask
        found = np.logical_or.reduceat(self.sorted(mask), self.starts)
        return self.by_row(found[self.number])

    def last(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """By place in `order`: the last place of a marked row in the same group, -1 where there is none."""
        if not len(mask):
            return np.empty(0, dtype=np.int64)
        places = np.where(self.sorted(mask), np.arange(len(mask)), -1)
        return np.maximum.reduceat(places, self.starts)[self.number]
