"""Spines: the rows (key, `event_timestamp`) that features and labels are asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mlops_core.adapters.feature_store import values
from mlops_core.adapters.feature_store.ingest.violations import Violations
from mlops_core.adapters.feature_store.instants import TIMESTAMP, Column, instants
from mlops_core.adapters.feature_store.sql.events import in_micros
from mlops_core.errors import BadInput, DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import timedelta
    from pathlib import Path

__all__ = ["EVENT_TIMESTAMP", "Spine", "events_of", "spine_table"]

EVENT_TIMESTAMP = "event_timestamp"


@dataclass(frozen=True)
class Spine:
    """A spine that was checked: keys as int64 or string (or null), moments as int64 microseconds UTC."""

    table: pa.Table
    keys: Mapping[str, Column]
    moments: Column

    @classmethod
    def of(cls, table: pa.Table, keys: Iterable[str]) -> Spine:
        """Check a spine. Raises `DataError` for missing columns, odd types and rows without a time."""
        wanted = (*keys, EVENT_TIMESTAMP)
        for name in wanted:
            if table.column_names.count(name) != 1:
                raise DataError(
                    f"a spine needs one column {name!r}, this one has {table.column_names}. "
                    f"Give it the columns {', '.join(map(repr, wanted))}."
                )
        violations = Violations("the spine", table.num_rows)
        found = {name: _key(table, name, violations) for name in wanted[:-1]}
        moments = instants(_plain(table.column(EVENT_TIMESTAMP)), up=False)
        if moments is None:
            raise _wrong_type(table, EVENT_TIMESTAMP, "timestamps")
        violations.of_rows(EVENT_TIMESTAMP, "is null", np.asarray(pc.is_null(moments.values)))
        for rule, broken in moments.broken:
            violations.of_rows(EVENT_TIMESTAMP, rule, broken)
        violations.raise_if_any()
        return cls(table, found, moments.values)

    def key_like(self, name: str, kind: pa.DataType, where: str) -> Column:
        """A key column in the events' type. Keys are typed: raises `DataError` when integers meet strings."""
        column = self.keys[name]
        if pa.types.is_integer(column.type) == pa.types.is_integer(kind) or column.null_count == len(column):
            return column.cast(kind)
        raise DataError(
            f'{name!r} is {column.type} in the spine but {kind} in the events of {where}, and "1" is '
            "not 1. Make both integers or both strings."
        )

    def ahead(self, span: timedelta) -> Spine:
        """The same keys at moments that lie `span` later; `table` stays as it came."""
        return replace(self, moments=pc.add(self.moments, in_micros(span)))

    def with_columns(self, columns: Mapping[str, Column]) -> pa.Table:
        """The spine as it came, with `columns` to its right. Raises `DataError` for a name it has already."""
        table = self.table
        taken = [name for name in columns if name in table.column_names]
        if taken:
            raise DataError(f"the spine has columns named {taken} already. Rename or drop them.")
        for name, column in columns.items():
            table = table.append_column(name, column)
        return table


def _key(table: pa.Table, name: str, violations: Violations) -> Column:
    found = values.key(_plain(table.column(name)))
    if found is None:
        raise _wrong_type(table, name, "integers or strings")
    for rule, broken in found.broken:
        violations.of_rows(name, rule, broken)
    return found.values


def _wrong_type(table: pa.Table, name: str, expected: str) -> DataError:
    return DataError(f"{name!r} of the spine must be {expected}, not {table.column(name).type}.")


def events_of(events: Mapping[str, Path], source: str) -> Path:
    """The events of a source, by name. Raises `BadInput` when they are not among those given."""
    if source not in events:
        raise BadInput(f"events of source {source!r} are needed; those of {sorted(events)} were given.")
    return events[source]


def spine_table(keys: Mapping[str, Column], moments: Column) -> pa.Table:
    """A spine of key columns and microseconds since 1970, UTC."""
    return pa.table({**keys, EVENT_TIMESTAMP: moments.cast(TIMESTAMP)})


def _plain(column: Column) -> Column:
    return column.cast(column.type.value_type) if isinstance(column.type, pa.DictionaryType) else column
