"""A small model as a bundle, and the deployers that get it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mlops_core.adapters.deployer.local import LocalDeployer
from mlops_core.adapters.trainer.memory import MemoryTrainer
from mlops_core.domain.candidates import LogisticRegression, Ridge
from mlops_core.domain.features import Count, Sum
from mlops_core.domain.gates import GatePolicy
from mlops_core.domain.labels import NoEventWithin
from mlops_core.domain.release import Bundle, Probes
from mlops_core.domain.sources import Entity, EventSource
from mlops_core.domain.time import days
from mlops_core.domain.usecase import UseCase
from mlops_core.domain.views import FeatureView
from tests.deployer.rigs import RIGS, made

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlops_core.ports import Deployer, Trainer
    from tests.deployer.rig import Rig


@pytest.fixture
def trainer(request: pytest.FixtureRequest) -> Trainer:
    """The stub; a target that is real has servers that know scikit-learn alone."""
    if request.config.getoption("--target"):
        from mlops_core.adapters.trainer.sklearn import SklearnTrainer

        return SklearnTrainer()
    return MemoryTrainer()


@pytest.fixture
def use_case() -> UseCase:
    """What the two features are."""
    return UseCase(
        name="churn",
        entity=Entity(name="customer", key="customer_id"),
        sources=(EventSource(name="purchases", event_timestamp="at", path=Path("purchases.parquet")),),
        views=(
            FeatureView(
                name="history", source="purchases", features=(Count("orders"), Sum("spend", "amount"))
            ),
        ),
        label=NoEventWithin(name="churned", source="purchases", horizon=days(90)),
        candidates=(LogisticRegression(),),
        gate=GatePolicy(floor=0.7),
    )


@pytest.fixture
def make_bundle(tmp_path: Path, use_case: UseCase, trainer: Trainer) -> Callable[..., Bundle]:
    """Bundles of two features; each version is fitted to other rows, so it has another digest."""

    def make(version: int = 1, **changes: Any) -> Bundle:
        rows = np.array([[0.0, version], [1.0, np.nan], [2.0, 5.0], [9.0, 7.0]])
        model = trainer.fit(LogisticRegression(), rows, np.array([0, 0, 1, 1], dtype=np.int8))
        folder = tmp_path / f"model-{version}"
        if not folder.exists():
            folder.mkdir()
            model.save(folder)
        fields: dict[str, Any] = {
            "name": "churn",
            "version": version,
            "digest": model.digest(),
            "candidate": "logistic",
            "model_folder": str(folder),
            "use_case": use_case.model_dump_json(),
            "feature_names": ("orders", "spend"),
            "threshold": 0.5,
            "probes": Probes(
                rows=((0.0, float(version)), (1.0, None)), expected=tuple(model.predict(rows[:2]).tolist())
            ),
        }
        return Bundle(**(fields | changes))

    return make


@pytest.fixture
def numbers(make_bundle: Callable[..., Bundle], tmp_path: Path, trainer: Trainer) -> Bundle:
    """Version 3, which predicts a number: amounts of millions, proved to a thousandth."""
    rows = np.array([[0.0, 3.0], [1.0, np.nan], [2.0, 5.0], [9.0, 7.0]])
    model = trainer.fit(Ridge(), rows, np.array([0.0, 2.5e6, 3e6, 9e6]))
    folder = tmp_path / "numbers"
    folder.mkdir()
    model.save(folder)
    probes = Probes(
        rows=((0.0, 3.0), (1.0, None)), expected=tuple(model.predict(rows[:2]).tolist()), tolerance=1e-3
    )
    changes = {"digest": model.digest(), "candidate": "ridge", "model_folder": str(folder)}
    return make_bundle(3, threshold=None, probes=probes, **changes)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The state folder, not there yet."""
    return tmp_path / "home"


@pytest.fixture
def local(home: Path) -> LocalDeployer:
    """The local deployer on an empty state folder."""
    return LocalDeployer(home=home, trainer=MemoryTrainer())


@pytest.fixture(params=RIGS)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    """Every target in turn, empty."""
    with made(request.param, request, tmp_path) as rig:
        yield rig


@pytest.fixture
def deployer(rig: Rig) -> Deployer:
    """Every deployer in turn."""
    return rig.deployer
