"""Keys of one column and of several, names and types of columns: nothing collides and nothing is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

from mlops_core.domain.features import Count, Latest, Sum
from mlops_core.domain.sources import Entity, EventSource
from mlops_core.domain.time import days
from mlops_core.domain.views import FeatureView
from mlops_core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.ports import OfflineStore

    Make = Callable[..., Any]

T = datetime(2024, 3, 31, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
RATES = EventSource(name="rates", event_timestamp="at")


def view(name: str, *features: Any, **changes: Any) -> FeatureView:
    """A view of rates."""
    fields = {"name": name, "source": "rates", "features": features or (Latest(name, "rate"),)}
    return FeatureView.model_validate(fields | changes)


@pytest.mark.parametrize("separator", ["", "_", "|", "\x00", ",", ":", "#"])
def test_composite_keys_do_not_collide_when_written_together(define: Make, ask: Make, separator: str) -> None:
    """("1", "11") is not ("11", "1"), nor are parts that hold what an engine might join them by."""
    # Feast's spark store collides composite keys
    pairs = [
        ("1", f"1{separator}1"),
        (f"1{separator}1", "1"),
        ("11", "1"),
        ("1", "11"),
        ("", "111"),
        ("111", ""),
    ]
    pairs = list(dict.fromkeys(pairs))
    table = pa.table(
        {
            "a": [a for a, _ in pairs],
            "b": [b for _, b in pairs],
            "at": [T] * len(pairs),
            "x": range(len(pairs)),
        }
    )
    found = ask(define(Count("n"), Sum("x", "x"), key=("a", "b")), table, *[(*pair, T) for pair in pairs])
    assert found == {"n": [1] * len(pairs), "x": [float(number) for number in range(len(pairs))]}


def test_a_null_part_matches_nothing(define: Make, ask: Make) -> None:
    """Not even the same part of an entity that is otherwise equal."""
    # pandas and Acero match null with null
    table = pa.table({"a": [1, 1], "b": ["x", "y"], "at": [T, T]})
    by_a = FeatureView(name="by_a", source="orders", entity="a", features=(Count("m"),))
    use_case = define(Count("n"), key=("a", "b"), views=(by_a,), entities=(Entity(name="a", key="a"),))
    found = ask(use_case, table, (1, "x", T), (1, None, T), (None, "x", T), (None, None, T))
    assert found == {"n": [1, 0, 0, 0], "m": [2, 2, 0, 0]}


def test_a_null_in_a_key_of_a_source_is_refused(define: Make, ask: Make) -> None:
    """Each part of it."""
    table = pa.table({"a": [1, None], "b": [None, "y"], "at": [T, T]})
    with pytest.raises(DataError, match=r"a is null in row 2; b is null in row 1"):
        ask(define(Count("n"), key=("a", "b")), table, (1, "x", T))


def test_views_of_different_entities_miss_independently(define: Make, ask: Make) -> None:
    """A new customer of a known shop has the shop's features."""
    use_case = define(
        Count("mine"), key=("shop", "customer"), sources=(RATES,),
        entities=(Entity(name="shop", key="shop"),),
        views=(
            FeatureView(name="all", source="orders", entity="shop", features=(Count("shops"),)),
            view("rate", entity="shop"),
        ),
    )  # fmt: skip
    orders = pa.table({"shop": [1, 1, 2], "customer": ["a", "a", "a"], "at": [T, T, T]})
    rates = pa.table({"shop": [1, 3], "at": [T, T], "rate": [5, 7]})
    found = ask(use_case, orders, (1, "a", T), (1, "b", T), (2, "a", T), (3, "a", T), rates=rates)
    assert found == {"mine": [2, 0, 1, 0], "shops": [2, 2, 1, 0], "rate": [5, 5, None, 7]}


def test_one_source_may_be_joined_under_two_keys(define: Make, ask: Make) -> None:
    """The rate of the city one lives in, and of that one works in."""
    use_case = define(
        Count("n"), key=("customer", "home", "work"), sources=(RATES,),
        entities=(Entity(name="home", key="home"), Entity(name="work", key="work")),
        views=(view("h", entity="home", on=("city",)), view("w", entity="work", on=("city",))),
    )  # fmt: skip
    orders = pa.table({"customer": [1], "home": ["x"], "work": ["y"], "at": [T]})
    rates = pa.table({"city": ["x", "y"], "at": [T, T - days(1)], "rate": [1, 2]})
    found = ask(use_case, orders, (1, "x", "y", T), (1, "y", "x", T), (1, "x", "z", T - days(1)), rates=rates)
    assert found == {"n": [1, 0, 0], "h": [1, 2, None], "w": [2, 1, None]}


