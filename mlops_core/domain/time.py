"""Instants, days and windows, and the one rule that joins them.

Everything is UTC with microseconds. **A bare date means the whole day, known only when it is over**: its
instant is the day's last microsecond. So a purchase dated 31 March is visible to the snapshot of 31 March,
but not to a prediction made at noon of that day, and a window of 30 days holds exactly 30 dates.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

__all__ = ["close_of_day", "days", "in_words", "month_ends"]

_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)


def days(count: int) -> timedelta:
    """A window or horizon of whole days of 24 hours."""
    return timedelta(days=count)


def in_words(span: timedelta) -> str:
    """A span for a person: "30 days" where it is whole days, else hours and what follows too."""
    if span % _DAY:
        return str(span)
    return f"{span.days} day{'' if span.days == 1 else 's'}"


def close_of_day(day: date) -> datetime:
    """The last microsecond of a day, UTC; a `datetime` is first taken to its UTC day."""
    if isinstance(day, datetime):
        day = day.astimezone(UTC).date()
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + _DAY - _TICK


def month_ends(first: datetime, last: datetime) -> tuple[datetime, ...]:
    """The close of every month's last day within [first, last], ascending."""
    found: list[datetime] = []
    year, month = first.year, first.month
    while True:
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        close = datetime(year, month, 1, tzinfo=UTC) - _TICK
        if close > last:
            return tuple(found)
        if close >= first:
            found.append(close)
