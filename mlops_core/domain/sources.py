"""Where events come from, and whose they are."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, field_validator, model_validator

from mlops_core.domain.features import Name
from mlops_core.domain.rules import AnyRule
from mlops_core.domain.value import Value

if TYPE_CHECKING:
    import pyarrow as pa

    Data = Path | pa.Table | "Query"

__all__ = ["ColumnType", "Data", "Entity", "EventSource", "Query"]

ColumnType = Literal["integer", "number", "text", "boolean", "date", "timestamp"]


class Entity(Value):
    """Whom features describe; `key` is the column that tells one from another (integer or string).

    A composite key is a tuple of columns; only all of them together tell one entity from another.
    """

    name: Name
    key: str | tuple[str, ...] = Field(min_length=1)

    @property
    def keys(self) -> tuple[str, ...]:
        """The key columns, one or more."""
        return (self.key,) if isinstance(self.key, str) else self.key


class Query(Value):
    """Events as the result of a SQL query, in DuckDB's dialect, such as "SELECT * FROM 'orders/*.parquet'".

    It runs on this machine and may read files by their paths; relative ones start from the working directory.
    """

    sql: str = Field(min_length=1)


class EventSource(Value):
    """Rows of things that happened, one row an event; or rows of features, one row a key and time.

    `event_timestamp` is the column that says when it happened; `created_timestamp`, where there is one, when
    it was recorded. Timestamps may carry a zone (converted), be naive (taken as UTC) or be plain dates (the
    close of that day, see `mlops_core.domain.time`). An event is seen from `delay` after it happened on.

    `event_id` is a column that names an event, where events can be corrected: of rows with the same id the
    one recorded last counts, from when it was recorded on. It needs created timestamps.

    `path` is the default place of the rows: a Parquet or CSV file, a folder of such files or a glob; `query`
    is SQL in place of it. A run may name another. `append` says that what a run is given adds to the events
    stored before (`upsert`); otherwise it is the whole history each time.

    `columns` declares columns and their types, so that definitions can be checked against them when they are
    built. `rules` hold before anything is stored.
    """

    name: Name
    event_timestamp: str
    created_timestamp: str | None = None
    event_id: str | None = None
    delay: timedelta = timedelta(0)
    path: Path | None = None
    query: str | None = None
    append: bool = False
    columns: dict[str, ColumnType] | None = None
    rules: tuple[AnyRule, ...] = ()

    @field_validator("delay")
    @classmethod
    def _later(cls, delay: timedelta) -> timedelta:
        if delay < timedelta(0):
            raise ValueError(f"a delay makes events visible later: give zero or more, got {delay}")
        return delay

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = []
        if self.path is not None and self.query is not None:
            problems.append("has both path and query: give one")
        if self.event_id is not None and self.created_timestamp is None:
            problems.append("has an event_id but no created_timestamp to say which correction is the last")
        if problems:
            raise ValueError(f"source {self.name!r} {'; and '.join(problems)}")
        return self

    @property
    def data(self) -> Path | Query | None:
        """Where its rows lie unless a run says otherwise."""
        return Query(sql=self.query) if self.query is not None else self.path

    @property
    def semantics(self) -> EventSource:
        """The source without what says nothing about values: where rows lie, how they arrive, their rules."""
        changed = {"path": None, "query": None, "append": False, "columns": None, "rules": ()}
        return self.model_copy(update=changed)
