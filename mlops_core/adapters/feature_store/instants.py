"""Columns of timestamps, dates or ISO 8601 text, converted to microseconds since 1970 in UTC.

A zone is converted, a naive time is UTC, a bare date is the close of its day (`mlops_core.domain.time`).
What is finer than a microsecond is rounded up for events, which so can only become visible later, and down
for the moments they are looked at from: neither lets an event be seen before it happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mlops_core.domain.time import close_of_day

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["TIMESTAMP", "Column", "Converted", "instants", "is_text", "micros"]

# Any: pyarrow's stubs tie a column to the type of its elements, which is known at run time only.
Column = Any

TIMESTAMP = pa.timestamp("us", "UTC")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400_000_000
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}

_DATE = (
    r"(?:\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)"
    r"|02-(?:0[1-9]|1\d|2[0-8]))"
    r"|(?:\d\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)"
)
_TIME = r"[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?"
_ZONE = r"(?:Z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)"


@dataclass(frozen=True)
class Converted:
    """A converted column, and the rules that rows of it break: (rule, mask) pairs."""

    values: Column
    broken: tuple[tuple[str, NDArray[np.bool_]], ...] = ()


def micros(moment: datetime) -> int:
    """Microseconds since 1970 in UTC, exactly; a naive `datetime` is UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = aware - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def is_text(kind: pa.DataType) -> bool:
    """Whether a column holds strings, in any of Arrow's layouts."""
    return kind in (pa.string(), pa.large_string(), pa.string_view())


def instants(column: Column, *, up: bool = True) -> Converted | None:
    """The column as int64 microseconds; None when its type cannot be read as time.

    `up` is the rounding of nanoseconds. Nulls stay null and break no rule here.
    """
    kind = column.type
    if pa.types.is_timestamp(kind):
        return _from_timestamps(column, up=up)
    if pa.types.is_date(kind):
        return _from_dates(column)
    if pa.types.is_null(kind):
        return Converted(column.cast(pa.int64()))
    return _from_text(column.cast(pa.string())) if is_text(kind) else None


def _from_timestamps(column: Column, *, up: bool) -> Converted:
    unit = column.type.unit
    counts = column.cast(pa.int64())
    if unit == "ns":  # its whole range lies within the years that we take
        return Converted(_micros_of_nanos(counts, up=up))
    per_second = _PER_SECOND[unit]
    low, high = (micros(moment) * per_second // 1_000_000 for moment in _limits())
    outside = pc.or_(pc.less(counts, low), pc.greater(counts, high))
    return Converted(pc.multiply(counts, 1_000_000 // per_second), (_outside(outside),))


def _micros_of_nanos(nanos: Column, *, up: bool) -> Column:
    towards_zero = pc.divide(nanos, 1_000)
    rest = pc.subtract(nanos, pc.multiply(towards_zero, 1_000))
    if up:
        return pc.add(towards_zero, pc.greater(rest, 0).cast(pa.int64()))
    return pc.subtract(towards_zero, pc.less(rest, 0).cast(pa.int64()))


def _from_dates(column: Column) -> Converted:
    numbers = column.cast(pa.date32(), safe=False).cast(pa.int32()).cast(pa.int64())
    low, high = (micros(moment) // _DAY for moment in _limits())
    outside = pc.or_(pc.less(numbers, low), pc.greater(numbers, high))
    close = micros(close_of_day(date(1970, 1, 1)))
    return Converted(pc.add(pc.multiply(numbers, _DAY), close), (_outside(outside),))


def _from_text(texts: Column) -> Converted:
    texts = pc.utf8_trim_whitespace(texts)
    is_date = _matches(texts, _DATE)
    is_naive = _matches(texts, _DATE + _TIME)
    is_zoned = _matches(texts, _DATE + _TIME + _ZONE)
    understood = pc.or_(is_date, pc.or_(is_naive, is_zoned))
    finer = pc.match_substring_regex(texts, r"\.\d{6}0*[1-9]")
    texts = pc.replace_substring_regex(texts, r"(\.\d{6})\d+", r"\1")
    closes = _from_dates(pc.if_else(is_date, texts, "1970-01-01").cast(pa.date32())).values
    naive = pc.if_else(is_naive, texts, "1970-01-01T00:00").cast(pa.timestamp("us"))
    zoned = pc.if_else(is_zoned, texts, "1970-01-01T00:00Z").cast(TIMESTAMP)
    times = pc.if_else(is_naive, naive.cast(pa.int64()), zoned.cast(pa.int64()))
    values = pc.if_else(is_date, closes, pc.add(times, pc.and_(finer, understood).cast(pa.int64())))
    low, high = map(micros, _limits())
    outside = pc.and_(understood, pc.or_(pc.less(values, low), pc.greater(values, high)))
    rule = "is not an ISO 8601 date or time (such as 2024-03-31 or 2024-03-31T23:15:00+02:00)"
    return Converted(values, ((rule, _mask(pc.invert(understood))), _outside(outside)))


def _matches(texts: Column, pattern: str) -> Column:
    return pc.match_substring_regex(texts, rf"^{pattern}\z")


def _limits() -> tuple[datetime, datetime]:
    return datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def _outside(mask: Column) -> tuple[str, NDArray[np.bool_]]:
    return "lies outside the years 1 to 9999", _mask(mask)


def _mask(condition: Column) -> NDArray[np.bool_]:
    return np.asarray(pc.fill_null(condition, False), dtype=np.bool_)
