"""Tables of several files as one: columns of one kind are brought to one type, other differences refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from mlops_core.adapters.feature_store.values import plain
from mlops_core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_core.adapters.feature_store.instants import Column

__all__ = ["unified"]

_UNITS = ("s", "ms", "us", "ns")


def unified(tables: Mapping[str, pa.Table], source: str) -> pa.Table:
    """The rows of all tables (by file name), in order; each has the same columns.

    Integers may differ in width, floats and decimals in precision, timestamps in unit and zone, text in
    layout. Raises `DataError` that names the file, the column and both types for any other difference.
    """
    first = next(iter(tables.values()))
    columns = {name: _column(name, tables, source) for name in first.column_names}
    return pa.table(columns)


def _kind(kind: pa.DataType) -> str:
    """What a column of this type holds, whatever its width; a type's own name for those of no kind here."""
    kinds = {
        "null": pa.types.is_null, "integer": pa.types.is_integer, "float": pa.types.is_floating,
        "decimal": pa.types.is_decimal, "boolean": pa.types.is_boolean, "date": pa.types.is_date,
        "timestamp": pa.types.is_timestamp,
    }  # fmt: skip
    found = next((name for name, holds in kinds.items() if holds(kind)), str(kind))
    return "text" if kind in (pa.string(), pa.large_string(), pa.string_view()) else found


def _column(name: str, tables: Mapping[str, pa.Table], source: str) -> Column:
    parts = {label: plain(table.column(name)) for label, table in tables.items()}
    types = {label: part.type for label, part in parts.items() if not pa.types.is_null(part.type)}
    if len(set(types.values())) < 2 and len(types) == len(parts):
        return _joined(list(parts.values()))
    wanted = _common(name, types, source)
    done = []
    for label, part in parts.items():
        try:
            done.append(part.cast(wanted))
        except pa.ArrowException as error:
            raise DataError(
                f"{source}: {name} of {label} is {part.type} and holds values that do not fit in {wanted}, "
                "which all files have in common. Write the file anew, then run again. Nothing was stored."
            ) from error
    return _joined(done)


def _common(name: str, types: Mapping[str, pa.DataType], source: str) -> pa.DataType:
    """One type for all; the first file's kind is the one expected."""
    if not types:
        return pa.null()
    first, expected = next(iter(types.items()))
    for label, kind in types.items():
        if _kind(kind) != _kind(expected):
            raise DataError(
                f"{source}: {name} is {kind} in {label} but {expected} in {first}. Write one of them anew, "
                "then run again. Nothing was stored."
            )
    return _widest(list(types.values()))


def _widest(types: Sequence[pa.DataType]) -> pa.DataType:
    match _kind(types[0]):
        case "integer":
            return pa.int64()
        case "float":
            return pa.float64()
        case "text":
            return pa.large_string()
        case "date":
            return pa.date32()
        case "decimal":
            scale = max(one.scale for one in types)
            whole = max(one.precision - one.scale for one in types)
            return pa.decimal128(min(38, whole + scale), scale)
        case "timestamp":
            unit = max((one.unit for one in types), key=_UNITS.index)
            return pa.timestamp(unit, "UTC")
        case _:
            return types[0]


def _joined(parts: Sequence[Column]) -> Column:
    return pa.chunked_array([chunk for part in parts for chunk in part.chunks], parts[0].type)
