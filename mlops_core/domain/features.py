"""Features: aggregates over an entity's own events, exact at every spine timestamp.

For a spine row (key, T) an aggregate sees the events of that key with `T - window < t <= T` (no window: all
with `t <= T`), t being the event timestamp, of which those count that were recorded by T when the source has
created timestamps and the view asks for `visibility="known"`. Nothing later than T can be named, so a feature
that reads the future cannot be written down.
"""

from __future__ import annotations

from dataclasses import field
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, field_validator
from pydantic.dataclasses import dataclass

from mlops_core.domain.value import Value

__all__ = [
    "AnyFeature",
    "ColumnFeature",
    "Count",
    "CountDistinct",
    "Feature",
    "FeatureView",
    "Max",
    "Mean",
    "Min",
    "Name",
    "Since",
    "Span",
    "Sum",
]

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=63)]


# A dataclass, unlike a model, takes its name and column by position: a definition reads as a list.
_CONFIG = ConfigDict(extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True, config=_CONFIG)
class Feature:
    """What all features have: a name and, unless it looks at all history, a window."""

    name: Name
    window: timedelta | None = field(default=None, kw_only=True)

    @field_validator("window")
    @classmethod
    def _positive(cls, window: timedelta | None) -> timedelta | None:
        if window is not None and window <= timedelta(0):
            raise ValueError(f"a window reaches back: give more than zero, got {window}")
        return window


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
    """Mean of a numeric column; null when there are no events. float64."""

    kind: Literal["mean"] = field(default="mean", kw_only=True)


@dataclass(frozen=True, config=_CONFIG)
class Min(ColumnFeature):
    """Least value of a numeric column; null when there are no events. float64."""

    kind: Literal["min"] = field(default="min", kw_only=True)


@dataclass(frozen=True, config=_CONFIG)
class Max(ColumnFeature):
    """Greatest value of a numeric column; null when there are no events. float64."""

    kind: Literal["max"] = field(default="max", kw_only=True)


@dataclass(frozen=True, config=_CONFIG)
class Since(Feature):
    """Days from the first or the last event to T, with fractions; null when there are none. float64."""

    kind: Literal["since"] = field(default="since", kw_only=True)
    event: Literal["first", "last"] = field(default="last", kw_only=True)


@dataclass(frozen=True, config=_CONFIG)
class Span(Feature):
    """Days from the first event to the last; 0 for a single one, null for none. float64."""

    kind: Literal["span"] = field(default="span", kw_only=True)


AnyFeature = Annotated[
    Count | CountDistinct | Sum | Mean | Min | Max | Since | Span, Field(discriminator="kind")
]


class FeatureView(Value):
    """Features of one entity over one event source.

    `visibility`: "known" counts an event from when it was recorded (its created timestamp), "event" from when
    it happened. The two differ only for a source with created timestamps.
    """

    name: Name
    source: Name
    features: tuple[AnyFeature, ...] = Field(min_length=1)
    visibility: Literal["known", "event"] = "known"
