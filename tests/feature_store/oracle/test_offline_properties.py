"""What must hold of any history, whatever a store computes: nothing of the future, nothing of chance."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from mlops_core.point_in_time import historical_features

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mlops_core.ports import OfflineStore

    Make = Callable[..., Any]


def pruned(history: Any, at: datetime) -> Any:
    """What could be known at `at`: without the rows that were recorded, or that happened, after it.

    A correction that was recorded by then stays although it says that its event is to come.
    """
    corrected = history.use_case.source("orders").event_id is not None
    keep = [row for row in history.orders if row["recorded"] <= at and (corrected or row["at"] <= at)]
    grades = [row for row in history.grades if row["recorded"] <= at and row["at"] <= at]
    return dataclasses.replace(history, orders=keep, grades=grades)


def test_the_future_never_changes_a_value(
    always: Make, draw_history: Make, draw_spine: Make, stored: Make, store: OfflineStore
) -> None:
    """Pruning a source to what the spine can see changes nothing: no known value depends on the rest."""

    def holds(data: st.DataObject) -> None:
        history = draw_history(data, known=True)
        at = data.draw(st.sampled_from([row["recorded"] for row in history.orders]))
        before, spine = pruned(history, at), draw_spine(data, at)
        if not (before.orders and before.grades):
            return
        with_future = historical_features(history.use_case, store, stored(store, history), spine)
        assert historical_features(history.use_case, store, stored(store, before), spine).equals(with_future)

    always(holds, few=6)


def test_history_as_known_on_a_day_is_the_history_of_that_day(
    always: Make, draw_history: Make, draw_spine: Make, stored: Make, store: OfflineStore
) -> None:
    """Features, spine and labels equal those before the later rows were there, whatever the visibility."""

    def holds(data: st.DataObject) -> None:
        history, spine = draw_history(data), draw_spine(data)
        use_case = history.use_case
        recorded = [row["recorded"] for row in history.orders]
        day = data.draw(st.sampled_from(recorded))
        if use_case.source("orders").created_timestamp is None:
            return
        then = history.but(lambda row: row["recorded"] <= day)
        if not then.grades:
            return
        late, early = stored(store, history), stored(store, then)
        found = historical_features(use_case, store, late, spine, as_known_at=day)
        assert historical_features(use_case, store, early, spine).equals(found)
        assert store.spine(use_case, late["orders"], recorded, as_known_at=day).equals(
            store.spine(use_case, early["orders"], recorded)
        )
        assert store.labels(use_case, late["orders"], spine, as_known_at=day).equals(
            store.labels(use_case, early["orders"], spine)
        )

    always(holds, few=6)


def test_the_order_of_rows_leaves_no_trace(
    always: Make, draw_history: Make, draw_spine: Make, stored: Make, store: OfflineStore
) -> None:
    """Shuffled events make the same file, and a shuffled spine gets the same values."""

    def holds(data: st.DataObject) -> None:
        history, spine = draw_history(data), draw_spine(data)
        shuffled = dataclasses.replace(
            history,
            orders=data.draw(st.permutations(history.orders)),
            grades=data.draw(st.permutations(history.grades)),
        )
        events, others = stored(store, history), stored(store, shuffled)
        assert {name: path.read_bytes() for name, path in events.items()} == {
            name: path.read_bytes() for name, path in others.items()
        }
        order = pa.array(data.draw(st.permutations(range(spine.num_rows))), pa.int64())
        found = historical_features(history.use_case, store, events, spine)
        again = historical_features(history.use_case, store, events, spine.take(order))
        assert again.equals(found.take(order))

    always(holds, few=6)


def test_a_row_does_not_depend_on_the_other_rows_asked_for(
    always: Make, draw_history: Make, draw_spine: Make, stored: Make, store: OfflineStore
) -> None:
    """A spine answered at once equals its rows answered one by one."""

    def holds(data: st.DataObject) -> None:
        history, spine = draw_history(data), draw_spine(data)
        events = stored(store, history)
        whole = historical_features(history.use_case, store, events, spine)
        if spine.num_rows:
            row = data.draw(st.integers(0, spine.num_rows - 1))
            alone = historical_features(history.use_case, store, events, spine.slice(row, 1))
            assert alone.equals(whole.slice(row, 1))

    always(holds, few=6)


def test_an_upsert_leaves_what_ingesting_it_all_at_once_does(
    always: Make, draw_history: Make, stored: Make, store: OfflineStore
) -> None:
    """Wherever a history is cut in two, whichever part comes first, and though it comes twice."""

    def holds(data: st.DataObject) -> None:
        drawn = draw_history(data)
        history = dataclasses.replace(drawn, orders=list({repr(row): row for row in drawn.orders}.values()))
        if min(len(history.orders), len(history.grades)) < 2:
            return
        cut = data.draw(st.integers(1, min(len(history.orders), len(history.grades)) - 1))
        parts = [
            dataclasses.replace(history, orders=history.orders[part], grades=history.grades[part])
            for part in data.draw(st.permutations([slice(cut), slice(cut, None)]))
        ]
        whole, first, second = (stored(store, one) for one in (history, *parts))
        for name, path in whole.items():
            source = history.use_case.source(name)
            once, twice = path.with_name("once.parquet"), path.with_name("twice.parquet")
            store.merge(history.use_case, source, first[name], second[name], once)
            store.merge(history.use_case, source, once, second[name], twice)
            assert pq.read_table(once).equals(pq.read_table(path))
            assert pq.read_table(twice).equals(pq.read_table(path))

    always(holds, few=6)


def test_expiry_changes_no_answer_from_then_on(
    always: Make, draw_history: Make, draw_spine: Make, stored: Make, store: OfflineStore
) -> None:
    """Features at the instant or later, and who is known by then."""

    def holds(data: st.DataObject) -> None:
        history = draw_history(data)
        use_case, day = history.use_case, data.draw(st.sampled_from([row["at"] for row in history.orders]))
        at = day + data.draw(st.timedeltas(timedelta(0), timedelta(days=12)))
        spine, events = draw_spine(data, at), stored(store, history)
        kept = {name: path.with_name(f"kept_{name}.parquet") for name, path in events.items()}
        for name, path in events.items():
            store.merge(use_case, use_case.source(name), path, None, kept[name], keep_from=day)
        expected = historical_features(use_case, store, events, spine)
        assert historical_features(use_case, store, kept, spine).equals(expected)
        known = store.spine(use_case, events["orders"], [day, at])
        assert store.spine(use_case, kept["orders"], [day, at]).equals(known)

    always(holds, few=6)
