"""Days, instants and the snapshots made of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_core.domain.snapshots import Snapshots
from mlops_core.domain.time import close_of_day, days, month_ends
from mlops_core.errors import DataError

TICK = timedelta(microseconds=1)


def test_a_bare_date_is_known_when_the_day_is_over() -> None:
    """Its instant is the last microsecond, so noon of that day does not know it."""
    assert close_of_day(date(1998, 3, 31)) == datetime(1998, 4, 1, tzinfo=UTC) - TICK


def test_a_datetime_is_taken_to_its_utc_day() -> None:
    """An evening in New York is the next day in UTC."""
    evening = datetime.fromisoformat("1998-03-31T22:00:00-05:00")
    assert close_of_day(evening) == close_of_day(date(1998, 4, 1))


def test_month_ends_know_leap_years() -> None:
    """February of 2024 has 29 days."""
    found = month_ends(close_of_day(date(2024, 1, 31)), close_of_day(date(2024, 3, 1)))
    assert [instant.date() for instant in found] == [date(2024, 1, 31), date(2024, 2, 29)]


INSTANTS = st.dates(date(1990, 1, 1), date(2030, 1, 1)).map(close_of_day)


@given(first=INSTANTS, length=st.integers(0, 2000), horizon=st.integers(1, 200), history=st.integers(2, 40))
def test_no_label_reaches_into_what_it_is_judged_on(
    first: datetime, length: int, horizon: int, history: int
) -> None:
    """Whatever the period: fit labels close by validation, training labels by evaluation, all by as_of."""
    as_of, ahead = first + days(length), days(horizon)
    try:
        found = Snapshots.monthly(first=first, as_of=as_of, horizon=ahead, history=history)
    except DataError:
        return
    assert all(instant + ahead <= found.validation for instant in found.fit)
    assert all(instant + ahead <= found.evaluation for instant in (*found.embargo, found.validation))
    assert found.evaluation + ahead <= as_of
    assert list(found.all) == sorted(set(found.all))
    assert found.all[0] >= first
    assert len(found.all) - 1 <= history


def test_the_bundled_period_is_split_as_documented() -> None:
    """CDNOW: evaluated at 1998-03-31, fitted on what had closed before."""
    found = Snapshots.monthly(
        first=close_of_day(date(1997, 1, 1)),
        as_of=close_of_day(date(1998, 6, 30)),
        horizon=days(90),
        history=24,
    )
    assert (found.evaluation.date(), found.validation.date()) == (date(1998, 3, 31), date(1997, 12, 31))
    assert [instant.date() for instant in found.embargo] == [date(1997, 10, 31), date(1997, 11, 30)]
    assert found.fit[-1].date() == date(1997, 9, 30)


def test_too_short_a_history_is_said_with_what_would_do() -> None:
    """The message names the period and how much is needed."""
    first = close_of_day(date(1998, 1, 1))
    with pytest.raises(DataError, match="about 301 days"):
        Snapshots.monthly(first=first, as_of=first + days(100), horizon=days(90), history=24)
