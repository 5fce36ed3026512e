"""A feature's value from the events that may be seen, in exact arithmetic that is rounded once."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from statistics import stdev
from typing import TYPE_CHECKING, Any

from mlops_core.domain.features import (
    Count,
    CountDistinct,
    First,
    Last,
    Max,
    Mean,
    Min,
    Since,
    Span,
    StdDev,
    Sum,
)
from mlops_core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_core.domain.conditions import Scalar, Where
    from mlops_core.domain.features import Feature, Latest
    from mlops_core.domain.labels import SumWithin

    Numeric = Sum | Mean | Min | Max | StdDev

__all__ = ["Row", "latest_value", "ticks", "total", "value_of"]

_DAY = 86_400_000_000


@dataclass(frozen=True)
class Row:
    """A row of a source: its values by column, when it happened and was recorded, and of which event."""

    values: Mapping[str, Any]  # Any: a value of whatever type its column has
    happened: int
    written: Any  # microseconds like `happened`; None throughout where a source has no created timestamps
    event_id: int | str | None


def ticks(span: timedelta) -> int:
    """A span in microseconds."""
    return span // timedelta(microseconds=1)


def latest_value(feature: Latest, ttl: timedelta | None, moment: int, rows: Sequence[Row]) -> float | None:
    """The value in the newest of `rows`, null where that is older than `ttl` at `moment`."""
    if not rows:
        return None
    newest = max(rows, key=lambda row: (row.happened, row.written or 0))
    if ttl is not None and moment - newest.happened > ticks(ttl):
        return None
    value = newest.values[feature.column]
    if value is None or isinstance(value, int):  # True and False, too
        return value if value is None else int(value)
    return float(value)


def value_of(feature: Feature, moment: int, rows: Sequence[Row]) -> float | None:
    """The feature's value at `moment` over those of `rows` that it looks at."""
    end = moment - ticks(feature.offset)
    looked_at = [
        row
        for row in rows
        if row.happened <= end
        and (feature.window is None or row.happened > end - ticks(feature.window))
        and all(_meets(row.values[condition.column], condition) for condition in feature.conditions)
    ]
    match feature:
        case Count():
            return len(looked_at)
        case CountDistinct():
            values = {row.values[feature.column] for row in looked_at}
            return len(values - {None})
        case Since() | Span():
            return _days(feature, moment, sorted(row.happened for row in looked_at))
        case First() | Last():
            return _outermost(feature, looked_at)
        case Sum() | Mean() | Min() | Max() | StdDev():
            found = [row.values[feature.column] for row in looked_at]
            return _number(feature, [Fraction(value) for value in found if value is not None])
    raise TypeError(f"no rule for {type(feature).__name__}")


def total(label: SumWithin, rows: Sequence[Row]) -> float:
    """The label's sum over `rows`."""
    values = [row.values[label.column] for row in rows]
    return _number(Sum(label.name, label.column), [Fraction(one) for one in values if one is not None]) or 0.0


def _meets(value: Any, condition: Where) -> bool:
    if value is None:
        return False
    if condition.operator == "in":
        return any(value == _like(value, one) for one in condition.values)
    compared = {
        "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt,
        ">=": operator.ge,
    }[condition.operator]  # fmt: skip
    return bool(compared(value, _like(value, condition.values[0])))


def _like(value: Any, one: Scalar) -> Any:
    """What a condition compares with: beside decimals, 0.1 is one tenth and not the float next to it."""
    return Decimal(repr(one)) if isinstance(value, Decimal) and isinstance(one, float) else one


def _days(feature: Since | Span, moment: int, happened: Sequence[int]) -> float | None:
    if isinstance(feature, Span):
        return (happened[-1] - happened[0]) / _DAY if happened else None
    place = {"first": 0, "last": -1, "previous": -2}[feature.event]
    if len(happened) < (2 if feature.event == "previous" else 1):
        return None
    return (moment - happened[place]) / _DAY


def _outermost(feature: First | Last, rows: Sequence[Row]) -> float | None:
    """By event, then by created timestamp, then by value: a null is greatest for First, least for Last."""

    def order(row: Row) -> tuple[int, int, bool, Any]:
        value = row.values[feature.column]
        null_is_greatest = isinstance(feature, First)
        return row.happened, row.written or 0, (value is None) == null_is_greatest, value or 0

    if not rows:
        return None
    row = min(rows, key=order) if isinstance(feature, First) else max(rows, key=order)
    value = row.values[feature.column]
    return None if value is None else float(value)


def _number(feature: Numeric, values: Sequence[Fraction]) -> float | None:
    least = {Sum: 0, StdDev: 2}.get(type(feature), 1)
    if len(values) < least:
        return None
    try:
        match feature:
            case Sum():
                return float(sum(values))
            case Mean():
                return float(sum(values) / len(values))
            case Min():
                return float(min(values))
            case Max():
                return float(max(values))
            case StdDev():
                return float(stdev(values))
    except OverflowError as error:
        raise DataError(
            f"feature {feature.name!r} over column {feature.column!r} leaves the range of float64. "
            "Scale the column."
        ) from error
