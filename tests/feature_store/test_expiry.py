"""Expiry that no feature notices."""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_core.adapters.feature_store.memory import MemoryOfflineStore
from mlops_core.domain.features import Count, CountDistinct, Last, Latest, Max, Sum
from mlops_core.domain.history import Merged
from mlops_core.domain.sources import EventSource
from mlops_core.domain.views import FeatureView
from tests.every_point import one_in
from tests.feature_store.histories import DAY, TICK, History, T, event

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlops_core.domain.usecase import UseCase

    Define = Callable[..., UseCase]
    Rows = list[dict[str, Any]]


def test_what_every_window_has_left_goes(tmp_path: Path, define: Define) -> None:
    """The left edge is open: an event exactly a window before is out. The first one of each entity stays."""
    view = FeatureView(name="late", source="orders", features=(Max("m", "usd", window=DAY, offset=2 * DAY),))
    history = History(define(Sum("s", "usd", window=2 * DAY), views=(view,)), tmp_path)
    stored = history.ingest(
        [event(days=-9), event(days=-5), event(days=-3), event(days=-3 + TICK), event(2, -9)]
    )
    kept = pq.read_table(history.merge(stored, keep_from=T))
    assert [(row["customer"], row["at"] - T) for row in kept.to_pylist()] == [
        (1, -9 * DAY), (1, -3 * DAY + timedelta(microseconds=1)), (2, -9 * DAY)
    ]  # fmt: skip
    assert history.changed == [Merged(added=0, removed=2)]


def test_all_may_expire_and_more_may_come(tmp_path: Path, define: Define) -> None:
    """Of a source that the label does not read."""
    visits = EventSource(name="visits", event_timestamp="at")
    use_case = define(Sum("s", "usd", window=DAY), sources=(visits,))
    use_case = use_case.model_copy(update={"label": use_case.label.model_copy(update={"source": "visits"})})
    history = History(use_case, tmp_path)
    empty = history.merge(history.ingest([event(days=-9)]), keep_from=T)
    assert pq.read_table(empty).num_rows == 0
    assert pq.read_table(history.merge(empty, keep_from=T)).num_rows == 0
    again = history.merge(empty, history.ingest([event(usd=0.5), event(days=-9)]), keep_from=T)
    assert pq.read_table(again)["usd"].to_pylist() == [0.5]
    assert history.changed[-1] == Merged(added=1, removed=0)


def test_a_feature_of_all_history_keeps_all_of_it(tmp_path: Path, define: Define) -> None:
    """Also beside others that look back a day."""
    history = History(define(Sum("s", "usd", window=DAY), Count("n")), tmp_path)
    stored = history.ingest([event(days=-day) for day in range(100)])
    assert pq.read_table(history.merge(stored, keep_from=T)).equals(pq.read_table(stored))


def test_a_row_is_superseded_only_by_what_can_be_seen(tmp_path: Path, define: Define) -> None:
    """A newer row that was recorded after the instant leaves the older one in place."""
    history = History(define(Latest("usd"), created="seen"), tmp_path)
    rows = [
        event(days=-9, seen=T - 9 * DAY, usd=1),
        event(days=-5, seen=T - 5 * DAY, usd=2),
        event(days=-3, seen=T - 3 * DAY, usd=3),
        event(days=-2, seen=T + DAY, usd=4),
    ]
    kept = pq.read_table(history.merge(history.ingest(rows), keep_from=T))
    assert kept["usd"].to_pylist() == [1, 3, 4]  # the first one says since when the customer is known


