"""Spines: the rows (key, `event_timestamp`) that features and labels are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mlops_core.adapters.feature_store import values
from mlops_core.adapters.feature_store.instants import TIMESTAMP, Column, instants
from mlops_core.adapters.feature_store.violations import Violations
from mlops_core.errors import BadInput, DataError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["EVENT_TIMESTAMP", "Spine", "events_of", "spine_table"]

EVENT_TIMESTAMP = "event_timestamp"


@dataclass(frozen=True)
class Spine:
    """A spine that was checked: keys as int64 or string (or null), moments as int64 microseconds UTC."""

    table: pa.Table
    key: str
    keys: Column
    moments: Column

    @classmethod
    def of(cls, table: pa.Table, key: str) -> Spine:
        """Check a spine. Raises `DataError` for missing columns, odd types and rows without a time."""
        for name in (key, EVENT_TIMESTAMP):
            if table.column_names.count(name) != 1:
                raise DataError(
                    f"a spine needs one column {name!r}, this one has {table.column_names}. "
                    f"Give it the columns {key!r} and {EVENT_TIMESTAMP!r}."
                )
        keys = values.key(_plain(table.column(key)))
        moments = instants(_plain(table.column(EVENT_TIMESTAMP)), up=False)
        if keys is None or moments is None:
            name, expected = (EVENT_TIMESTAMP, "timestamps") if keys else (key, "integers or strings")
            raise DataError(f"{name!r} of the spine must be {expected}, not {table.column(name).type}.")
        violations = Violations("the spine", table.num_rows)
        violations.of_rows(EVENT_TIMESTAMP, "is null", np.asarray(pc.is_null(moments.values)))
        for name, column in ((key, keys), (EVENT_TIMESTAMP, moments)):
            for rule, broken in column.broken:
                violations.of_rows(name, rule, broken)
        violations.raise_if_any()
        return cls(table, key, keys.values, moments.values)

    def keys_like(self, kind: pa.DataType, where: str) -> Column:
        """The keys in the events' type. Keys are typed: raises `DataError` when integers meet strings."""
        if pa.types.is_integer(self.keys.type) == pa.types.is_integer(kind) or self._all_null():
            return self.keys.cast(kind)
        raise DataError(
            f'{self.key!r} is {self.keys.type} in the spine but {kind} in the events of {where}, and "1" is '
            "not 1. Make both integers or both strings."
        )

    def _all_null(self) -> bool:
        return bool(self.keys.null_count == len(self.keys))

    def with_columns(self, columns: Mapping[str, Column]) -> pa.Table:
        """The spine as it came, with `columns` to its right. Raises `DataError` for a name it has already."""
        table = self.table
        taken = [name for name in columns if name in table.column_names]
        if taken:
            raise DataError(f"the spine has columns named {taken} already. Rename or drop them.")
        for name, column in columns.items():
            table = table.append_column(name, column)
        return table


def events_of(events: Mapping[str, Path], source: str) -> Path:
    """The events of a source, by name. Raises `BadInput` when they are not among those given."""
    if source not in events:
        raise BadInput(f"events of source {source!r} are needed; those of {sorted(events)} were given.")
    return events[source]


def spine_table(key: str, keys: Column, moments: Column) -> pa.Table:
    """A spine of keys and microseconds since 1970, UTC."""
    return pa.table({key: keys, EVENT_TIMESTAMP: moments.cast(TIMESTAMP)})


def _plain(column: Column) -> Column:
    return column.cast(column.type.value_type) if isinstance(column.type, pa.DictionaryType) else column
