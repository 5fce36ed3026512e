"""Edges of time: what is seen at the very instant, at the end of a ttl, at both ends of a window."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from mlops_core.domain.conditions import Where
from mlops_core.domain.features import Count, First, Last, Latest, Since, StdDev, Sum
from mlops_core.domain.sources import EventSource
from mlops_core.domain.time import days
from mlops_core.domain.views import FeatureView

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.ports import OfflineStore

    Make = Callable[..., Any]

T = datetime(2024, 3, 31, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def orders(*at: datetime, **columns: Any) -> pa.Table:
    """Orders of customer 1 at these instants."""
    return pa.table({"customer": [1] * len(at), "at": list(at), **columns})


def test_a_row_at_the_very_instant_is_used_and_one_a_microsecond_later_is_not(newest: Make) -> None:
    """`t <= T`."""
    # Feast, Hopsworks, Databricks: the same; Chronon reads strictly before T
    assert newest([(1, T, 5)], (1, T - TICK), (1, T), (1, T + TICK)) == [None, 5, 5]


def test_several_instants_of_an_entity_need_no_order(newest: Make) -> None:
    """Each row gets what was newest at its own time."""
    rows = [(1, T - days(2), 1), (1, T - days(1), 2), (1, T, 3)]
    assert newest(rows, (1, T), (1, T - days(2)), (1, T), (1, T - days(1)), (1, T - days(9))) == [
        3,
        1,
        3,
        2,
        None,
    ]


def test_who_is_unknown_or_has_only_a_future_is_kept_with_nulls(newest: Make) -> None:
    """The spine is never filtered."""
    # Feast's dask store drops such rows
    assert newest([(1, T, 5), (3, T - days(1), 7)], (1, T - days(1)), (2, T), (3, T)) == [None, None, 7]


def test_a_row_as_old_as_the_ttl_is_alive_and_a_microsecond_older_is_not(newest: Make) -> None:
    """`T - t <= ttl`."""
    # Feast, Hopsworks: ttl and lookback inclusive
    row = [(1, T, 5)]
    asked = (1, T + days(1)), (1, T + days(1) + TICK), (1, T + days(30_000))
    assert newest(row, *asked, ttl=days(1)) == [5, None, None]
    assert newest(row, *asked) == [5, 5, 5]
    assert newest(row, *asked, ttl=timedelta.max) == [5, 5, 5]
    assert newest(row, (1, T), (1, T + TICK), (1, T + 2 * TICK), ttl=TICK) == [5, 5, None]


def test_the_ttl_is_judged_on_when_it_happened_not_on_when_it_was_recorded(newest: Make) -> None:
    """A row that arrives late arrives old."""
    row = [(1, T, T + days(3), 5)]
    assert newest(row, (1, T + days(3)), ttl=days(2)) == [None]
    assert newest(row, (1, T + days(3)), ttl=days(3)) == [5]


def test_a_row_that_expired_is_not_replaced_by_an_older_one(newest: Make) -> None:
    """Nor by one that is as old but lost the tie."""
    rows = [(1, T - days(9), T - days(9), 1), (1, T, T, 2), (1, T, T + TICK, 3)]
    assert newest(rows, (1, T + days(2)), ttl=days(1)) == [None]


def test_the_ttl_of_a_view_touches_no_other_view(define: Make, ask: Make) -> None:
    """Nor the row."""
    source = EventSource(name="rates", event_timestamp="at")
    views = tuple(
        FeatureView(name=f"v{name}", source="rates", features=(Latest(name, "rate"),), ttl=ttl)
        for name, ttl in (("short", days(1)), ("long", days(9)), ("ever", None))
    )
    rates = pa.table({"customer": [1], "at": [T - days(5)], "rate": [7]})
    use_case = define(Count("n"), sources=(source,), views=views)
    found = ask(use_case, orders(T - days(20)), (1, T), (1, T - days(4)), rates=rates)
    assert found == {"n": [1, 1], "short": [None, 7], "long": [7, 7], "ever": [7, 7]}


def test_a_snapshot_is_visible_from_its_landing(newest: Make) -> None:
    """What describes midnight and lands four hours later is unknown in between."""
    # Feathr: ts <= T - delay; Azure ML: source_delay
    midnight = datetime(2024, 3, 31, tzinfo=UTC)
    rows = [(1, midnight - days(1), 1), (1, midnight, 2)]
    lands = midnight + timedelta(hours=4)
    assert newest(rows, (1, midnight), (1, lands - TICK), (1, lands), delay=timedelta(hours=4)) == [1, 1, 2]


def test_a_delayed_row_recorded_even_later_is_visible_when_both_are_past(newest: Make) -> None:
    """The later of landing and record."""
    rows = [(1, T, T + timedelta(hours=1), 1), (2, T, T + timedelta(hours=9), 2)]
    asked = [(key, T + timedelta(hours=hour)) for key in (1, 2) for hour in (3, 4, 8, 9)]
    found = newest(rows, *asked, delay=timedelta(hours=4))
    assert found == [None, 1, 1, 1, None, None, None, 2]


def test_a_delay_makes_events_later_but_not_older(define: Make, ask: Make) -> None:
    """Windows and ages are of when it happened."""
    use_case = define(
        Count("n", window=days(2)), Since("since"), Count("before", offset=days(1)), order={"delay": days(1)}
    )
    found = ask(use_case, orders(T), (1, T + days(1) - TICK), (1, T + days(1)), (1, T + days(2)))
    assert found == {"n": [0, 1, 0], "since": [None, 1.0, 2.0], "before": [0, 1, 1]}


def test_an_offset_moves_both_edges_of_the_window(define: Make, ask: Make) -> None:
    """`T - offset - window < t <= T - offset`."""
    use_case = define(Count("n", window=days(2), offset=days(1)), Count("all", offset=days(1)))
    at = T - days(3), T - days(3) + TICK, T - days(1), T - days(1) + TICK, T
    assert ask(use_case, orders(*at), (1, T)) == {"n": [2], "all": [3]}


def test_windows_side_by_side_share_no_event_and_miss_none(define: Make, ask: Make) -> None:
    """So that trends compare like with like."""
    features = [Count(f"w{number}", window=days(1), offset=days(number)) for number in range(4)]
    at = [T - timedelta(hours=6 * number) for number in range(16)]
    found = ask(define(*features, Count("all", window=days(4))), orders(*at), (1, T))
    assert found == {"w0": [4], "w1": [4], "w2": [4], "w3": [4], "all": [16]}


def test_the_record_counts_at_the_row_s_time_not_at_the_offset(define: Make, ask: Make) -> None:
    """The window is moved back; what is known is what is known now."""
    table = orders(T - days(5), recorded=[T])
    use_case = define(Count("n", window=days(2), offset=days(4)), created="recorded")
    assert ask(use_case, table, (1, T - TICK), (1, T)) == {"n": [0, 1]}


def test_spans_longer_than_time_are_spans(
    define: Make, ingested: Make, store: OfflineStore, spine_of: Make
) -> None:
    """An offset or a delay beyond all history sees nothing, a window or a horizon beyond it everything."""
    ever, at = timedelta.max, [datetime(1, 1, 1, tzinfo=UTC), T, datetime(9999, 12, 31, tzinfo=UTC)]
    features = Count("w", window=ever), Count("o", offset=ever), Count("both", window=ever, offset=ever)
    asked = spine_of(*[(1, moment) for moment in at])
    for delay, expected in ((timedelta(0), [1, 2, 3]), (ever, [0, 0, 0])):
        use_case = define(*features, Sum("s", "x", offset=ever), horizon=ever, order={"delay": delay})
        events = ingested(use_case, orders=orders(*at, x=[1, 2, 3]))
        found = store.features(use_case, events, asked).to_pydict()
        assert (found["w"], found["o"], found["both"], found["s"]) == (expected, [0] * 3, [0] * 3, [0.0] * 3)
        assert store.labels(use_case, events["orders"], asked)["gone"].to_pylist() == [0, 0, 1]
        assert store.spine(use_case, events["orders"], at).num_rows == sum(map(bool, expected))


@pytest.mark.parametrize("offset", [timedelta(0), days(3)])
def test_what_looks_before_the_first_event_is_empty(define: Make, ask: Make, offset: timedelta) -> None:
    """And says so: 0, 0.0 or null."""
    looks: dict[str, Any] = {"window": days(1), "offset": offset + days(2)}
    features = (
        Count("n", **looks),
        Sum("s", "x", **looks),
        First("f", "x", **looks),
        StdDev("d", "x", **looks),
    )
    found = ask(define(*features), orders(T, T, x=[1, 2]), (1, T + days(1)))
    assert found == {"n": [0], "s": [0.0], "f": [None], "d": [None]}


def test_conditions_choose_events_before_anything_else(define: Make, ask: Make) -> None:
    """The last web order is not the last order; a null meets no condition."""
    web, other = (Where("channel", "==", "web"),), (Where("channel", "!=", "web"),)
    use_case = define(
        Last("web", "x", where=web), Last("other", "x", where=other), Count("n", where=other),
        Since("since", where=web, event="previous"), Count("dear", where=(Where("x", ">=", 2), *web)),
    )  # fmt: skip
    at = [T - days(day) for day in (4, 3, 2, 1, 0)]
    table = orders(*at, x=[1, 2, 3, 4, None], channel=["web", "web", "shop", None, None])
    assert ask(use_case, table, (1, T)) == {
        "web": [2.0],
        "other": [3.0],
        "n": [1],
        "since": [4.0],
        "dear": [1],
    }


@pytest.mark.parametrize(
    ("column", "operator", "value", "expected"),
    [
        (pa.array(["0.10", "0.11"]).cast(pa.decimal128(8, 2)), "==", 0.1, 1),
        (pa.array(["0.10", "0.11"]).cast(pa.decimal128(8, 2)), ">", 0.1, 1),
        (pa.array(["0.10", "0.11"]).cast(pa.decimal128(8, 2)), "<=", 0.105, 1),
        (pa.array([0.1, 0.3]), "in", (0.1, 0.3), 2),
        (pa.array([2**53, 2**53 + 1]), "==", 2.0**53, 1),
        (pa.array([2**53, 2**53 + 1]), ">", 2**53, 1),
        (pa.array([2**63 - 1, -(2**63)]), "<", 2.0**63, 2),
        (pa.array([1, 2]), "!=", 1.5, 2),
        (pa.array([1, 2]), "==", 10**30, 0),
        (pa.array([1, 2]), "<", 10**30, 2),
    ],
)
def test_numbers_in_conditions_are_compared_exactly(
    define: Make, ask: Make, column: Any, operator: Any, value: Any, expected: int
) -> None:
    """Whatever the column's type; beside decimals 0.1 is one tenth."""
    use_case = define(Count("n", where=(Where("x", operator, value),)))
    assert ask(use_case, orders(T, T, x=column), (1, T))["n"] == [expected]
