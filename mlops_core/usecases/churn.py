"""Churn of CDNOW's customers: who will buy nothing in the next 90 days?

The bundled purchases are described, with their provenance, in `mlops_core/data/README.md`. Copy this file,
describe your own entity, features and label, and the rest follows.
"""

from __future__ import annotations

from pathlib import Path

from mlops_core.definitions import (
    Count,
    CountDistinct,
    Entity,
    EventSource,
    EveryMonth,
    FeatureView,
    GatePolicy,
    GradientBoosting,
    LogisticRegression,
    Mean,
    NoEventWithin,
    Since,
    Slice,
    Span,
    Sum,
    UseCase,
    Where,
    days,
)

__all__ = ["CHURN"]

CHURN = UseCase(
    name="churn",
    entity=Entity(name="customer", key="customer_id"),
    sources=(
        EventSource(
            name="purchases",
            event_timestamp="purchased_on",
            path=Path(__file__).parents[1] / "data" / "cdnow.parquet",
        ),
    ),
    views=(
        FeatureView(
            name="purchase_history",
            source="purchases",
            features=(
                Count("orders"),
                CountDistinct("order_days", "purchased_on"),
                CountDistinct("order_days_30d", "purchased_on", window=days(30)),
                CountDistinct("order_days_90d", "purchased_on", window=days(90)),
                CountDistinct("order_days_180d", "purchased_on", window=days(180)),
                Sum("spend", "usd"),
                Sum("spend_90d", "usd", window=days(90)),
                Mean("basket", "usd"),
                Sum("cds", "cds"),
                Since("recency_days", event="last"),
                Since("tenure_days", event="first"),
                Span("active_days"),
            ),
        ),
    ),
    label=NoEventWithin(name="churned", source="purchases", horizon=days(90)),
    spine=EveryMonth(history=24),
    candidates=(LogisticRegression(), GradientBoosting()),
    gate=GatePolicy(
        metric="roc_auc",
        floor=0.75,
        ceilings={"brier": 0.15},
        confidence=0.95,
        slices=(
            Slice(name="active", where=(Where("recency_days", "<", 90),)),
            Slice(name="one_order", where=(Where("orders", "==", 1),)),
        ),
        # All customers came in the first quarter of 1997: these two age with the calendar. A feed that broke
        # would show in what was bought lately, which may not drift.
        expected_drift=("recency_days", "tenure_days"),
    ),
)
