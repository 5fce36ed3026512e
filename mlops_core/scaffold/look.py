"""What there is in a table of events, before anything was said about it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from mlops_core.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    import pyarrow as pa

    from mlops_core.domain.sources import ColumnType

__all__ = ["Column", "Look"]

_ID = re.compile(r"(^|[^a-z])(id|uuid|guid|key|no|nr|num|number|nummer|code)$|[a-z](Id|ID)$")


@dataclass(frozen=True)
class Column:
    """A column: its kind (None: no definition can read it), nulls, different values; bounds of numbers."""

    name: str
    kind: ColumnType | None
    rows: int
    nulls: int
    distinct: int
    low: float | None = None
    high: float | None = None

    @property
    def is_time(self) -> bool:
        """Whether it can say when something happened."""
        return self.kind in ("date", "timestamp")

    @property
    def is_number(self) -> bool:
        """Whether it can be summed."""
        return self.kind in ("integer", "number")

    @property
    def named_as_id(self) -> bool:
        """Whether its name says that it names something."""
        return bool(_ID.search(self.name.lower()) or _ID.search(self.name))

    @property
    def is_unique(self) -> bool:
        """Whether every row has a value of its own."""
        return not self.nulls and self.distinct == self.rows

    def __str__(self) -> str:
        said: list[str] = [self.kind or "of a type that no definition reads"]
        if self.nulls:
            said.append(f"{self.nulls / self.rows:.1%} null")
        if self.kind:
            said.append(f"{self.distinct:,} different")
        if self.low is not None and self.high is not None:
            said.append(f"{self.low:,g} to {self.high:,g}")
        return ", ".join(said)


@dataclass(frozen=True)
class Look:
    """The events at `path`, with the kinds of their columns as ingestion reads them."""

    path: Path
    table: pa.Table
    kinds: dict[str, ColumnType]

    @property
    def rows(self) -> int:
        """How many events there are."""
        rows: int = self.table.num_rows
        return rows

    @cached_property
    def columns(self) -> dict[str, Column]:
        """The columns by their names, in the order of the file."""
        return {name: self._column(name) for name in self.table.column_names}

    def _column(self, name: str) -> Column:
        values, kind = self.table.column(name), self.kinds.get(name)
        distinct = pc.count_distinct(values).as_py() if kind else 0
        low = high = None
        if kind in ("integer", "number"):
            bounds = pc.min_max(values).as_py()
            low, high = float(bounds["min"]), float(bounds["max"])
        return Column(name, kind, self.rows, values.null_count, distinct, low, high)

    def named(self, name: str, option: str) -> Column:
        """The column that an option names. Raises `BadInput` when there is none, with the nearest."""
        found = self.columns.get(name)
        if found is None:
            by_lower = {one.lower(): one for one in self.columns}
            close = get_close_matches(name.lower(), by_lower, n=1)
            hint = f"did you mean {by_lower[close[0]]!r}?" if close else ""
            there = ", ".join(map(repr, self.columns))
            raise BadInput(
                f"{option}: {self.path} has no column {name!r}: {hint or f'its columns are {there}'}"
            )
        return found

    def entities(self, keys: Sequence[str]) -> int:
        """How many different values the key has."""
        found: int = self.table.select(list(keys)).group_by(list(keys)).aggregate([]).num_rows
        return found

    def bounds(self, time: str) -> tuple[datetime, datetime]:
        """The first and the last instant of a time column."""
        found: dict[str, Any] = pc.min_max(self.table.column(time)).as_py()
        return found["min"], found["max"]

    def never_before(self, later: str, earlier: str) -> float:
        """The share of rows in which the time `later` is not before the time `earlier`."""
        rows = pc.greater_equal(self.table.column(later), self.table.column(earlier))
        return float(pc.mean(pc.fill_null(rows, False)).as_py())

    def after(self, time: str, moment: datetime) -> int:
        """How many rows lie after a moment."""
        return int(pc.sum(pc.greater(self.table.column(time), moment)).as_py() or 0)

    def duplicates(self) -> int:
        """How many rows are there already, in all that can be read."""
        names = list(self.kinds)
        return self.rows - int(self.table.select(names).group_by(names).aggregate([]).num_rows)
