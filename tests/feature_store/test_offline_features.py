"""What features every offline store gives: which events a row sees, and what becomes of the row."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from mlops_core.domain.features import Count, CountDistinct, Max, Mean, Min, Since, Span, Sum
from mlops_core.domain.sources import EventSource
from mlops_core.domain.time import close_of_day, days
from mlops_core.domain.views import FeatureView

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import OfflineStore

    Define = Callable[..., UseCase]
    Ask = Callable[..., dict[str, list[object]]]
    Ingested = Callable[..., dict[str, Path]]

T = datetime(2024, 3, 31, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def orders(*at: datetime, customer: object = 1, **columns: object) -> pa.Table:
    """Orders of one customer at these instants, with further columns."""
    return pa.table({"customer": [customer] * len(at), "at": list(at), **columns})


def test_an_event_at_the_very_instant_is_seen_and_one_a_microsecond_later_is_not(
    define: Define, ask: Ask
) -> None:
    """`t <= T`."""
    found = ask(define(Count("n")), orders(T), (1, T - TICK), (1, T), (1, T + TICK))
    assert found["n"] == [0, 1, 1]


def test_the_left_edge_of_a_window_is_exclusive(define: Define, ask: Ask) -> None:
    """`T - window < t`."""
    found = ask(
        define(Count("n", window=days(1))), orders(T - days(1), T - days(1) + TICK), (1, T), (1, T + TICK)
    )
    assert found["n"] == [1, 0]


def test_windows_shorter_than_a_day_and_longer_than_time_work(define: Define, ask: Ask) -> None:
    """A window is any span: one microsecond sees the instant alone, the longest sees all."""
    features = Count("now", window=TICK), Count("ever", window=timedelta.max)
    found = ask(define(*features), orders(datetime(1, 1, 1, tzinfo=UTC), T - TICK, T), (1, T))
    assert found == {"now": [1], "ever": [3]}


def test_a_date_is_seen_when_its_day_is_over(define: Define, ask: Ask) -> None:
    """An order dated 31 March is unknown at noon of that day and known at its close."""
    table = pa.table({"customer": [1], "at": [date(2024, 3, 31)]})
    found = ask(define(Count("n")), table, (1, T), (1, close_of_day(T)), (1, close_of_day(T) - TICK))
    assert found["n"] == [0, 1, 0]


def test_a_window_of_thirty_days_holds_thirty_dates(define: Define, ask: Ask) -> None:
    """At the close of a day, its own date is the first and the one 30 days before is out."""
    table = pa.table(
        {"customer": [1] * 60, "at": [date(2024, 2, 1) + timedelta(number) for number in range(60)]}
    )
    found = ask(define(CountDistinct("active", "at", window=days(30))), table, (1, close_of_day(T)))
    assert found["active"] == [30]


def test_the_two_instants_of_a_repeated_local_hour_stay_apart(define: Define, ask: Ask) -> None:
    """02:30 comes twice on 27 October in Paris, one hour apart."""
    paris = ZoneInfo("Europe/Paris")
    first, second = (datetime(2024, 10, 27, 2, 30, tzinfo=paris, fold=fold) for fold in (0, 1))
    local = pa.array([one.astimezone(UTC) for one in (first, second)], pa.timestamp("ms", "Europe/Paris"))
    table = pa.table({"customer": [1, 1], "at": local})
    found = ask(
        define(Count("n"), Span("hours")), table, (1, first.astimezone(UTC)), (1, second.astimezone(UTC))
    )
    assert found == {"n": [1, 2], "hours": [0.0, pytest.approx(1 / 24)]}


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/St_Johns"])
def test_the_zone_of_the_process_has_no_say(
    define: Define, ask: Ask, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Naive times are UTC, here on machines far east and west of it."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        naive = pa.array([T, T], pa.timestamp("us", "UTC")).cast(pa.timestamp("us"))
        table = pa.table({"customer": [1, 1], "at": naive})
        assert ask(define(Count("n")), table, (1, T - TICK), (1, T))["n"] == [0, 2]
    finally:
        monkeypatch.undo()
        time.tzset()


def test_nanoseconds_are_rounded_up(define: Define, ask: Ask) -> None:
    """An event 1 ns after T is 1 µs after T: rounding never lets it be seen early, before 1970 neither."""
    for moment in (T, datetime(1960, 1, 1, tzinfo=UTC)):
        late = pa.array([int(moment.timestamp()) * 10**9 + 1], pa.timestamp("ns", "UTC"))
        table = pa.table({"customer": [1], "at": late})
        assert ask(define(Count("n")), table, (1, moment), (1, moment + TICK))["n"] == [0, 1]


def test_every_aggregate_follows_its_definition(define: Define, ask: Ask) -> None:
    """All kinds over three events, all history and the last two days."""
    table = orders(T - days(9), T - days(1), T - days(1), usd=[1.5, 2.0, -4.0], code=["a", "b", "b"])
    kinds = {"sum": Sum, "mean": Mean, "min": Min, "max": Max, "codes": CountDistinct}
    features = [
        made
        for suffix, window in (("", None), ("_2d", days(2)))
        for made in (
            *(
                kind(name + suffix, "code" if name == "codes" else "usd", window=window)
                for name, kind in kinds.items()
            ),
            Count("n" + suffix, window=window),
            Since("last" + suffix, window=window),
            Since("first" + suffix, event="first", window=window),
            Span("span" + suffix, window=window),
        )
    ]
    found = {name: value[0] for name, value in ask(define(*features), table, (1, T)).items()}
    names = "sum", "mean", "min", "max", "codes", "n", "last", "first", "span"
    everything = -0.5, -0.5 / 3, -4.0, 2.0, 2, 3, 1.0, 9.0, 8.0
    recent = -2.0, -1.0, -4.0, 2.0, 1, 2, 1.0, 1.0, 0.0
    assert tuple(found[name] for name in names) == everything
    assert tuple(found[f"{name}_2d"] for name in names) == recent


def test_who_has_no_events_keeps_the_row(define: Define, ask: Ask) -> None:
    """Unknown, not yet known or null: counts are 0, sums 0.0, all else null."""
    features = Count("n"), CountDistinct("d", "usd"), Sum("s", "usd"), Mean("m", "usd"), Max("x", "usd")
    use_case = define(*features, Since("since"), Span("span"), Count("w", window=days(2)))
    found = ask(use_case, orders(T, usd=[1]), (2, T), (1, T - TICK), (None, T))
    nothing = {"n": 0, "d": 0, "s": 0.0, "m": None, "x": None, "since": None, "span": None, "w": 0}
    assert found == {name: [value] * 3 for name, value in nothing.items()}


def test_null_values_are_passed_over(define: Define, ask: Ask) -> None:
    """They are events that count, without a number or a value to tell apart."""
    usd = pa.array([None, Decimal("2.00"), None], pa.decimal128(8, 2))
    table = orders(T - days(5), T - days(3), T, usd=usd)
    features = Count("n"), Sum("s", "usd"), Mean("m", "usd"), CountDistinct("d", "usd")
    late = (
        Sum("s2", "usd", window=days(1)),
        Mean("m2", "usd", window=days(1)),
        CountDistinct("d2", "usd", window=days(1)),
    )
    found = ask(define(*features, *late), table, (1, T))
    assert found == {"n": [3], "s": [2.0], "m": [2.0], "d": [1], "s2": [0.0], "m2": [None], "d2": [0]}


def test_a_value_counts_once_however_often_and_whenever_it_came(define: Define, ask: Ask) -> None:
    """Equal values at one instant, and before the window and in it, are one value."""
    table = orders(
        T - days(9), T - days(1), T - days(1), T - days(1), T + days(1), code=["a", "a", "a", "b", "a"]
    )
    found = ask(
        define(CountDistinct("all", "code"), CountDistinct("w", "code", window=days(3))), table, (1, T)
    )
    assert found == {"all": [2], "w": [2]}


def test_known_events_are_those_recorded_by_then(define: Define, ask: Ask) -> None:
    """A late record is unseen until it was written, and then counts from when it happened."""
    table = orders(T - days(9), T - days(2), recorded=[T - days(9), T])
    moments = [(1, T - TICK), (1, T), (1, T + days(8))]
    features = Count("n", window=days(3)), Since("last")
    known = ask(define(*features, created="recorded"), table, *moments)
    assert known["n"] == [0, 1, 0]
    assert known["last"] == [pytest.approx(9), 2.0, 10.0]
    happened = ask(define(*features, created="recorded", visibility="event"), table, *moments)
    assert happened["n"] == [1, 1, 0]
    assert happened["last"] == [pytest.approx(2), 2.0, 10.0]


def test_a_late_record_of_a_value_moves_its_last_day_only_once_known(define: Define, ask: Ask) -> None:
    """The value left the window by what was known, and is back in it when the newer event is recorded."""
    table = orders(
        T - days(9), T - days(2), T - days(5), recorded=[T - days(9), T, T + days(2)], code=["a", "a", "a"]
    )
    use_case = define(CountDistinct("codes", "code", window=days(6)), created="recorded")
    found = ask(
        use_case, table, (1, T - days(4)), (1, T - days(1)), (1, T), (1, T + days(2)), (1, T + days(4))
    )
    assert found["codes"] == [1, 0, 1, 1, 0]


def test_an_event_recorded_before_it_happened_is_seen_when_it_happened(define: Define, ask: Ask) -> None:
    """A booking made ahead is no event yet."""
    found = ask(
        define(Count("n"), created="recorded"), orders(T, recorded=[T - days(3)]), (1, T - TICK), (1, T)
    )
    assert found["n"] == [0, 1]


def test_views_of_one_source_may_differ_in_visibility(define: Define, ask: Ask) -> None:
    """Each view keeps its own, and all features come in the order of their definition."""
    happened = FeatureView(name="happened", source="orders", features=(Count("b"),), visibility="event")
    known = FeatureView(name="known", source="orders", features=(Count("c"),))
    use_case = define(Count("a"), created="recorded", views=(happened, known))
    found = ask(use_case, orders(T, recorded=[T + days(1)]), (1, T))
    assert found == {"a": [0], "b": [1], "c": [0]}
    assert list(found) == ["a", "b", "c"]


def test_views_of_different_sources_miss_independently(define: Define, ask: Ask) -> None:
    """An entity without visits still has its orders; key widths may differ."""
    source = EventSource(name="visits", event_timestamp="seen_on")
    visits = pa.table(
        {"customer": pa.array([2, 2], pa.uint8()), "seen_on": [date(2024, 3, 1)] * 2, "pages": [3, 4]}
    )
    view = FeatureView(name="visits", source="visits", features=(Sum("pages", "pages"), Count("visits")))
    use_case = define(Count("orders"), sources=(source,), views=(view,))
    found = ask(use_case, orders(T), (1, T), (2, T), visits=visits)
    assert found == {"orders": [1, 0], "pages": [0.0, 7.0], "visits": [0, 2]}


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_string_keys_match_as_they_are_written(define: Define, ask: Ask, kind: pa.DataType) -> None:
    """Nothing is trimmed, folded or read as a number."""
    names = ["1", "01", "a", "A", "a ", "", "O'Brien", "é", "e\u0301"]
    table = pa.table({"customer": pa.array(names, pa.string()).cast(kind), "at": [T] * len(names)})
    found = ask(define(Count("n")), table, *[(name, T) for name in [*names, "2", None]])
    assert found["n"] == [1] * len(names) + [0, 0]


def test_integer_keys_are_exact_and_of_any_width(
    define: Define, store: OfflineStore, ingested: Ingested
) -> None:
    """2**53 + 1 is not 2**53, and int16 in the spine meets int32 in the events."""
    large = 2**53
    paths = ingested(define(Count("n")), orders=orders(T, customer=large + 1))
    spine = pa.table({"customer": [large, large + 1, None], "event_timestamp": [T] * 3})
    assert store.features(define(Count("n")), paths, spine)["n"].to_pylist() == [0, 1, 0]
    narrow = pa.table({"customer": pa.array([7], pa.int32()), "at": [T]})
    paths = ingested(define(Count("n")), orders=narrow)
    spine = pa.table({"customer": pa.array([7, 8], pa.int16()), "event_timestamp": [T] * 2})
    assert store.features(define(Count("n")), paths, spine)["n"].to_pylist() == [1, 0]


@pytest.mark.parametrize(
    "column",
    [
        "order",
        "select",
        'a "quoted" one',
        "it's",
        "n",
        "k",
        "t",
        "v",
        "age",
        "row_id",
        "f0",
        "c1",
        "Customer",
        "a.b",
        "é",
    ],
)
def test_any_column_name_works(define: Define, ask: Ask, column: str) -> None:
    """Reserved words, quotes, names of ours, a feature's own name, and names that differ by case alone."""
    table = orders(T, T, **{column: [2, 3], column.swapcase() + "_": [5, 5]})
    use_case = define(Sum("n", column), Max("N", column.swapcase() + "_"), CountDistinct("f0", column))
    assert ask(use_case, table, (1, T)) == {"n": [5.0], "N": [5.0], "f0": [2]}


