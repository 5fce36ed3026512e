"""A small shop whose orders come late and are corrected, delivered by the real engines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from mlops_core.adapters.registry.memory import MemoryModelRegistry
from mlops_core.definitions import (
    Count,
    Entity,
    EventSource,
    FeatureView,
    GatePolicy,
    LogisticRegression,
    NoEventWithin,
    Since,
    Sum,
    UseCase,
    days,
)
from mlops_core.pipeline import build_pipeline
from mlops_core.settings import Settings
from mlops_core.wiring import ConfiguredEngines

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_core.domain.registry import ModelVersion

START = datetime(2024, 1, 1, tzinfo=UTC)
CUSTOMERS, DAYS = 150, 420


def shop(*, recorded: bool = True, window: int = 30) -> UseCase:
    """Its definitions; with `recorded`, orders say when they came to be known, and can be corrected."""
    more = {"created_timestamp": "recorded", "event_id": "order_id"} if recorded else {}
    return UseCase(
        name="shop",
        entity=Entity(name="customer", key="customer"),
        sources=(EventSource(name="orders", event_timestamp="at", append=True, **more),),
        views=(
            FeatureView(
                name="recent",
                source="orders",
                features=(
                    Count("orders_recent", window=days(window)),
                    Sum("spend", "usd"),
                    Since("recency_days"),
                ),
            ),
        ),
        label=NoEventWithin(name="gone", source="orders", horizon=days(45)),
        candidates=(LogisticRegression(interactions=False),),
        gate=GatePolicy(floor=0.5),
    )


def orders() -> pa.Table:
    """Customers who buy at rates of their own and leave one day; each order is recorded an hour later."""
    random = np.random.default_rng(3)
    rows = []
    for customer in range(CUSTOMERS):
        day, pause = random.uniform(0, 150), random.uniform(5, 40)
        left = day + random.exponential(250)
        while day < min(left, DAYS):
            rows.append((customer, day, round(random.uniform(5, 90), 2)))
            day += 1 + random.exponential(pause)
    at = [START + timedelta(days=day) for _, day, _ in rows]
    return _table(
        [customer for customer, _, _ in rows],
        at,
        [usd for _, _, usd in rows],
        [moment + timedelta(hours=1) for moment in at],
        list(range(len(rows))),
    )


def late_and_corrected(recorded: datetime) -> pa.Table:
    """Orders of a while ago by customers who seemed to be gone, and other amounts of the first orders."""
    found = orders().slice(0, 40)
    late = [START + timedelta(days=300 + number % 80) for number in range(60)]
    return pa.concat_tables(
        [
            found.set_column(2, "usd", pa.array([1.0] * 40)).set_column(
                3, "recorded", _times([recorded] * 40)
            ),
            _table(list(range(60)), late, [20.0] * 60, [recorded] * 60, list(range(100_000, 100_060))),
        ]
    )


class Store:
    """A shop's state folder, and the engines at work in it; its registry is in memory."""

    def __init__(self, home: Path, use_case: UseCase, registry: MemoryModelRegistry | None = None) -> None:
        self.home, self.use_case = home, use_case
        self.engines = ConfiguredEngines(Settings(home=home, actor="ana"))
        self.engines.registry = registry or MemoryModelRegistry()

    def deliver(self, rows: pa.Table) -> None:
        """One run of the main job on what came in."""
        dag = build_pipeline(self.use_case, self.engines, data={"orders": rows}, as_of=None)
        dag.execute()

    @property
    def versions(self) -> list[ModelVersion]:
        return self.engines.registry.versions("shop")


def _table(
    customers: list[int], at: list[Any], usd: list[float], recorded: list[Any], ids: list[int]
) -> pa.Table:
    return pa.table(
        {
            "customer": pa.array(customers, pa.int64()),
            "at": _times(at),
            "usd": pa.array(usd, pa.float64()),
            "recorded": _times(recorded),
            "order_id": pa.array(ids, pa.int64()),
        }
    )


def _times(moments: list[Any]) -> pa.Array:
    return pa.array(moments, pa.timestamp("us", "UTC"))
