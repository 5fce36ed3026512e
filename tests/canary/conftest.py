"""Two versions of a small model, and a store with a hundred and twenty customers."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from mlops_core.adapters.online_store.memory import MemoryOnlineStore
from mlops_core.adapters.trainer.memory import MemoryTrainer
from mlops_core.canary.aside import Loaded
from mlops_core.domain.candidates import LogisticRegression, Ridge
from mlops_core.domain.features import Count, Mean
from mlops_core.domain.gates import GatePolicy
from mlops_core.domain.labels import NoEventWithin
from mlops_core.domain.release import Probes, Release
from mlops_core.domain.sources import Entity, EventSource
from mlops_core.domain.time import days
from mlops_core.domain.usecase import UseCase
from mlops_core.domain.views import FeatureView

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.ports import FittedModel

CUSTOMERS = 120


@pytest.fixture
def use_case() -> UseCase:
    """Two features, `orders` and `basket`."""
    features = (Count("orders"), Mean("basket", "amount"))
    return UseCase(
        name="churn",
        entity=Entity(name="customer", key="customer_id"),
        sources=(EventSource(name="purchases", event_timestamp="at", path=Path("purchases.parquet")),),
        views=(FeatureView(name="history", source="purchases", features=features),),
        label=NoEventWithin(name="churned", source="purchases", horizon=days(90)),
        candidates=(LogisticRegression(),),
        gate=GatePolicy(floor=0.7),
    )


@pytest.fixture
def store(use_case: UseCase) -> MemoryOnlineStore:
    """Customers of every kind."""
    random = np.random.default_rng(3)
    columns = {
        "customer_id": list(range(CUSTOMERS)),
        "orders": random.integers(0, 10, CUSTOMERS),
        "basket": random.uniform(5, 90, CUSTOMERS),
    }
    online = MemoryOnlineStore()
    online.write(use_case.online_name, pa.table(columns), ["customer_id"], datetime(2026, 10, 31, tzinfo=UTC))
    return online


@pytest.fixture
def make(use_case: UseCase) -> Callable[..., Loaded]:
    """Makes the release of a version, of amounts with `numbers`; `wrap` changes its model once proved."""

    def made(
        version: int = 1, wrap: Callable[[FittedModel], FittedModel] | None = None, *, numbers: bool = False
    ) -> Loaded:
        rows = np.array([[0.0, 10.0 + version], [1.0, 20.0], [2.0, 50.0], [9.0, 70.0]])
        candidate = Ridge() if numbers else LogisticRegression()
        labels = np.array([0.0, 20.0, 35.0, 400.0]) if numbers else np.array([0, 0, 1, 1], dtype=np.int8)
        model: FittedModel = MemoryTrainer().fit(candidate, rows, labels)
        release = Release(
            name="churn",
            version=version,
            digest=model.digest(),
            candidate=candidate.name,
            uri=f"releases/churn/{version}",
            released_at=datetime(2026, 11, 1, tzinfo=UTC),
            use_case=use_case.model_dump_json(),
            feature_names=use_case.feature_names,
            threshold=None if numbers else 0.5,
            probes=Probes(
                rows=tuple(map(tuple, rows.tolist())), expected=tuple(model.predict(rows).tolist())
            ),
            files={"model.json": "0" * 64},
        )
        return Loaded(release, wrap(model) if wrap else model)

    return made
