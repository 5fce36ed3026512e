"""Features: aggregates over an entity's own events, exact at every spine timestamp.

For a spine row (key, T) an aggregate sees the events of that key with `T - offset - window < t <= T - offset`
(no window: all with `t <= T - offset`; no offset: 0), t being the event timestamp, of which those count that
may be seen at T (`FeatureView.visibility`) and meet every condition of `where`. A latest value sees those
with `T - ttl <= t <= T`. Nothing later than T can be named, so a feature that reads the future cannot be
written down. Every tie, null and edge has its rule in docs/point-in-time.md.
"""

from __future__ import annotations

from dataclasses import field
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, field_validator
from pydantic.dataclasses import dataclass

from mlops_core.domain.conditions import Where

__all__ = [
    "AnyFeature",
    "ColumnFeature",
    "Count",
    "CountDistinct",
    "Feature",
    "First",
    "Last",
    "Latest",
    "Max",
    "Mean",
    "Min",
    "Name",
    "Since",
    "Span",
    "StdDev",
    "Sum",
]

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=63)]


# A dataclass, unlike a model, takes its name and column by position: a definition reads as a list.
_CONFIG = ConfigDict(extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True, config=_CONFIG)
class Feature:
    """What all aggregates have: a name and, unless it looks at all of all history, what it looks at."""

    name: Name
    window: timedelta | None = field(default=None, kw_only=True)
    offset: timedelta = field(default=timedelta(0), kw_only=True)
    where: Where | tuple[Where, ...] = field(default=(), kw_only=True)

    @field_validator("window")
    @classmethod
    def _positive(cls, window: timedelta | None) -> timedelta | None:
        if window is not None and window <= timedelta(0):
            raise ValueError(f"a window reaches back: give more than zero, got {window}")
        return window

    @field_validator("offset")
    @classmethod
    def _back(cls, offset: timedelta) -> timedelta:
        if offset < timedelta(0):
            raise ValueError(f"an offset moves a window back: give zero or more, got {offset}")
        return offset

    @field_validator("where")
    @classmethod
    def _several(cls, where: Where | tuple[Where, ...]) -> tuple[Where, ...]:
        return (where,) if isinstance(where, Where) else where

    @property
    def conditions(self) -> tuple[Where, ...]:
        """What an event must meet to be looked at: all of `where`."""
        return (self.where,) if isinstance(self.where, Where) else self.where


@dataclass(frozen=True, config=_CONFIG)
class ColumnFeature(Feature):
    """A feature of one column of the events."""

    column: str


@dataclass(frozen=True, config=_CONFIG)
class Count(Feature):
    """Number of events; 0 when there are none. int64."""

    kind: Literal["count"] = field(default="count", kw_only=True)


@dataclass(frozen=True, config=_CONFIG)
class CountDistinct(ColumnFeature):
    """Number of different non-null values of a column; 0 when there are none. int64."""

    kind: Literal["count_distinct"] = field(default="count_distinct", kw_only=True)


@dataclass(frozen=True, config=_CONFIG)
class Sum(ColumnFeature):
    """Sum of a numeric column; 0.0 when there are no events. float64."""

    kind: Literal["sum"] = field(default="sum", kw_only=True)


@dataclass(frozen=True, config=_CONFIG)
class Mean(ColumnFeature):
    """Mean of a numeric column; null when there are no values. float64."""

    kind: Literal["mean"] = field(default="mean", kw_only=True)


@dataclass(frozen=True, config=_CONFIG)
class Min(ColumnFeature):
    """Least value of a numeric column; null when there are no values. float64."""

    kind: Literal["min"] = field(default="min", kw_only=True)


@dataclass(frozen=True, config=_CONFIG)
class Max(ColumnFeature):
    """Greatest value of a numeric column; null when there are no values. float64."""

    kind: Literal["max"] = field(default="max", kw_only=True)


@dataclass(frozen=True, config=_CONFIG)
class StdDev(ColumnFeature):
    """Sample standard deviation (n - 1) of a numeric column; null for fewer than two values. float64."""

    kind: Literal["stddev"] = field(default="stddev", kw_only=True)


@dataclass(frozen=True, config=_CONFIG)
class First(ColumnFeature):
    """A numeric column's value in the earliest event; null when there are none, or when it is null there.

    Of events equal in event and created timestamp the one with the least value, nulls last. float64.
    """

    kind: Literal["first"] = field(default="first", kw_only=True)


@dataclass(frozen=True, config=_CONFIG)
class Last(ColumnFeature):
    """A numeric column's value in the last event; null when there are none, or when it is null there.

    The last has the greatest event timestamp, then the greatest created timestamp, then the greatest value,
    nulls first. float64.
    """

    kind: Literal["last"] = field(default="last", kw_only=True)


@dataclass(frozen=True, config=_CONFIG)
class Since(Feature):
    """Days from an event to T, with fractions; null when there is none. float64.

    The event is the first one, the last one, or the previous one: the one before the last (of two events at
    the same instant, one is the last and the other the previous).
    """

    kind: Literal["since"] = field(default="since", kw_only=True)
    event: Literal["first", "last", "previous"] = field(default="last", kw_only=True)


@dataclass(frozen=True, config=_CONFIG)
class Span(Feature):
    """Days from the first event to the last; 0 for a single one, null for none. float64."""

    kind: Literal["span"] = field(default="span", kw_only=True)


@dataclass(frozen=True, config=_CONFIG)
class Latest:
    """A column's value in the newest row: for sources of rows that were computed already.

    The newest row has the greatest (event timestamp, created timestamp) of those that may be seen; its null
    is returned as null. `column` is the feature's name unless given. int64 for a column of integers or
    booleans, else float64.
    """

    name: Name
    column: str = ""
    kind: Literal["latest"] = field(default="latest", kw_only=True)

    def __post_init__(self) -> None:
        if not self.column:
            object.__setattr__(self, "column", self.name)


AnyFeature = Annotated[
    Count | CountDistinct | Sum | Mean | Min | Max | StdDev | First | Last | Since | Span | Latest,
    Field(discriminator="kind"),
]
