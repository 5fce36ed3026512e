"""A small shop: its definitions, its events, and every offline store to ask."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlops_core.adapters.feature_store.duckdb import DuckDBOfflineStore
from mlops_core.adapters.feature_store.memory import MemoryOfflineStore
from mlops_core.domain.candidates import LogisticRegression
from mlops_core.domain.features import FeatureView
from mlops_core.domain.gates import GatePolicy
from mlops_core.domain.labels import NoEventWithin
from mlops_core.domain.sources import Entity, EventSource
from mlops_core.domain.usecase import UseCase

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from mlops_core.domain.features import AnyFeature
    from mlops_core.ports import OfflineStore


@pytest.fixture(params=["memory", "duckdb"])
def store(request: pytest.FixtureRequest) -> OfflineStore:
    """Every offline store in turn."""
    return MemoryOfflineStore() if request.param == "memory" else DuckDBOfflineStore()


@pytest.fixture(scope="session")
def define() -> Callable[..., UseCase]:
    """Makes a use case over the source `orders` (key `customer`, event timestamp `at`), or over `sources`."""

    def make(
        *features: AnyFeature,
        created: str | None = None,
        visibility: str = "known",
        sources: tuple[EventSource, ...] = (),
        views: tuple[FeatureView, ...] = (),
        horizon: timedelta = timedelta(days=30),
        at: str = "at",
    ) -> UseCase:
        orders = EventSource(name="orders", event_timestamp=at, created_timestamp=created)
        if features:
            view = {"name": "view", "source": "orders", "features": features, "visibility": visibility}
            views = (FeatureView.model_validate(view), *views)
        return UseCase(
            name="shop",
            entity=Entity(name="customer", key="customer"),
            sources=(orders, *sources),
            views=views,
            label=NoEventWithin(name="gone", source="orders", horizon=horizon),
            candidates=(LogisticRegression(),),
            gate=GatePolicy(floor=0.5),
        )

    return make


@pytest.fixture
def ingested(store: OfflineStore, tmp_path: Path) -> Callable[..., dict[str, Path]]:
    """Writes tables as Parquet and ingests them: the canonical events by source."""

    def ingest(use_case: UseCase, **tables: pa.Table) -> dict[str, Path]:
        sources = {source.name: source for source in use_case.sources}
        paths = {}
        for name, table in tables.items():
            pq.write_table(table, tmp_path / f"{name}.parquet")
            paths[name] = tmp_path / "events" / f"{name}.parquet"
            store.ingest(use_case, sources[name], tmp_path / f"{name}.parquet", paths[name])
        return paths

    return ingest


@pytest.fixture
def ask(
    store: OfflineStore, ingested: Callable[..., dict[str, Path]]
) -> Callable[..., dict[str, list[object]]]:
    """Ingests `orders` and reads all features for (customer, moment) rows: values by feature."""

    def read(
        use_case: UseCase, orders: pa.Table, *rows: tuple[object, datetime], **others: pa.Table
    ) -> dict[str, list[object]]:
        spine = pa.table(
            {
                "customer": pa.array([key for key, _ in rows], orders.schema.field("customer").type),
                "event_timestamp": pa.array([moment for _, moment in rows], pa.timestamp("us", "UTC")),
            }
        )
        found = store.features(use_case, ingested(use_case, orders=orders, **others), spine)
        return {name: found[name].to_pylist() for name in use_case.feature_names}

    return read
