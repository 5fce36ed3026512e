"""Days and times as words on the command line."""

from __future__ import annotations

from datetime import UTC, date, datetime

from mlops_core.domain.time import close_of_day
from mlops_core.errors import BadInput

__all__ = ["day_of", "instant_of", "past_instant_of"]

_DATE = len("1998-06-30")


def day_of(word: str) -> date:
    """A day."""
    try:
        return date.fromisoformat(word)
    except ValueError:
        raise BadInput(f"{word!r} is no date like 1998-06-30") from None


def instant_of(word: str) -> datetime:
    """A time, or the close of a bare date; UTC unless it says otherwise."""
    try:
        if len(word) == _DATE:
            return close_of_day(date.fromisoformat(word))
        found = datetime.fromisoformat(word)
    except ValueError:
        raise BadInput(f"{word!r} is no date or time like 1998-06-30 or 1998-06-30T12:00+02:00") from None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def past_instant_of(word: str, now: datetime) -> datetime:
    """The same, not after `now`; the date of today means until now."""
    found = instant_of(word)
    if found > now and len(word) == _DATE and date.fromisoformat(word) == now.date():
        return now
    if found > now:
        raise BadInput(f"{word!r} is still to come: give a time until now, {now:%Y-%m-%dT%H:%M} UTC")
    return found
