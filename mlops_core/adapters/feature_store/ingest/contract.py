"""The contract of a source's events: columns that meet it become canonical, rows that do not are found.

Every rule is checked over whole columns, so that one error can name every rule that is broken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mlops_core.adapters.feature_store import values
from mlops_core.adapters.feature_store.instants import TIMESTAMP, Column, Converted, instants, is_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mlops_core.adapters.feature_store.columns import SourceColumns
    from mlops_core.adapters.feature_store.ingest.reading import SourceRows
    from mlops_core.adapters.feature_store.ingest.violations import Violations
    from mlops_core.domain.sources import ColumnType

    _Reading = Callable[..., Converted | None]

__all__ = ["canonical_columns"]

_KEY = "an integer or a string"
_TIME = "a timestamp, a date or ISO 8601 text"
_NUMBER = "a number (integer, float or decimal)"
_BOOLEAN = "true or false"
_TEXT = "text"
_LATEST = "a number (integer, float or decimal), true or false"
_DISTINCT = "an integer, string, boolean, date, timestamp or decimal"

_DECLARED = {
    "integer": pa.types.is_integer,
    "number": lambda kind: any(
        holds(kind) for holds in (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    ),
    "text": is_text,
    "boolean": pa.types.is_boolean,
    "date": pa.types.is_date,
    "timestamp": pa.types.is_timestamp,
}


def canonical_columns(
    rows: SourceRows,
    columns: SourceColumns,
    declared: Mapping[str, ColumnType] | None,
    violations: Violations,
) -> dict[str, Column]:
    """Every stored column in its canonical type (see `OfflineStore`), rows as they came.

    What is broken goes to `violations`; values of broken rows mean nothing. `declared` are the types that
    the source says its columns have.
    """
    declared = declared or {}
    for name in columns.ruled:
        raw = values.plain(rows.table.column(name))
        found, _ = _declared(name, raw, declared.get(name), violations, text=rows.text)
        for rule, broken in found.broken:
            violations.of_rows(name, rule, broken)
    return {
        name: _checked(name, rows.table.column(name), columns, declared.get(name), violations, text=rows.text)
        for name in columns.names
    }


def _checked(
    name: str,
    column: Column,
    columns: SourceColumns,
    declared: ColumnType | None,
    violations: Violations,
    *,
    text: bool,
) -> Column:
    column = values.plain(column)
    never_null = name in (*columns.keys, *columns.timestamps, columns.event_id)
    if never_null:
        violations.of_rows(name, "is null", np.asarray(pc.is_null(column)))
    found, text = _declared(name, column, declared, violations, text=text)
    for expected, read in _readings(name, columns):
        converted = read(found.values, text=text)
        if converted is None:
            of_text = text and expected == _KEY
            came = "text that is numbers with fractions" if of_text else found.values.type
            violations.of_column(f"{name} must be {expected}, found {came}")
            return column
        known = dict(found.broken)
        new = (one for one in converted.broken if one[0] not in known)
        found, text = Converted(converted.values, (*found.broken, *new)), False
    for rule, broken in found.broken:
        violations.of_rows(name, rule, broken)
    return found.values


def _readings(name: str, columns: SourceColumns) -> Iterator[tuple[str, _Reading]]:
    """What the column is read as, most particular first; each reading sees what the one before made of it.

    So text that is read as a number and as something to tell apart is told apart as numbers.
    """
    if name in (*columns.keys, columns.event_id):
        yield _KEY, _text_key if name in columns.texts else values.key
    if name in columns.timestamps:
        yield _TIME, _moment
    if name in columns.numeric:
        yield _NUMBER, values.numeric
    if name in columns.booleans:
        yield _BOOLEAN, values.boolean
    if name in columns.texts:
        yield _TEXT, values.words
    if name in columns.latest:
        yield _LATEST, values.latest
    if name in columns.distinct:
        yield _DISTINCT, _told_apart


def _text_key(column: Column, *, text: bool) -> Converted | None:  # noqa: ARG001 - CSV or not, it stays text
    return values.key(column)


def _moment(column: Column, *, text: bool) -> Converted | None:  # noqa: ARG001 - text is read in any case
    found = instants(column)
    return found and Converted(found.values.cast(TIMESTAMP), found.broken)


def _told_apart(column: Column, *, text: bool) -> Converted | None:  # noqa: ARG001 - text stays text
    return values.distinct(column)


def _declared(
    name: str, column: Column, declared: ColumnType | None, violations: Violations, *, text: bool
) -> tuple[Converted, bool]:
    """The column, in CSV read as it is declared, and whether its text is still to be understood."""
    kind = column.type
    if text:
        match declared:
            case "integer":
                return values.whole(column), False
            case "number":
                return values.numeric(column, text=True) or Converted(column), False
            case "boolean":
                return values.boolean(column, text=True) or Converted(column), False
            case "text":
                return Converted(column), False
    elif declared is not None and not pa.types.is_null(kind) and not _DECLARED[declared](kind):
        violations.of_column(f"{name} is declared {declared}, found {kind}")
    return Converted(column), text
