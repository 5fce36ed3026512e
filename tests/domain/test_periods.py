"""The last days of periods."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_core.domain.periods import Period, last_days

DAY = timedelta(days=1)
RANGES = st.tuples(st.dates(), st.integers(0, 900)).map(
    lambda one: (one[0], date.fromordinal(min(one[0].toordinal() + one[1], date.max.toordinal())))
)


def ends(day: date, every: Period) -> bool:
    """Whether a period ends with this day, by what the day after it is."""
    if day == date.max:
        return every != "week"  # the last day of the calendar is a Friday
    after = day + DAY
    match every:
        case "day":
            return True
        case "week":
            return after.isoweekday() == 1
        case "month":
            return after.day == 1
        case "quarter":
            return after.day == 1 and after.month in (1, 4, 7, 10)


@given(RANGES, st.sampled_from(get_args(Period)))
def test_they_are_the_days_of_the_range_with_which_a_period_ends(
    days: tuple[date, date], every: Period
) -> None:
    """All of them, sorted, none twice, none outside; up to both ends of the calendar."""
    first, last = days
    found = list(last_days(first, last, every))
    everyone = (date.fromordinal(number) for number in range(first.toordinal(), last.toordinal() + 1))
    assert found == [day for day in everyone if ends(day, every)]
    assert all(before < after for before, after in pairwise(found))


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        ("week", ["1998-02-01", "1998-02-08"]),
        ("month", ["1998-01-31"]),
        ("quarter", []),
    ],
)
def test_an_end_of_the_range_is_a_day_where_a_period_ends_with_it(every: Period, expected: list[str]) -> None:
    assert [f"{day}" for day in last_days(date(1998, 1, 31), date(1998, 2, 8), every)] == expected
