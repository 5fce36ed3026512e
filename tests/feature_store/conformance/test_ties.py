"""Rows of the same time: which one counts, and that none is counted twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from mlops_core.domain.features import Count, CountDistinct, First, Last, Latest, Since
from mlops_core.domain.time import days
from mlops_core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.ports import OfflineStore

    Make = Callable[..., Any]

T = datetime(2024, 3, 31, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def test_a_null_in_the_newest_row_is_a_null(newest: Make) -> None:
    """There is no falling back to what was known before."""
    assert newest([(1, T - days(1), 5), (1, T, None)], (1, T), (1, T - TICK)) == [None, 5]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_of_rows_of_one_time_the_one_recorded_last_counts(newest: Make, order: tuple[int, ...]) -> None:
    """Whatever their physical order, however many copies there are."""
    # feast#3360
    rows = [(1, T, T + number * TICK, number) for number in range(3)]
    shuffled = [rows[number] for number in order]
    assert newest(shuffled, (1, T), (1, T + TICK), (1, T + days(1))) == [0, 1, 2]
    assert newest(shuffled, (1, T), (1, T + days(1)), visibility="event") == [2, 2]


def test_a_row_without_a_record_time_is_refused(newest: Make) -> None:
    """Engines sort nulls to different ends: our contract takes none."""
    # DuckDB and Spark differ in default null order
    with pytest.raises(DataError, match="recorded is null in row 2"):
        newest([(1, T, T, 1), (1, T, None, 2)], (1, T))


def test_a_row_without_a_time_is_refused(newest: Make) -> None:
    """It cannot be placed, and a row that is passed over in silence is a loss nobody sees."""
    with pytest.raises(DataError, match="at is null in row 1"):
        newest([(1, None, 1), (1, T, 2)], (1, T))


def test_the_same_row_twice_is_one_row(newest: Make) -> None:
    """Duplicates never multiply the spine."""
    # feast#1693: 1 billion rows in, 170 billion out
    rows = [(1, T, T, 5)] * 4 + [(1, T - days(1), T, 4)] * 3
    assert newest(rows, (1, T), (1, T), (1, T + TICK)) == [5, 5, 5]


def test_rows_that_differ_in_value_alone_are_refused(newest: Make) -> None:
    """Nobody can say which one is meant."""
    for rows in ([(1, T, T, 5), (1, T, T, 6)], [(1, T, T, 5), (1, T, T, None)], [(1, T, 5), (1, T, 6)]):
        with pytest.raises(DataError, match=r"rates: .*Nothing was stored"):
            newest(rows, (1, T))


def test_a_late_restatement_of_an_older_event_does_not_displace_a_newer_event(newest: Make) -> None:
    """The event's time comes first, the record's second."""
    rows = [(1, T - days(1), T - days(1), 1), (1, T, T, 2), (1, T - days(1), T + days(5), 3)]
    assert newest(rows, (1, T + days(9)), (1, T - TICK)) == [2, 1]
    assert newest(rows, (1, T + days(9)), (1, T - TICK), visibility="event") == [2, 3]


def test_first_and_last_break_ties_by_record_then_by_value(define: Make, ask: Make) -> None:
    """Of the same instant: recorded first or last; then the least, or the greatest, nulls out of the way."""
    table = pa.table(
        {
            "customer": [1, 1, 1, 1, 2, 2, 2, 3, 3],
            "at": [T] * 9,
            "recorded": [T - TICK, T, T, T, T, T, T, T, T],
            "x": [5, 9, 7, None, None, 1, 2, None, None],
        }
    )
    use_case = define(First("first", "x"), Last("last", "x"), created="recorded")
    found = ask(use_case, table, (1, T), (2, T), (3, T), (1, T - TICK))
    assert found == {"first": [5.0, 1.0, None, None], "last": [9.0, 2.0, None, None]}


def test_first_and_last_return_the_null_of_their_event(define: Make, ask: Make) -> None:
    """They are of an event, not of a value."""
    table = pa.table({"customer": [1] * 3, "at": [T - days(2), T - days(1), T], "x": [None, 1, None]})
    assert ask(define(First("first", "x"), Last("last", "x")), table, (1, T)) == {
        "first": [None],
        "last": [None],
    }


def test_two_events_of_one_instant_are_the_last_and_the_previous(define: Make, ask: Make) -> None:
    """A single one has no previous."""
    table = pa.table({"customer": [1, 1, 1, 2], "at": [T - days(3), T, T, T]})
    use_case = define(Since("previous", event="previous"), Since("last"), Since("first", event="first"))
    found = ask(use_case, table, (1, T + days(1)), (2, T), (1, T - TICK))
    assert found == {
        "previous": [1.0, None, None],
        "last": [1.0, 0.0, pytest.approx(3)],
        "first": [4.0, 0.0, pytest.approx(3)],
    }


def test_equal_events_are_events_each(define: Make, ask: Make) -> None:
    """Two purchases in one second are two; only rows of features are the same when they are equal."""
    table = pa.table({"customer": [1] * 3, "at": [T] * 3, "code": ["a", "a", None]})
    assert ask(define(Count("n"), CountDistinct("d", "code")), table, (1, T)) == {"n": [3], "d": [1]}


def test_duplicates_do_not_change_the_spine(
    rated: Make, ingested: Make, store: OfflineStore, table_of: Make
) -> None:
    """1,000 copies beside 1,000 rows asked for: 1,000 rows come back."""
    use_case = rated(Latest("rate"), Latest("again", "rate"))
    events = ingested(use_case, rates=table_of(*[(key % 2, T, key % 2) for key in range(1_000)]))
    spine = pa.table({"customer": [key % 3 for key in range(1_000)], "event_timestamp": [T] * 1_000})
    found = store.features(use_case, events, spine)
    assert found["rate"].to_pylist() == [[0, 1, None][key % 3] for key in range(1_000)]
    assert found["again"].equals(found["rate"])
