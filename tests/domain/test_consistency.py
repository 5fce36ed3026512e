"""What the parts of a use case must agree on is checked when it is built, all of it at once."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from mlops_core.domain.candidates import LogisticRegression
from mlops_core.domain.conditions import Where
from mlops_core.domain.features import Count, CountDistinct, First, Latest, Sum
from mlops_core.domain.gates import GatePolicy, Slice
from mlops_core.domain.labels import NoEventWithin
from mlops_core.domain.rules import InRange, Matches, NotNull, Unique
from mlops_core.domain.sources import ColumnType, Entity, EventSource
from mlops_core.domain.time import days
from mlops_core.domain.usecase import UseCase
from mlops_core.domain.views import FeatureService, FeatureView, OnDemand

COLUMNS: dict[str, ColumnType] = {
    "shop": "integer", "customer": "text", "order": "integer", "at": "timestamp", "recorded": "timestamp",
    "usd": "number", "channel": "text", "paid": "boolean", "day": "date",
}  # fmt: skip


def orders(**changes: Any) -> EventSource:
    """The orders, with their columns declared."""
    fields: dict[str, Any] = {"name": "orders", "event_timestamp": "at", "columns": COLUMNS}
    return EventSource.model_validate(fields | changes)


def view(*features: Any, name: str = "view", **changes: Any) -> FeatureView:
    """A view of orders."""
    return FeatureView.model_validate({"name": name, "source": "orders", "features": features} | changes)


def problems(**changes: Any) -> str:
    """What is said of a use case over orders of a customer of a shop, with some fields changed."""
    fields: dict[str, Any] = {
        "name": "shops",
        "entity": Entity(name="customer", key=("shop", "customer")),
        "sources": (orders(),),
        "views": (view(Count("n")),),
        "label": NoEventWithin(name="gone", source="orders", horizon=days(90)),
        "candidates": (LogisticRegression(),),
        "gate": GatePolicy(floor=0.7),
    }
    UseCase(**fields)  # what is changed is all that is wrong
    with pytest.raises(ValidationError) as caught:
        UseCase(**(fields | changes))
    return str(caught.value)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (
            (Sum("s", "uds"),),
            "feature 's' reads column 'uds', which source 'orders' does not declare, did you mean 'usd'?",
        ),
        ((Count("c", where=(Where("chanel", "==", "web"),)),), "did you mean 'channel'?"),
        ((CountDistinct("d", "zzz"),), "reads column 'zzz', which source 'orders' does not declare"),
        ((Sum("s", "channel"),), "feature 's' needs 'channel' to be integer or number, source 'orders' says"),
        ((First("f", "day"),), "feature 'f' needs 'day' to be integer or number"),
        ((Sum("s", "paid"),), "feature 's' needs 'paid' to be integer or number"),
        ((Latest("channel"),), "feature 'channel' needs 'channel' to be integer or number or boolean"),
        ((Count("c", where=(Where("usd", "==", "1"),)),), "feature 'c' needs 'usd' to be text"),
        ((Count("c", where=(Where("channel", "==", 1),)),), "feature 'c' needs 'channel' to be integer or"),
        ((Count("c", where=(Where("usd", "==", True),)),), "feature 'c' needs 'usd' to be boolean"),
    ],
)
def test_a_feature_reads_columns_that_are_declared_as_what_it_needs(
    features: tuple[Any, ...], message: str
) -> None:
    """With what may have been meant."""
    assert message in problems(views=(view(*features),))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"event_timestamp": "att"}, "source 'orders' reads column 'att'"),
        ({"created_timestamp": "paid"}, "source 'orders' needs 'paid' to be timestamp or date or text"),
        ({"created_timestamp": "at", "event_id": "usd"}, "source 'orders' needs 'usd' to be integer or text"),
        ({"rules": (NotNull("usdd"),)}, "a rule of source 'orders' reads column 'usdd'"),
        ({"rules": (Unique(("order", "line")),)}, "a rule of source 'orders' reads column 'line'"),
        ({"rules": (InRange("channel", low=0),)}, "source 'orders' needs 'channel' to be integer or number"),
        ({"rules": (Matches("usd", "[0-9]"),)}, "a rule of source 'orders' needs 'usd' to be text"),
        ({"columns": COLUMNS | {"shop": "number"}}, "needs 'shop' to be integer or text"),
        ({"columns": {"at": "timestamp", "customer": "text"}}, "label 'gone' reads column 'shop'"),
    ],
)
def test_a_source_has_what_is_read_of_it(changes: dict[str, Any], message: str) -> None:
    """Timestamps, ids, keys, and the columns of its rules."""
    assert message in problems(sources=(orders(**changes),))


def test_without_declared_columns_nothing_is_said_of_them() -> None:
    """Ingestion will."""
    message = problems(sources=(orders(columns=None),), views=(view(Sum("gone", "zzz")),))
    assert "zzz" not in message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"views": (view(Count("n"), Count("n")),)}, "feature or column name 'n' is used 2 times"),
        (
            {"views": (view(Count("n")), view(Count("n"), name="b"))},
            "feature or column name 'n' is used 2 times",
        ),
        ({"views": (view(Count("gone")),)}, "feature or column name 'gone' is used 2 times"),
        ({"views": (view(Count("shop")),)}, "feature or column name 'shop' is used 2 times"),
        ({"views": (view(Count("event_timestamp")),)}, "name 'event_timestamp' is used 2 times"),
        ({"views": (view(Count("split")),)}, "name 'split' is used 2 times"),
        ({"on_demand": (OnDemand("n", "n + 1"),)}, "feature or column name 'n' is used 2 times"),
        ({"views": (view(Count("n")), view(Count("m")))}, "view name 'view' is used 2 times"),
        ({"sources": (orders(), orders())}, "source name 'orders' is used 2 times"),
        ({"entities": (Entity(name="customer", key="shop"),)}, "entity name 'customer' is used 2 times"),
        (
            {"services": (FeatureService(name="s", features=("n",)),) * 2},
            "service name 's@1' is used 2 times",
        ),
        ({"services": (FeatureService(name="s", features=("n", "n")),)}, "in service 's@1' feature name 'n'"),
        ({"candidates": (LogisticRegression(),) * 2}, "candidate name 'logistic' is used 2 times"),
        ({"entity": Entity(name="customer", key=("shop", "shop"))}, "name 'shop' is used 2 times"),
    ],
)
def test_names_differ(changes: dict[str, Any], message: str) -> None:
    """Of features also from the columns they stand beside."""
    assert message in problems(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"views": (view(Count("n"), source="order"),)},
            "view 'view' reads source 'order', which is not among ['orders'], did you mean 'orders'?",
        ),
        (
            {"label": NoEventWithin(name="gone", source="visits", horizon=days(1))},
            "label 'gone' reads source 'visits', which is not among ['orders']",
        ),
        (
            {"views": (view(Count("n"), entity="custmer"),)},
            "view 'view' is of entity 'custmer', which is not among ['customer'], did you mean 'customer'?",
        ),
        (
            {"on_demand": (OnDemand("d", "n / m"),)},
            "on-demand 'd' reads 'm', no feature of a view",
        ),
        (
            {"on_demand": (OnDemand("d", "n + 1"), OnDemand("e", "d + 1"))},
            "on-demand 'e' reads 'd', no feature of a view",
        ),
        (
            {"services": (FeatureService(name="s", features=("n", "orders_3d")),)},
            "service 's@1' lists 'orders_3d', no feature",
        ),
        (
            {"services": (FeatureService(name="small", features=("n",)),), "service": "smal"},
            "the model's service 'smal' is not among those defined ('small@1'), did you mean 'small'?",
        ),
        ({"service": "small@1"}, "the model's service 'small@1' is not among those defined (none)"),
    ],
)
def test_what_is_named_is_there(changes: dict[str, Any], message: str) -> None:
    """Sources, entities, features and services, with what may have been meant."""
    assert message in problems(**changes)


def slice_of(*where: Where, name: str = "some") -> Slice:
    """Rows that meet these conditions."""
    return Slice(name=name, where=where)


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        (
            {"metric": "r2"},
            "the gate's metric 'r2' judges predicted numbers, but label 'gone' is 0 or 1: name one for "
            "classification, such as 'roc_auc'",
        ),
        ({"scoring_rule": "neg_mean_squared_error"}, "'neg_mean_squared_error' judges predicted numbers"),
        ({"floors": {"explained_variance": 0.1}}, "'explained_variance' judges predicted numbers"),
        ({"ceilings": {"r2": 0.1}}, "'r2' judges predicted numbers"),
        (
            {"slices": (slice_of(Where("orders", "==", 1)), slice_of(Where("nn", "<", 3), name="few"))},
            "slice 'few' looks at 'nn', no feature of the model, did you mean 'n'?",
        ),
        (
            {"slices": (slice_of(Where("n", "<", 3), Where("usd", "<", 3)),)},
            "slice 'some' looks at 'usd', no feature of the model",
        ),
        (
            {"slices": (slice_of(Where("n", "==", "web")),)},
            "slice 'some' compares 'n' with text, but features are numbers or booleans",
        ),
        ({"slices": (slice_of(Where("n", "<", 3)),) * 2}, "slice name 'some' is used 2 times"),
        ({"expected_drift": ("n", "nn")}, "the gate expects 'nn' to drift, no feature, did you mean 'n'?"),
    ],
)
def test_the_gate_asks_what_can_be_answered(gate: dict[str, Any], message: str) -> None:
    """Metrics that suit the label, and features that there are."""
    assert message in problems(gate=GatePolicy.model_validate({"floor": 0.7} | gate))


def test_slices_are_of_features_that_the_model_is_given() -> None:
    """Rows that are judged have no others; drift may be expected of any, as services come and go."""
    message = problems(
        views=(view(Count("n"), Count("m")),),
        services=(FeatureService(name="small", features=("n",)),),
        service="small",
        gate=GatePolicy(floor=0.7, slices=(slice_of(Where("m", "<", 3)),), expected_drift=("m",)),
    )
    assert "slice 'some' looks at 'm', no feature of the model" in message
    assert "to drift" not in message


def test_keys_of_other_entities_are_among_those_of_the_entity() -> None:
    """A row asked for has no other columns to look them up by."""
    message = problems(
        entities=(Entity(name="basket", key=("shop", "basket")),), views=(view(Count("n"), on=("shop",)),)
    )
    assert "entity 'basket' has key columns ['basket'] that entity 'customer' lacks" in message
    assert "view 'view' joins on ['shop'], but its entity's key is ['shop', 'customer']" in message


def test_all_problems_are_named_at_once() -> None:
    """Also those of different parts, in one error."""
    message = problems(
        views=(view(Sum("gone", "uds")), view(Count("n", where=(Where("usd", "==", "x"),)), name="b")),
        on_demand=(OnDemand("d", "m + 1"),),
        services=(FeatureService(name="s", features=("x",)),),
        service="t",
        entities=(Entity(name="basket", key="basket"),),
        gate=GatePolicy(metric="r2", floor=0.7, expected_drift=("y",)),
    )
    for part in (
        "'r2' judges predicted numbers",
        "expects 'y' to drift",
        "'gone' is used 2 times",
        "did you mean 'usd'",
        "'usd' to be text",
        "'d' reads 'm'",
        "'s@1' lists 'x'",
        "service 't' is not among",
        "['basket'] that entity 'customer' lacks",
    ):
        assert part in message
