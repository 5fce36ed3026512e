"""A model of two features, a store with a few customers, and clients of the application."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pyarrow as pa
import pytest

from mlops_core.adapters.deployer.local import LocalDeployer
from mlops_core.adapters.online_store.memory import MemoryOnlineStore
from mlops_core.adapters.trainer.memory import MemoryTrainer
from mlops_core.domain.candidates import LogisticRegression, Ridge
from mlops_core.domain.features import Count, Mean
from mlops_core.domain.gates import GatePolicy
from mlops_core.domain.labels import NoEventWithin
from mlops_core.domain.release import Bundle, Probes
from mlops_core.domain.sources import Entity, EventSource
from mlops_core.domain.time import days
from mlops_core.domain.usecase import UseCase
from mlops_core.domain.views import FeatureView
from mlops_core.serving.app import create_app
from mlops_core.serving.follower import ReleaseFollower

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def as_of() -> datetime:
    """The instant that online features stand at."""
    return datetime(2026, 10, 31, 23, 59, 59, 999999, tzinfo=UTC)


@pytest.fixture
def use_case() -> UseCase:
    """Two features: `orders`, and `basket`, which may be missing."""
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
def make_bundle(tmp_path: Path, use_case: UseCase) -> Callable[..., Bundle]:
    """Bundles of that use case; each version is fitted to other rows, so it predicts otherwise."""

    def make(version: int = 1, **changes: Any) -> Bundle:
        rows = np.array([[0.0, 10.0 + version], [1.0, np.nan], [2.0, 50.0], [9.0, 70.0]])
        model = MemoryTrainer().fit(LogisticRegression(), rows, np.array([0, 0, 1, 1], dtype=np.int8))
        folder = tmp_path / f"model-{version}"
        folder.mkdir(exist_ok=True)
        model.save(folder)
        fields: dict[str, Any] = {
            "name": "churn",
            "version": version,
            "digest": model.digest(),
            "candidate": "logistic",
            "model_folder": str(folder),
            "use_case": use_case.model_dump_json(),
            "feature_names": use_case.feature_names,
            "threshold": 0.5,
            "probes": Probes(
                rows=((0.0, 10.0 + version), (1.0, None)), expected=tuple(model.predict(rows[:2]).tolist())
            ),
        }
        return Bundle(**(fields | changes))

    return make


@pytest.fixture
def deploy_numbers(
    deployer: LocalDeployer, make_bundle: Callable[..., Bundle], tmp_path: Path
) -> Callable[..., Bundle]:
    """Prepare and activate a version that predicts a number, amounts of `scale`."""

    def deployed(version: int = 1, scale: float = 100.0) -> Bundle:
        rows = np.array([[0.0, 10.0 + version], [1.0, np.nan], [2.0, 50.0], [9.0, 70.0]])
        model = MemoryTrainer().fit(Ridge(), rows, scale * np.array([0.0, 0.5, 1.0, 3.0]))
        folder = tmp_path / f"numbers-{version}"
        folder.mkdir()
        model.save(folder)
        expected = model.predict(rows[:2])
        probes = Probes(
            rows=((0.0, 10.0 + version), (1.0, None)),
            expected=tuple(expected.tolist()),
            tolerance=1e-9 * scale,
        )
        changes = {"digest": model.digest(), "candidate": "ridge", "model_folder": str(folder)}
        bundle = make_bundle(version, threshold=None, probes=probes, **changes)
        deployer.activate(deployer.prepare(bundle))
        return bundle

    return deployed


@pytest.fixture
def store(use_case: UseCase, as_of: datetime) -> MemoryOnlineStore:
    """Customers 1, 2 and 3; columns in another order than the model reads them."""
    table = pa.table({"basket": [80.0, None, 20.0], "customer_id": [1, 2, 3], "orders": [9, 1, 0]})
    online = MemoryOnlineStore()
    online.write(use_case.online_name, table, ["customer_id"], as_of)
    return online


@pytest.fixture
def deployer(tmp_path: Path) -> LocalDeployer:
    """The local deployer, with nothing released yet."""
    return LocalDeployer(home=tmp_path / "home", trainer=MemoryTrainer())


@pytest.fixture
def deploy(deployer: LocalDeployer, make_bundle: Callable[..., Bundle]) -> Callable[..., Bundle]:
    """Prepare and activate a version."""

    def deployed(version: int = 1, **changes: Any) -> Bundle:
        bundle = make_bundle(version, **changes)
        deployer.activate(deployer.prepare(bundle))
        return bundle

    return deployed


@pytest.fixture
def follower(deployer: LocalDeployer, store: MemoryOnlineStore) -> ReleaseFollower:
    """Follows the deployer; looks when told to, or all the time while the application runs."""
    return ReleaseFollower(name="churn", source=deployer, store=store, interval=0.01)


@pytest.fixture
def ask_with(follower: ReleaseFollower) -> Callable[..., Callable[..., httpx.Response]]:
    """Like `ask`, of an application that was made with other options: `ask_with(admission=…)`."""

    def asking(**options: Any) -> Callable[..., httpx.Response]:
        app = create_app(follower=follower, **options)

        def asked(method: str, path: str, peer: str = "127.0.0.1", **body: Any) -> httpx.Response:
            async def answer() -> httpx.Response:
                transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=(peer, 1))
                async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
                    return await client.request(method, path, **body)

            return asyncio.run(answer())

        return asked

    return asking


@pytest.fixture
def ask(ask_with: Callable[..., Callable[..., httpx.Response]]) -> Callable[..., httpx.Response]:
    """Ask the application, without a network: `ask("POST", "/predict", json=…)`."""
    return ask_with()