def test_a_correction_goes_with_what_it_corrects_or_not_at_all(tmp_path: Path, define: Define) -> None:
    """Or an event that was moved out of the window would be back in it."""
    use_case = define(
        Count("n", window=4 * DAY), created="seen", order={"event_id": "order", "delay": 9 * DAY}
    )
    history = History(use_case, tmp_path)
    rows = [
        event(days=-9, seen=T - 9 * DAY, order="first"),
        event(days=-3, seen=T - 3 * DAY, order="moved"),
        event(days=-5, seen=T - 2 * DAY, order="moved"),
        event(days=-6, seen=T - 6 * DAY, order="gone"),
    ]
    kept = pq.read_table(history.merge(history.ingest(rows), keep_from=T))
    assert kept["order"].to_pylist() == ["first", "moved", "moved"]


def test_what_was_corrected_goes_once_the_correction_is_seen(tmp_path: Path, define: Define) -> None:
    """Also where a feature looks at all of history."""
    history = History(define(Sum("s", "usd"), created="seen", order={"event_id": "order"}), tmp_path)
    rows = [event(days=-9, seen=T + day * DAY, usd=day, order="a") for day in (-3, -2, 0, 1)]
    kept = pq.read_table(history.merge(history.ingest(rows), keep_from=T))
    assert kept["usd"].to_pylist() == [0, 1]


def test_a_correction_to_come_may_bring_an_older_row_back(tmp_path: Path, define: Define) -> None:
    """The newest row supersedes nothing while another version of it is still to be recorded."""
    history = History(define(Latest("usd"), created="seen", order={"event_id": "order"}), tmp_path)
    rows = [
        event(days=-9, seen=T - 9 * DAY, order="first", usd=1),
        event(days=-5, seen=T - 5 * DAY, order="older", usd=2),
        event(days=-3, seen=T - 3 * DAY, order="newest", usd=3),
        event(days=-7, seen=T + 1 * DAY, order="newest", usd=4),
    ]
    kept = pq.read_table(history.merge(history.ingest(rows), keep_from=T))
    assert kept["usd"].to_pylist() == [1, 4, 2, 3]


def test_an_entity_stays_known_while_a_correction_is_to_come(tmp_path: Path, define: Define) -> None:
    """By the event that is to be moved to another, and by the first one that is not."""
    use_case = define(Count("n", window=DAY), created="seen", order={"event_id": "order"})
    history = History(use_case, tmp_path)
    rows = [
        event(1, days=-9, seen=T - 9 * DAY, order="moved"),
        event(2, days=-9, seen=T + 1 * DAY, order="moved"),
        event(2, days=-8, seen=T - 8 * DAY, order="other"),
        event(1, days=-8, seen=T + 2 * DAY, order="first"),
        event(1, days=-7, seen=T + 3 * DAY, order="second"),
    ]
    kept = pq.read_table(history.merge(history.ingest(rows), keep_from=T))
    assert kept["order"].to_pylist() == ["moved", "first", "moved", "other"]


def test_a_row_goes_when_it_is_older_than_its_ttl(tmp_path: Path, define: Define) -> None:
    """One of exactly that age is still to be seen."""
    history = History(define(Latest("usd"), view={"ttl": 2 * DAY}), tmp_path)
    rows = [event(customer, day) for customer, day in ((1, -9), (2, -9), (1, -2), (2, -2 - TICK))]
    kept = pq.read_table(history.merge(history.ingest(rows), keep_from=T))
    assert [(row["customer"], row["at"] - T) for row in kept.to_pylist()] == [
        (1, -9 * DAY), (1, -2 * DAY), (2, -9 * DAY)
    ]  # fmt: skip


def test_the_label_keeps_what_lies_ahead(tmp_path: Path, define: Define) -> None:
    """Where no view reads its source."""
    rates = EventSource(name="rates", event_timestamp="at")
    view = FeatureView(name="rate", source="rates", features=(Latest("usd"),))
    history = History(define(sources=(rates,), views=(view,)), tmp_path)
    stored = history.ingest([event(days=day) for day in (-2, -1, 0, TICK)])
    kept = pq.read_table(history.merge(stored, keep_from=T))
    assert [row["at"] - T for row in kept.to_pylist()] == [-2 * DAY, timedelta(microseconds=1)]


