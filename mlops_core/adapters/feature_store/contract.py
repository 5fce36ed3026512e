"""The contract of a source's events: rows that meet it become canonical, any other is refused.

Every rule is checked over whole columns, and one error names every rule that is broken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mlops_core.adapters.feature_store.instants import TIMESTAMP, Column, Converted, instants
from mlops_core.adapters.feature_store.values import distinct, key, numeric
from mlops_core.adapters.feature_store.violations import Violations

if TYPE_CHECKING:
    from mlops_core.adapters.feature_store.columns import SourceColumns

__all__ = ["canonical_events"]

_KEY = "an integer or a string"
_TIME = "a timestamp, a date or ISO 8601 text"
_NUMBER = "a number (integer, float or decimal)"
_DISTINCT = "an integer, string, boolean, date, timestamp or decimal"


def canonical_events(table: pa.Table, columns: SourceColumns, *, text: bool) -> pa.Table:
    """`table` as canonical events (see `mlops_core.ports.OfflineStore`), in an order of content alone.

    `text` says that all columns come from CSV, as text. Raises `DataError` with every broken rule.
    """
    violations = Violations(columns.source, table.num_rows)
    arrays = [_checked(name, table.column(name), columns, violations, text=text) for name in columns.names]
    violations.raise_if_any()
    events = pa.table(arrays, names=list(columns.names))
    order = pc.sort_indices(events, sort_keys=[(name, "ascending") for name in columns.names])
    return events.take(order)


def _checked(
    name: str, column: Column, columns: SourceColumns, violations: Violations, *, text: bool
) -> Column:
    if isinstance(column.type, pa.DictionaryType):
        column = column.cast(column.type.value_type)
    never_null = name == columns.key or name in columns.timestamps
    if never_null:
        violations.of_rows(name, "is null", np.asarray(pc.is_null(column)))
    found: Converted | None = None
    for expected, converted in _readings(name, column, columns, text=text):
        if converted is None:
            came = "text that is numbers with fractions" if text and name == columns.key else column.type
            violations.of_column(f"{name} must be {expected}, found {came}")
            return column
        found = found or converted
    assert found is not None  # noqa: S101 - every column of `names` is read as something
    for rule, broken in found.broken:
        violations.of_rows(name, rule, broken)
    return found.values


def _readings(
    name: str, column: Column, columns: SourceColumns, *, text: bool
) -> list[tuple[str, Converted | None]]:
    """What the column is read as, most particular first, each with what that takes."""
    readings: list[tuple[str, Converted | None]] = []
    if name == columns.key:
        readings.append((_KEY, key(column, text=text)))
    if name in columns.timestamps:
        found = instants(column)
        readings.append((_TIME, found and Converted(found.values.cast(TIMESTAMP), found.broken)))
    if name in columns.numeric:
        readings.append((_NUMBER, numeric(column, text=text)))
    if name in columns.distinct:
        # Numbers in text are told apart as numbers where they are also read as numbers.
        source = readings[0][1].values if readings and readings[0][1] else column
        readings.append((_DISTINCT, distinct(source)))
    return readings