def test_columns_that_differ_by_case_alone_are_two(define: Define, ask: Ask) -> None:
    """Also where an engine is blind to case."""
    table = orders(T, usd=[1], USD=[2], At=[3])
    found = ask(define(Sum("a", "usd"), Sum("b", "USD"), Sum("c", "At")), table, (1, T))
    assert found == {"a": [1.0], "b": [2.0], "c": [3.0]}


def test_the_events_time_may_be_called_event_timestamp(define: Define, ask: Ask) -> None:
    """As the spine's column is."""
    table = pa.table({"customer": [1], "event_timestamp": [T - days(1)]})
    use_case = define(Since("since"), CountDistinct("moments", "event_timestamp"), at="event_timestamp")
    assert ask(use_case, table, (1, T)) == {"since": [1.0], "moments": [1]}


def test_the_key_and_the_created_timestamp_may_be_counted_too(define: Define, ask: Ask) -> None:
    """A column may be read in two ways."""
    table = orders(T, T, recorded=[T, T - days(1)])
    features = CountDistinct("keys", "customer"), CountDistinct("writes", "recorded"), Sum("sum", "customer")
    assert ask(define(*features, created="recorded"), table, (1, T)) == {
        "keys": [1],
        "writes": [2],
        "sum": [2.0],
    }


