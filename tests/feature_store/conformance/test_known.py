"""What was known when: late rows, corrections, and history as it was known on a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from mlops_core.domain.features import Count, Last, Max, Since, Sum
from mlops_core.domain.time import days
from mlops_core.domain.views import FeatureView

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.ports import OfflineStore

    Make = Callable[..., Any]

T = datetime(2024, 3, 31, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
CORRECTED = {"order": {"event_id": "order"}, "created": "recorded"}


def events(*rows: tuple[Any, ...]) -> pa.Table:
    """Orders as (customer, order, at, recorded, usd)."""
    names = "customer", "order", "at", "recorded", "usd"
    return pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))


def test_a_correction_is_not_seen_before_it_was_written(newest: Make) -> None:
    """From then on it is."""
    # feast#6615, feast PR#6617
    rows = [(1, T, T, 1), (1, T, T + days(2), 2)]
    assert newest(rows, (1, T), (1, T + days(2) - TICK), (1, T + days(2))) == [1, 1, 2]


def test_rows_that_were_all_written_later_are_null(newest: Make) -> None:
    """Not the first that was written."""
    # feast#6615
    rows = [(1, T - days(1), T + days(1), 1), (1, T, T + days(2), 2)]
    assert newest(rows, (1, T), (1, T + days(1)), (1, T + days(2))) == [None, 1, 2]


def test_a_late_row_of_an_older_event_never_displaces_a_known_newer_one(newest: Make) -> None:
    """Being written last does not make it newest."""
    # feast#6615
    rows = [(1, T, T, 1), (1, T - days(3), T + days(1), 2)]
    assert newest(rows, (1, T + days(1)), (1, T + days(9)), (1, T - days(1))) == [1, 1, None]


def test_visibility_by_event_ignores_when_it_was_recorded(newest: Make) -> None:
    """For a backfilled history, all of which was written late."""
    rows = [(1, T - days(2), T + days(9), 1), (1, T, T + days(9), 2)]
    assert newest(rows, (1, T - days(1)), (1, T)) == [None, None]
    assert newest(rows, (1, T - days(1)), (1, T), visibility="event") == [1, 2]


def test_without_created_timestamps_what_happened_is_known(newest: Make) -> None:
    """And reading as known then has no effect on the store: `mlops_core.history` keeps versions."""
    rows = [(1, T - days(2), 1), (1, T, 2)]
    assert newest(rows, (1, T - days(1)), (1, T), as_known_at=T - days(9)) == [1, 2]


@pytest.mark.parametrize("visibility", ["known", "event"])
def test_as_known_at_leaves_out_what_was_recorded_later(newest: Make, visibility: str) -> None:
    """Up to and including that instant, under either visibility."""
    rows = [(1, T, T, 1), (1, T, T + days(1), 2), (1, T + days(1), T + days(3), 3)]
    asked = (1, T + days(9))
    moments = T - TICK, T, T + days(1) - TICK, T + days(1), T + days(3)
    found = [newest(rows, asked, as_known_at=moment, visibility=visibility)[0] for moment in moments]
    assert found == [None, 1, 1, 2, 3]


def test_an_empty_history_gives_nulls(newest: Make, define: Make, ask: Make) -> None:
    """Nothing was known yet: counts are 0, sums 0.0, all else null."""
    assert newest([(1, T, T, 1)], (1, T), as_known_at=T - days(9)) == [None]
    use_case = define(Count("n"), Sum("s", "usd"), Max("m", "usd"), Since("since"), created="recorded")
    found = ask(use_case, events((1, 1, T, T, 5)), (1, T), as_known_at=T - days(1))
    assert found == {"n": [0], "s": [0.0], "m": [None], "since": [None]}


def test_of_an_event_the_version_recorded_last_counts(define: Make, ask: Make) -> None:
    """From when it was recorded on; the event is one throughout."""
    table = events((1, 7, T, T, 10), (1, 7, T, T + days(1), 20), (1, 7, T, T + days(2), None))
    use_case = define(Count("n"), Sum("s", "usd"), Last("last", "usd"), **CORRECTED)
    found = ask(use_case, table, (1, T), (1, T + days(1) - TICK), (1, T + days(1)), (1, T + days(2)))
    assert found == {"n": [1] * 4, "s": [10.0, 10.0, 20.0, 0.0], "last": [10.0, 10.0, 20.0, None]}


def test_a_correction_moves_its_event_in_time(define: Make, ask: Make) -> None:
    """Backwards out of a window, or forwards into the future, where it has not happened."""
    table = events(
        (1, 1, T, T, 1), (1, 1, T - days(9), T + days(1), 1),
        (2, 2, T, T, 1), (2, 2, T + days(5), T + days(1), 1),
    )  # fmt: skip
    use_case = define(Count("n", window=days(4)), Count("all"), **CORRECTED)
    moments = T, T + days(1), T + days(5)
    found = ask(use_case, table, *[(key, moment) for key in (1, 2) for moment in moments])
    assert found == {"n": [1, 0, 0, 1, 0, 1], "all": [1, 1, 1, 1, 0, 1]}


def test_a_correction_moves_its_event_to_another_entity(define: Make, ask: Make) -> None:
    """Ids are of events, whosever they are."""
    table = events((1, 7, T, T, 10), (2, 7, T, T + days(1), 10), (1, 8, T, T, 1))
    use_case = define(Sum("s", "usd"), **CORRECTED)
    moments = T, T + days(1)
    assert ask(use_case, table, *[(key, moment) for key in (1, 2) for moment in moments])["s"] == [
        11.0, 1.0, 0.0, 10.0,
    ]  # fmt: skip


def test_a_correction_of_a_correction_that_came_late_keeps_the_order_of_records(
    define: Make, ask: Make
) -> None:
    """Each instant sees the last of those recorded by then, and the delay is counted from its own time."""
    table = events((1, 7, T, T + days(2), 2), (1, 7, T - days(3), T, 1), (1, 7, T, T + days(4), 3))
    use_case = define(
        Sum("s", "usd"), created="recorded", order={"event_id": "order", "delay": timedelta(days=3)}
    )
    moments = [T - TICK, T, T + days(2), T + days(3), T + days(4)]
    assert ask(use_case, table, *[(1, moment) for moment in moments])["s"] == [0.0, 1.0, 0.0, 2.0, 3.0]


def test_by_event_the_last_version_is_the_event_at_all_times(define: Make, ask: Make) -> None:
    """As if it had never been otherwise; as known on a day, the last version of that day."""
    table = events((1, 7, T, T, 10), (2, 7, T - days(1), T + days(5), 20))
    use_case = define(Sum("s", "usd"), visibility="event", **CORRECTED)
    asked = [(1, T), (2, T), (2, T - days(1) - TICK)]
    assert ask(use_case, table, *asked)["s"] == [0.0, 20.0, 0.0]
    assert ask(use_case, table, *asked, as_known_at=T + days(4))["s"] == [10.0, 0.0, 0.0]


def test_views_of_one_source_may_differ_in_what_they_know(define: Make, ask: Make) -> None:
    """Each keeps its own visibility."""
    other = FeatureView(name="b", source="orders", features=(Sum("b", "usd"),), visibility="event")
    table = events((1, 7, T, T, 10), (1, 7, T, T + days(1), 20))
    assert ask(define(Sum("a", "usd"), views=(other,), **CORRECTED), table, (1, T)) == {
        "a": [10.0],
        "b": [20.0],
    }


def test_the_spine_holds_who_had_an_event_that_could_be_seen(
    define: Make, ingested: Make, store: OfflineStore
) -> None:
    """By the version that was known then, after the delay, whatever the visibility of the views."""
    order = {"event_id": "order", "delay": days(1)}
    use_case = define(Count("n"), created="recorded", visibility="event", order=order)
    table = events((1, 7, T, T, 1), (2, 7, T, T + days(2), 1), (3, 8, T, T + days(3), 1))
    path = ingested(use_case, orders=table)["orders"]
    at = [T, T + days(1) - TICK, T + days(1), T + days(2), T + days(3)]
    found = store.spine(use_case, path, at).to_pylist()
    assert [(row["customer"], row["event_timestamp"]) for row in found] == [
        (1, T + days(1)), (2, T + days(2)), (2, T + days(3)), (3, T + days(3)),
    ]  # fmt: skip
    then = store.spine(use_case, path, at, as_known_at=T + days(1)).to_pylist()
    assert [row["customer"] for row in then] == [1, 1, 1]


def test_labels_are_of_what_happened_by_the_last_version(
    define: Make, ingested: Make, store: OfflineStore, spine_of: Make
) -> None:
    """Neither records nor delays hide an event from a label; `as_known_at` does."""
    use_case = define(Count("n"), created="recorded", order={"event_id": "order", "delay": days(300)})
    table = events((1, 7, T + days(1), T + days(1), 1), (2, 7, T + days(1), T + days(99), 1))
    path = ingested(use_case, orders=table)["orders"]
    spine = spine_of((1, T), (2, T), (2, T + days(1)), (3, T))
    assert store.labels(use_case, path, spine)["gone"].to_pylist() == [1, 0, 1, 1]
    then = store.labels(use_case, path, spine, as_known_at=T + days(98))
    assert then["gone"].to_pylist() == [0, 1, 1, 1]
