"""Days, weeks, months and quarters of the calendar, each by its last day.

Where a range begins says nothing of which days it has, so that ranges which overlap share what was made for
their days.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Period", "last_days"]

Period = Literal["day", "week", "month", "quarter"]

_WEEK = 7
_MONTHS = {"month": 1, "quarter": 3}


def last_days(first: date, last: date, every: Period) -> Iterator[date]:
    """The last day of every such period within [first, last], ascending; weeks end on Sunday (ISO 8601)."""
    ordinals = range(first.toordinal(), last.toordinal() + 1)
    match every:
        case "day":
            return map(date.fromordinal, ordinals)
        case "week":  # day 1, the first of January of the year 1, is a Monday
            return map(date.fromordinal, ordinals[-first.toordinal() % _WEEK :: _WEEK])
        case "month" | "quarter":
            return _month_ends(first, last, _MONTHS[every])


def _month_ends(first: date, last: date, months: int) -> Iterator[date]:
    for number in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        year, month = number // 12, number % 12 + 1
        end = date(year, month, monthrange(year, month)[1])
        if month % months == 0 and first <= end <= last:
            yield end