@pytest.mark.parametrize(
    "values",
    [
        [True, False, True],
        [date(2024, 1, 1), date(2024, 1, 2), date(2024, 1, 1)],
        [T, T + TICK, T],
        [Decimal("1.10"), Decimal("1.1001"), Decimal("1.1")],
        ["a", "A", "a"],
        [2**53, 2**53 + 1, 2**53],
    ],
)
def test_values_of_every_kind_can_be_told_apart(define: Define, ask: Ask, values: list[object]) -> None:
    """Two different ones among three."""
    assert ask(define(CountDistinct("d", "value")), orders(T, T, T, value=values), (1, T))["d"] == [2]


def test_integers_and_decimals_add_up_exactly(define: Define, ask: Ask) -> None:
    """Sums that floats would get wrong on the way: 2**60 + 1 - 2**60 and ten dimes."""
    whole = ask(define(Sum("s", "n")), orders(T, T, T, n=[2**60, 1, -(2**60)]), (1, T))
    assert whole["s"] == [1.0]
    dimes = orders(*[T] * 10, usd=[Decimal("0.1")] * 10)
    assert ask(define(Sum("s", "usd"), Mean("m", "usd")), dimes, (1, T)) == {"s": [1.0], "m": [0.1]}


def test_floats_add_up_whatever_their_order(define: Define, ask: Ask) -> None:
    """A value that the others would swallow survives, at every scale."""
    table = orders(T, T, T, x=[1e15, 0.1, -1e15])
    found = ask(define(Sum("s", "x"), Mean("m", "x")), table, (1, T))
    assert found["s"] == [pytest.approx(0.1, rel=1e-12, abs=0)]
    assert found["m"] == [pytest.approx(0.1 / 3, rel=1e-12, abs=0)]
    for scale in (1e300, 1.0, 1e-200):
        table = orders(T, T, x=[3 * scale, 4 * scale])
        assert ask(define(Sum("s", "x")), table, (1, T))["s"] == [pytest.approx(7 * scale, rel=1e-12, abs=0)]
    assert ask(define(Sum("s", "x")), orders(T, T, x=[0.0, None]), (1, T))["s"] == [0.0]
