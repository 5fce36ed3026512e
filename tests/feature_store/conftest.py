"""A small shop: its definitions, its events, and every offline store to ask."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from mlops_core.domain.candidates import LogisticRegression, Ridge
from mlops_core.domain.gates import GatePolicy
from mlops_core.domain.labels import NoEventWithin, SumWithin
from mlops_core.domain.sources import Entity, EventSource
from mlops_core.domain.usecase import UseCase
from mlops_core.domain.views import FeatureView
from tests.every_point import left_out

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from mlops_core.domain.features import AnyFeature
    from mlops_core.ports import OfflineStore


@dataclass(frozen=True)
class Registered:
    """An offline store that must pass every test that asks for `store`.

    `live` ones need a server, a JVM or another environment. `deviations` are tests (by their function's name)
    that it is known to fail, each with the reason: a strict xfail, so that a mended one is noticed.
    """

    module: str
    name: str
    live: bool = False
    deviations: Mapping[str, str] = field(default_factory=dict)


_STORES = "mlops_core.adapters.feature_store"
STORES = {
    "memory": Registered(f"{_STORES}.memory", "MemoryOfflineStore"),
    "duckdb": Registered(f"{_STORES}.duckdb", "DuckDBOfflineStore"),
    "spark": Registered(f"{_STORES}.spark", "SparkOfflineStore", live=True),
    "feast": Registered(f"{_STORES}.feast", "FeastOfflineStore", live=True),
}


HERE = Path(__file__).parent
ORACLE = HERE / "oracle"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Spark, which takes five times as long as Feast, is asked one case in six, and every night all.

    Not of the comparisons with the oracle, which are few.
    """
    ours = [one for one in items if one.path.is_relative_to(HERE) and not one.path.is_relative_to(ORACLE)]
    left = set(left_out(ours, ("store", "engine"), "spark", 6))
    if left:
        config.hook.pytest_deselected(items=list(left))
        items[:] = [one for one in items if one not in left]


def _every(*without: str) -> list[Any]:
    return [
        pytest.param(name, marks=[pytest.mark.live] * one.live)
        for name, one in STORES.items()
        if name not in without
    ]


def _expected_to_fail(request: pytest.FixtureRequest) -> str:
    """The store's name; the test becomes a strict xfail where the store is known to deviate."""
    name: str = request.param
    test = getattr(request.node, "originalname", request.node.name)
    if test in STORES[name].deviations:
        reason = f"{name}: {STORES[name].deviations[test]}"
        request.applymarker(pytest.mark.xfail(strict=True, reason=reason))
    return name


@pytest.fixture(scope="session")
def opened(request: pytest.FixtureRequest) -> Callable[[str], OfflineStore]:
    """The store of that name, made once: stores are stateless, and some are slow to start."""
    made: dict[str, OfflineStore] = {}

    def open_store(name: str) -> OfflineStore:
        one = STORES[name]
        if name == "feast":
            request.getfixturevalue("feast_python")  # made where it is looked for
        if name not in made:
            made[name] = getattr(importlib.import_module(one.module), one.name)()
        return made[name]

    return open_store


@pytest.fixture(params=_every())
def store(request: pytest.FixtureRequest, opened: Callable[[str], OfflineStore]) -> OfflineStore:
    """Every offline store in turn."""
    return opened(_expected_to_fail(request))


@pytest.fixture(params=_every("memory"))
def engine(request: pytest.FixtureRequest, opened: Callable[[str], OfflineStore]) -> OfflineStore:
    """Every offline store but the oracle itself, which it is compared with."""
    return opened(_expected_to_fail(request))


@pytest.fixture
def oracle(opened: Callable[[str], OfflineStore]) -> OfflineStore:
    """Brute force."""
    return opened("memory")


@pytest.fixture(scope="session")
def define() -> Callable[..., UseCase]:
    """Makes a use case over the source `orders` (key `customer`, event timestamp `at`), or over `sources`.

    `features` are those of a view of orders; `view` and `order` are further fields of that view and that
    source, the other arguments are fields of the use case. The label is whether nothing is ordered within
    `horizon`, or the sum of the column `summed`.
    """

    def make(
        *features: AnyFeature,
        created: str | None = None,
        visibility: str = "known",
        sources: tuple[EventSource, ...] = (),
        views: tuple[FeatureView, ...] = (),
        horizon: timedelta = timedelta(days=30),
        summed: str | None = None,
        at: str = "at",
        key: str | tuple[str, ...] = "customer",
        view: Mapping[str, Any] | None = None,
        order: Mapping[str, Any] | None = None,
        **others: Any,
    ) -> UseCase:
        fields: dict[str, Any] = {"name": "orders", "event_timestamp": at, "created_timestamp": created}
        orders = EventSource.model_validate(fields | dict(order or {}))
        if features:
            fields = {"name": "view", "source": "orders", "features": features, "visibility": visibility}
            views = (FeatureView.model_validate(fields | dict(view or {})), *views)
        return UseCase(
            name="shop",
            entity=Entity(name="customer", key=key),
            sources=(orders, *sources),
            views=views,
            **_predicted(summed, horizon),
            **others,
        )

    return make


def _predicted(summed: str | None, horizon: timedelta) -> dict[str, Any]:
    """Label, candidates and gate."""
    if summed is None:
        gone = NoEventWithin(name="gone", source="orders", horizon=horizon)
        return {"label": gone, "candidates": (LogisticRegression(),), "gate": GatePolicy(floor=0.5)}
    spent = SumWithin(name="spent", source="orders", column=summed, horizon=horizon)
    return {
        "label": spent,
        "candidates": (Ridge(),),
        "gate": GatePolicy(metric="r2", floor=0.1, scoring_rule=None),
    }


@pytest.fixture
def ingested(store: OfflineStore, tmp_path: Path) -> Callable[..., dict[str, Path]]:
    """Ingests tables: the canonical events by source."""

    def ingest(use_case: UseCase, **tables: pa.Table) -> dict[str, Path]:
        paths = {}
        for name, table in tables.items():
            paths[name] = tmp_path / "events" / f"{name}.parquet"
            store.ingest(use_case, use_case.source(name), table, paths[name])
        return paths

    return ingest


@pytest.fixture
def ask(
    store: OfflineStore, ingested: Callable[..., dict[str, Path]]
) -> Callable[..., dict[str, list[object]]]:
    """Ingests `orders` and reads all features for (key, …, moment) rows: values by feature.

    `as_known_at` reads them as they were known then; further tables are those of other sources.
    """

    def read(
        use_case: UseCase,
        orders: pa.Table,
        *rows: tuple[Any, ...],
        as_known_at: datetime | None = None,
        **others: pa.Table,
    ) -> dict[str, list[object]]:
        columns = {
            name: pa.array([row[place] for row in rows], orders.schema.field(name).type)
            for place, name in enumerate(use_case.entity.keys)
        }
        columns["event_timestamp"] = pa.array([row[-1] for row in rows], pa.timestamp("us", "UTC"))
        paths = ingested(use_case, orders=orders, **others)
        found = store.features(use_case, paths, pa.table(columns), as_known_at=as_known_at)
        return {name: found[name].to_pylist() for name in use_case.joined_names}

    return read
