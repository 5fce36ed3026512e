"""Features, views and services say what is wrong with them when they are made."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from mlops_core.domain.features import (
    AnyFeature,
    Count,
    CountDistinct,
    First,
    Last,
    Latest,
    Max,
    Mean,
    Min,
    Since,
    Span,
    StdDev,
    Sum,
)
from mlops_core.domain.sources import Entity, EventSource, Query
from mlops_core.domain.time import days
from mlops_core.domain.views import FeatureService, FeatureView, OnDemand

TICK = timedelta(microseconds=1)
PLAIN = (Count, Since, Span)
OF_COLUMNS = (CountDistinct, Sum, Mean, Min, Max, StdDev, First, Last)


def every(**looks: Any) -> list[AnyFeature]:
    """A feature of every kind of aggregate that looks at this."""
    return [*(kind("f", **looks) for kind in PLAIN), *(kind("f", "x", **looks) for kind in OF_COLUMNS)]


def view(*features: Any, **changes: Any) -> FeatureView:
    """A view of orders."""
    return FeatureView(name="view", source="orders", features=features, **changes)


@pytest.mark.parametrize(
    ("looks", "message"),
    [
        ({"window": timedelta(0)}, "a window reaches back: give more than zero, got 0:00:00"),
        ({"window": -days(1)}, "a window reaches back: give more than zero, got -1 day"),
        ({"offset": -TICK}, "an offset moves a window back: give zero or more, got -1 day, 23:59:59.999999"),
        ({"windw": days(3)}, "windw"),
        ({"until": days(3)}, "until"),
        ({"lead": days(3)}, "lead"),
    ],
)
@pytest.mark.parametrize("kind", [*PLAIN, *OF_COLUMNS])
def test_no_aggregate_can_be_told_to_read_the_future(
    kind: type[Any], looks: dict[str, Any], message: str
) -> None:
    """Not by a window or an offset under zero, nor by an option that nobody knows."""
    column = () if kind in PLAIN else ("x",)
    with pytest.raises(ValidationError, match=message):
        kind("f", *column, **looks)


@pytest.mark.parametrize("stored", ["-P1D", "-PT0.000001S", -86400])
@pytest.mark.parametrize("option", ["window", "offset"])
def test_no_stored_definition_can_be_changed_to_read_the_future(stored: Any, option: str) -> None:
    """What a registry gives back is checked as what is written is."""
    adapter: TypeAdapter[AnyFeature] = TypeAdapter(AnyFeature)
    given = {"kind": "count", "name": "n", option: stored}
    with pytest.raises(ValidationError, match=r"reaches back|moves a window back"):
        adapter.validate_python(given)


@pytest.mark.parametrize("option", ["window", "offset", "where"])
def test_a_latest_value_looks_at_nothing_but_the_past(option: str) -> None:
    """It has no option that could say otherwise."""
    with pytest.raises(ValidationError, match=f"{option}\n.*Unexpected keyword"):
        TypeAdapter(Latest).validate_python({"name": "level", option: days(1)})


@pytest.mark.parametrize("option", ["delay", "ttl", "staleness"])
def test_no_view_or_source_can_be_told_to_read_the_future(option: str) -> None:
    """A delay under zero would show events before they happened, an age under zero rows of tomorrow."""
    for span in (-TICK, -days(1)):
        with pytest.raises(ValidationError, match=r"give zero or more|more than zero"):
            define(option, span)


def define(option: str, span: timedelta) -> object:
    """A source for a delay, else a view of latest values."""
    if option == "delay":
        return EventSource(name="orders", event_timestamp="at", delay=span)
    return view(Latest("level"), **{option: span})


@pytest.mark.parametrize("feature", every(window=TICK, offset=days(9999)))
def test_a_definition_cannot_be_changed_once_made(feature: Any) -> None:
    """So that what was checked is what is read."""
    with pytest.raises(AttributeError):
        feature.window = -days(1)
    with pytest.raises(AttributeError):
        feature.offset = -days(1)


@pytest.mark.parametrize("name", ["", "1st", "with space", "ö", "a-b", "_x", "x" * 64])
def test_a_name_is_a_plain_word(name: str) -> None:
    """What every engine takes as a column's name; at most 63 characters."""
    for make in (lambda: Count(name), lambda: view(Count("n"), entity=name), lambda: Latest(name)):
        with pytest.raises(ValidationError, match=r"should match pattern|at most 63"):
            make()


def test_a_view_is_of_one_kind() -> None:
    """Latest values are of rows, aggregates of events."""
    with pytest.raises(ValidationError, match=r"view 'view' mixes latest values \(level\) with aggregates"):
        view(Latest("level"), Count("n"))


def test_aggregates_have_windows_and_no_ttl() -> None:
    """An event does not expire: it leaves the window."""
    with pytest.raises(ValidationError, match=r"view 'view' has a ttl, which aggregates do not: use window="):
        view(Count("n"), ttl=days(1))


def test_a_view_has_features() -> None:
    """Nothing comes of nothing."""
    with pytest.raises(ValidationError, match="at least 1 item"):
        view()


def test_an_unknown_visibility_is_refused() -> None:
    """Known or event; nothing between."""
    with pytest.raises(ValidationError, match="'known' or 'event'"):
        view(Count("n"), visibility="recorded")


def test_a_latest_value_is_of_the_column_of_its_name() -> None:
    """Unless another is given."""
    assert (Latest("level").column, Latest("level", "grade").column) == ("level", "grade")


@pytest.mark.parametrize("formula", ["orders(", "__import__('os')", "1 + 1", "orders.real"])
def test_a_feature_on_demand_needs_a_formula(formula: str) -> None:
    """When it is defined, not when it is computed."""
    with pytest.raises(ValueError, match=r"formula|reads no feature"):
        OnDemand("trend", formula)


def test_a_feature_on_demand_says_what_it_reads() -> None:
    """In the order of the formula."""
    assert OnDemand("trend", "b / a - b").inputs == ("b", "a")


def test_a_service_is_asked_for_by_name_and_version() -> None:
    """From version 1 on."""
    assert FeatureService(name="small", version=3, features=("a",)).label == "small@3"
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        FeatureService(name="small", version=0, features=("a",))


def test_a_source_is_of_one_place() -> None:
    """And corrections need to say when they were made; both are said at once."""
    with pytest.raises(ValidationError) as caught:
        EventSource.model_validate(
            {
                "name": "orders",
                "event_timestamp": "at",
                "path": "a.csv",
                "query": "SELECT 1",
                "event_id": "id",
            }
        )
    assert "source 'orders' has both path and query: give one; and has an event_id but no" in str(
        caught.value
    )


def test_data_is_a_path_or_a_query() -> None:
    """Or nothing, where a run brings it."""
    assert EventSource(name="orders", event_timestamp="at").data is None
    assert EventSource(name="orders", event_timestamp="at", query="SELECT 1").data == Query(sql="SELECT 1")


def test_a_key_is_one_column_or_several() -> None:
    """In their order."""
    assert Entity(name="customer", key="id").keys == ("id",)
    assert Entity(name="customer", key=("shop", "id")).keys == ("shop", "id")
    with pytest.raises(ValidationError, match="at least 1"):
        Entity(name="customer", key=())
