"""A shop's definitions and orders."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from mlops_core.definitions import (
    Count,
    Entity,
    EventSource,
    FeatureView,
    GatePolicy,
    LogisticRegression,
    NoEventWithin,
    OnDemand,
    Sum,
    UseCase,
    days,
)

START = datetime(2024, 1, 1, tzinfo=UTC)


def shop(**source: Any) -> UseCase:
    """A use case over `orders`, whose definition takes `source`."""
    return UseCase(
        name="shop",
        entity=Entity(name="customer", key="customer"),
        sources=(EventSource(name="orders", event_timestamp="at", **source),),
        views=(
            FeatureView(
                name="recent",
                source="orders",
                features=(Count("orders_30d", window=days(30)), Sum("spend_30d", "usd", window=days(30))),
            ),
        ),
        on_demand=(OnDemand("basket", "spend_30d / orders_30d"),),
        label=NoEventWithin(name="gone", source="orders", horizon=days(30)),
        candidates=(LogisticRegression(),),
        gate=GatePolicy(floor=0.5),
    )


def orders(*rows: tuple[int, int, float], recorded: bool = False) -> pa.Table:
    """Rows of (customer, day from the start, usd); recorded a day after they happened, or not said."""
    at = [START + timedelta(days=day) for _, day, _ in rows]
    columns: dict[str, Any] = {
        "customer": pa.array([customer for customer, _, _ in rows], pa.int64()),
        "at": pa.array(at, pa.timestamp("us", "UTC")),
        "usd": pa.array([usd for _, _, usd in rows], pa.float64()),
    }
    if recorded:
        later = [moment + timedelta(days=1) for moment in at]
        columns["recorded"] = pa.array(later, pa.timestamp("us", "UTC"))
    return pa.table(columns)
