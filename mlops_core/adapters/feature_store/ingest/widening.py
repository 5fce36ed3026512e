"""Stored and new events in one type a column, wherever no value changes by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from mlops_core.errors import DataError

if TYPE_CHECKING:
    from mlops_core.adapters.feature_store.instants import Column

__all__ = ["in_one_type"]

_DIGITS = 38  # of a decimal128
_INT64_DIGITS = 19


def in_one_type(stored: pa.Table, batch: pa.Table, source: str) -> pa.Table:
    """The rows of `stored`, then those of `batch`; both have the same columns.

    Raises `DataError` naming a column whose types hold no common one, or values that it would change.
    """
    columns = {}
    for name in stored.column_names:
        one, other = stored.column(name), batch.column(name)
        kind = _common(one, other)
        parts = [found for column in (one, other) if kind and (found := _exactly(column, kind)) is not None]
        if len(parts) < 2:
            raise DataError(
                f"{source}: {name} is {other.type} here but {one.type} in the events stored before, and no "
                "type holds all values of both. Give it the stored type, or ingest the whole history anew. "
                "Nothing was stored."
            )
        columns[name] = pa.chunked_array([chunk for part in parts for chunk in part.chunks], kind)
    return pa.table(columns)


def _common(one: Column, other: Column) -> pa.DataType | None:
    """The type for both columns; None when they are of different kinds."""
    if one.type == other.type:
        return one.type
    if other.null_count == len(other):
        return one.type
    if one.null_count == len(one):
        return other.type
    kinds = (one.type, other.type)
    if all(map(pa.types.is_decimal, kinds)) or (
        any(map(pa.types.is_decimal, kinds)) and any(map(pa.types.is_integer, kinds))
    ):
        return _decimal(*kinds)
    if any(map(pa.types.is_integer, kinds)) and any(map(pa.types.is_floating, kinds)):
        return pa.float64()
    return None


def _decimal(*kinds: pa.DataType) -> pa.DataType:
    """As many digits before and after the point as either has, within what a decimal can hold."""
    scales = [kind.scale if pa.types.is_decimal(kind) else 0 for kind in kinds]
    digits = [kind.precision if pa.types.is_decimal(kind) else _INT64_DIGITS for kind in kinds]
    whole = max(one - scale for one, scale in zip(digits, scales, strict=True))
    return pa.decimal128(min(_DIGITS, whole + max(scales)), max(scales))


def _exactly(column: Column, kind: pa.DataType) -> Column | None:
    """The column in that type; None when a value would change."""
    if column.null_count == len(column):
        return pa.chunked_array([pa.nulls(len(column), kind)])
    if column.type == kind:
        return column
    try:
        found = column.cast(kind)  # refuses integers that no float equals, and digits that do not fit
    except pa.ArrowException:
        return None
    back = found.cast(column.type)
    return found if pc.all(pc.equal(back, column), min_count=0).as_py() else None