def test_the_key_columns_of_a_source_may_stand_in_another_order_and_have_other_names(
    define: Make, ask: Make
) -> None:
    """`on` pairs them with those of the entity, place by place."""
    use_case = define(Count("n"), key=("a", "b"), sources=(RATES,), views=(view("rate", on=("b", "a")),))
    orders = pa.table({"a": [1], "b": [2], "at": [T]})
    rates = pa.table({"a": [2], "b": [1], "at": [T], "rate": [5]})
    assert ask(use_case, orders, (1, 2, T), (2, 1, T), rates=rates) == {"n": [1, 0], "rate": [5, None]}


def test_a_name_that_is_used_twice_is_an_error(define: Make) -> None:
    """There are no prefixes to tell two views' features apart."""
    # Feast asks for full_feature_names
    with pytest.raises(ValidationError, match="'rate' is used 2 times"):
        define(Count("n"), sources=(RATES,), views=(view("rate"), view("b", Latest("rate"))))
    with pytest.raises(ValidationError, match="'event_timestamp' is used 2 times"):
        define(Count("event_timestamp"))


@pytest.mark.parametrize("column", ["n", "rate", "x_y", "rate_y", "k0", "__index_level_0__"])
def test_a_spine_may_have_other_columns_but_not_one_called_like_a_feature(
    define: Make, ingested: Make, store: OfflineStore, column: str
) -> None:
    """It comes back untouched, or the call is refused."""
    # Feast's duckdb store drops columns that end in _y
    use_case = define(Count("n"), sources=(RATES,), views=(view("rate"),))
    events = ingested(
        use_case,
        orders=pa.table({"customer": [1], "at": [T]}),
        rates=pa.table({"customer": [1], "at": [T], "rate": [5]}),
    )
    spine = pa.table({"customer": [1], column: ["kept"], "event_timestamp": [T]})
    if column in ("n", "rate"):
        with pytest.raises(DataError, match=rf"columns named \['{column}'\] already"):
            store.features(use_case, events, spine)
    else:
        found = store.features(use_case, events, spine)
        assert found.column_names == ["customer", column, "event_timestamp", "n", "rate"]
        assert found[column].to_pylist() == ["kept"]


def test_integers_stay_exact_beside_a_missing_row(newest: Make) -> None:
    """2**53 + 1 does not become a float because somebody else has no value."""
    # Feast's duckdb store turns int64 into float64
    large = 2**53 + 1
    assert newest([(1, T, large), (2, T, -(2**63))], (1, T), (9, T), (2, T)) == [large, None, -(2**63)]


@pytest.mark.parametrize(
    ("values", "expected", "kind"),
    [
        (pa.array([True, False, None]), [1, 0, None], pa.int64()),
        (pa.array([1, 2, None], pa.uint8()), [1, 2, None], pa.int64()),
        (pa.array([1.5, -0.0, None], pa.float32()), [1.5, 0.0, None], pa.float64()),
        (pa.array(["1.10", "2.00", None]).cast(pa.decimal128(5, 2)), [1.1, 2.0, None], pa.float64()),
    ],
)
def test_latest_values_have_the_types_that_are_promised(
    rated: Make, ingested: Make, store: OfflineStore, spine_of: Make, values: Any, expected: Any, kind: Any
) -> None:
    """int64 for integers and booleans, else float64; for an empty spine, too."""
    use_case = rated()
    rates = pa.table({"customer": [1, 2, 3], "at": [T] * 3, "rate": values})
    events = ingested(use_case, rates=rates)
    spine = spine_of((1, T), (2, T), (3, T))
    found = store.features(use_case, events, spine)
    assert (found["rate"].to_pylist(), found["rate"].type) == (expected, kind)
    assert store.features(use_case, events, spine.slice(3)).schema == found.schema


def test_keys_of_any_width_meet(rated: Make, ingested: Make, store: OfflineStore) -> None:
    """int32 in the source, int64 or int16 in the spine."""
    use_case = rated()
    rates = pa.table({"customer": pa.array([7], pa.int32()), "at": [T], "rate": [5]})
    events = ingested(use_case, rates=rates)
    for kind in (pa.int16(), pa.int32(), pa.int64(), pa.uint64()):
        spine = pa.table({"customer": pa.array([7, 8], kind), "event_timestamp": [T, T]})
        found = store.features(use_case, events, spine)
        assert found["rate"].to_pylist() == [5, None]
        assert found["customer"].type == kind


def test_keys_are_typed(rated: Make, ingested: Make, store: OfflineStore, spine_of: Make) -> None:
    """ "1" is not 1: asking with the wrong type is a mistake, not a miss."""
    events = ingested(rated(), rates=pa.table({"customer": ["1"], "at": [T], "rate": [5]}))
    with pytest.raises(DataError, match='"1" is not 1'):
        store.features(rated(), events, spine_of((1, T)))