VERSION = st.tuples(
    st.integers(1, 2), st.integers(-5, 2), st.integers(0, 4), st.integers(0, 2), st.integers(0, 3)
)
VIEWS = st.fixed_dictionaries(
    {
        "window": st.sampled_from([1, 2, 3]),
        "offset": st.sampled_from([0, 1]),
        "ttl": st.sampled_from([1, 3, None]),
        "delay": st.sampled_from([0, 1]),
        "visibility": st.sampled_from(["known", "event"]),
        "kind": st.sampled_from(["aggregates", "latest", "both"]),
        "ids": st.booleans(),
        "labelled": st.booleans(),
    }
)
MOMENTS = [T + hours * timedelta(hours=12) for hours in range(12)]


def defined(define: Define, how: dict[str, Any]) -> UseCase:
    """A use case whose first source has late rows and corrections, and views of that kind."""
    look: dict[str, Any] = {"window": how["window"] * DAY, "offset": how["offset"] * DAY}
    ttl = None if how["ttl"] is None else how["ttl"] * DAY
    aggregates = FeatureView(
        name="sums",
        source="orders",
        features=(Sum("s", "usd", **look), Last("l", "usd", **look), CountDistinct("d", "usd", **look)),
        visibility=how["visibility"],
    )
    newest = FeatureView(name="newest", source="orders", features=(Latest("usd"),), ttl=ttl)
    views = {"aggregates": (aggregates,), "latest": (newest,), "both": (aggregates, newest)}[how["kind"]]
    order = {"delay": how["delay"] * DAY} | ({"event_id": "order"} if how["ids"] else {})
    use_case = define(views=views, created="seen", order=order, horizon=2 * DAY)
    if how["labelled"]:
        return use_case
    visits = EventSource(name="visits", event_timestamp="at")
    label = use_case.label.model_copy(update={"source": "visits"})
    return use_case.model_copy(update={"sources": (*use_case.sources, visits), "label": label})


def unlike(versions: Sequence[tuple[int, ...]]) -> Rows:
    """Rows of these versions without two of one name, so that they can be ingested."""
    rows: Rows = []
    names: set[tuple[object, ...]] = set()
    for customer, day, lag, order, usd in versions:
        at, seen = T + day * DAY, T + (day + lag) * DAY
        two = {(customer, at, seen), (order, seen)}
        if not two & names:
            names |= two
            rows.append({"customer": customer, "at": at, "seen": seen, "order": order, "usd": usd})
    return rows


@settings(max_examples=60 // one_in(3), deadline=None)
@given(how=VIEWS, versions=st.lists(VERSION, min_size=4, max_size=14))
def test_no_feature_notices_what_expired(
    define: Define, how: dict[str, Any], versions: list[tuple[int, ...]]
) -> None:
    """At the instant and later: spine, features and labels are those of the whole history."""
    with tempfile.TemporaryDirectory() as folder:
        history = History(defined(define, how), Path(folder))
        stored = history.ingest(unlike(versions))
        kept = history.merge(stored, keep_from=T)
        for known in (None, T + DAY):
            assert seen_of(history.use_case, kept, known) == seen_of(history.use_case, stored, known)
        assert history.merge(kept, keep_from=T).read_bytes() == kept.read_bytes()


def seen_of(use_case: UseCase, events: Path, known: datetime | None) -> list[object]:
    """All that can be asked of these events from T on."""
    store = MemoryOfflineStore()
    rows = [(customer, moment) for moment in MOMENTS for customer in (1, 2)]
    customers, moments = zip(*rows, strict=True)
    spine = pa.table({"customer": customers, "event_timestamp": moments})
    found = [store.features(use_case, {"orders": events}, spine, as_known_at=known).to_pylist()]
    if use_case.label.source == "orders":
        found.append(store.spine(use_case, events, MOMENTS, as_known_at=known).to_pylist())
        found.append(store.labels(use_case, events, spine, as_known_at=known).to_pylist())
    return found
