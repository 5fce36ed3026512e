"""Use cases survive JSON, and their digests change with what they decide and with nothing else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mlops_core.definitions import (
    Count,
    CountDistinct,
    Entity,
    EventSource,
    EveryMonth,
    FeatureService,
    FeatureView,
    First,
    Fresh,
    GatePolicy,
    GradientBoosting,
    InRange,
    Last,
    Latest,
    LogisticRegression,
    Matches,
    Max,
    Mean,
    Min,
    NoEventWithin,
    NotNull,
    OnDemand,
    OneOf,
    Since,
    Span,
    StdDev,
    Sum,
    Unique,
    UseCase,
    Volume,
    Where,
    days,
)
from mlops_core.usecases.churn import CHURN

PURCHASES = EventSource(
    name="purchases", event_timestamp="at", created_timestamp="recorded", path=Path("a.parquet")
)
ORDERS = Count("orders", window=days(30))
HISTORY = FeatureView(name="history", source="purchases", features=(ORDERS,))
EVERYTHING = UseCase(
    name="churn",
    entity=Entity(name="customer", key=("shop", "customer")),
    entities=(Entity(name="shop", key="shop"),),
    sources=(
        EventSource(
            name="purchases",
            event_timestamp="at",
            created_timestamp="recorded",
            event_id="purchase",
            delay=timedelta(hours=3, microseconds=1),
            path=Path("purchases") / "*.parquet",
            append=True,
            columns={
                "shop": "integer", "customer": "text", "purchase": "integer", "at": "timestamp",
                "recorded": "date", "usd": "number", "channel": "text", "paid": "boolean",
            },
            rules=(
                NotNull("usd"), InRange("usd", low=0, high=1e6), OneOf("channel", ("web", "shop")),
                Matches("channel", "[a-z]+"), Unique(("purchase", "recorded")), Fresh(days(2)),
                Volume(most=3),
            ),
        ),
        EventSource(name="grades", event_timestamp="on", query="SELECT * FROM 'grades.csv'"),
    ),
    views=(
        FeatureView(
            name="history",
            source="purchases",
            features=(
                ORDERS,
                Count("web", where=(Where("channel", "in", ("web", "app")),), offset=days(30)),
                CountDistinct("channels", "channel"),
                Sum("spend", "usd", where=(Where("usd", ">", 0.5), Where("paid", "==", True))),
                Mean("mean", "usd"), Min("least", "usd"), Max("most", "usd"), StdDev("spread", "usd"),
                First("first", "usd"), Last("last", "usd", window=timedelta(microseconds=1)),
                Since("since", event="previous"), Span("span"),
            ),
        ),
        FeatureView(
            name="shops", source="purchases", features=(Count("shop_orders"),), entity="shop",
            visibility="event", staleness=days(1),
        ),
        FeatureView(
            name="grades", source="grades", features=(Latest("level"), Latest("top", "gold")),
            on=("branch", "who"), ttl=days(90),
        ),
    ),
    on_demand=(OnDemand("share", "web / orders"),),
    services=(
        FeatureService(name="small", features=("orders", "share")),
        FeatureService(name="small", version=2, features=("level", "orders")),
    ),
    service="small",
    label=NoEventWithin(name="churned", source="purchases", horizon=days(90)),
    spine=EveryMonth(history=12),
    candidates=(LogisticRegression(), GradientBoosting()),
    gate=GatePolicy(floor=0.7, ceilings={"brier": 0.2}),
)  # fmt: skip


def use_case(**changes: Any) -> UseCase:
    """A small valid use case, with some fields changed."""
    fields: dict[str, Any] = {
        "name": "churn",
        "entity": Entity(name="customer", key="customer_id"),
        "sources": (PURCHASES,),
        "views": (HISTORY,),
        "label": NoEventWithin(name="churned", source="purchases", horizon=days(90)),
        "candidates": (LogisticRegression(),),
        "gate": GatePolicy(floor=0.7),
    }
    return UseCase(**(fields | changes))


@pytest.mark.parametrize("given", [CHURN, EVERYTHING])
def test_a_use_case_survives_json(given: UseCase) -> None:
    """What a registry keeps is what was defined, and keeps its digests."""
    again = UseCase.model_validate_json(given.model_dump_json())
    assert again == given
    assert again.training_digest == given.training_digest
    assert [type(one) for view in again.views for one in view.features] == [
        type(one) for view in given.views for one in view.features
    ]


def test_a_service_without_a_version_is_its_highest() -> None:
    """And its features come in its own order; what it does not list is not joined."""
    assert EVERYTHING.feature_names == ("level", "orders")
    assert EVERYTHING.joined_names == ("orders", "level")
    assert EVERYTHING.model_copy(update={"service": "small@1"}).feature_names == ("orders", "share")


def test_a_feature_on_demand_brings_what_it_reads() -> None:
    """Also where the service does not list that."""
    assert EVERYTHING.model_copy(update={"service": "small@1"}).joined_names == ("orders", "web")
    assert EVERYTHING.model_copy(update={"service": None}).feature_names[-1] == "share"


def test_the_strictest_staleness_of_the_views_in_use_counts() -> None:
    """A limit of a view that nobody asks for does not."""
    assert EVERYTHING.staleness is None
    assert EVERYTHING.model_copy(update={"service": None}).staleness == days(1)


def source(**changes: Any) -> dict[str, Any]:
    """The purchases, changed."""
    return {"sources": (EventSource.model_validate(PURCHASES.model_dump() | changes),)}


def view(*features: Any, **changes: Any) -> dict[str, Any]:
    """The history, changed."""
    fields = {"name": "history", "source": "purchases", "features": features or (ORDERS,)}
    return {"views": (FeatureView.model_validate(fields | changes),)}


@pytest.mark.parametrize(
    "changes",
    [
        source(path=Path("b.parquet")),
        source(path=None, query="SELECT 1"),
        source(append=True),
        source(rules=(NotNull("usd"),)),
        source(columns={"customer_id": "integer", "at": "timestamp", "recorded": "timestamp"}),
        {"gate": GatePolicy(floor=0.9)},
        {"candidates": (GradientBoosting(),)},
    ],
)
def test_what_decides_no_value_does_not_change_the_digests(changes: dict[str, Any]) -> None:
    """Where rows lie, how they arrive, what they must keep; which models there are and which may serve."""
    changed = use_case(**changes)
    assert changed.features_digest == use_case().features_digest
    assert changed.training_digest == use_case().training_digest
    assert changed.online_name == use_case().online_name


@pytest.mark.parametrize(
    "changes",
    [
        view(Count("orders", window=days(31))),
        view(Count("orders", window=days(30), offset=days(1))),
        view(Count("orders", window=days(30), where=(Where("usd", ">", 1),))),
        view(Count("orders")),
        view(visibility="event"),
        view(on=("buyer",)),
        source(delay=days(1)),
        source(created_timestamp=None),
        source(event_id="purchase"),
        source(event_timestamp="on"),
        {"entity": Entity(name="customer", key="buyer_id")},
        {"on_demand": (OnDemand("double", "orders * 2"),)},
    ],
)
def test_what_decides_a_value_changes_the_digests(changes: dict[str, Any]) -> None:
    """A release goes on reading values made by its own definitions."""
    changed = use_case(**changes)
    assert changed.features_digest != use_case().features_digest
    assert changed.training_digest != use_case().training_digest
    assert changed.online_name != use_case().online_name


def test_the_age_of_a_latest_value_changes_the_digests() -> None:
    """A ttl decides whether there is a value; staleness decides whether it may be served."""
    latest, short, long = (
        use_case(**view(Latest("level"), ttl=ttl)).features_digest for ttl in (None, days(1), days(2))
    )
    assert len({latest, short, long}) == 3


def test_the_label_and_the_spine_change_the_training_set_alone() -> None:
    """Online values serve every model of the same features."""
    label = NoEventWithin(name="churned", source="purchases", horizon=days(60))
    for changed in (use_case(label=label), use_case(spine=EveryMonth(history=3))):
        assert changed.features_digest == use_case().features_digest
        assert changed.training_digest != use_case().training_digest
