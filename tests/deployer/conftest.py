"""A small model as a bundle, and the deployers that get it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mlops_core.adapters.deployer.local import LocalDeployer
from mlops_core.adapters.deployer.memory import MemoryDeployer
from mlops_core.adapters.trainer.memory import MemoryTrainer
from mlops_core.domain.candidates import LogisticRegression
from mlops_core.domain.release import Bundle, Probes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_core.ports import Deployer


@pytest.fixture
def make_bundle(tmp_path: Path) -> Callable[..., Bundle]:
    """Bundles of two features; each version is fitted to other rows, so it has another digest."""

    def make(version: int = 1, **changes: Any) -> Bundle:
        rows = np.array([[0.0, version], [1.0, np.nan], [2.0, 5.0], [9.0, 7.0]])
        model = MemoryTrainer().fit(LogisticRegression(), rows, np.array([0, 0, 1, 1], dtype=np.int8))
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
            "use_case": "{}",
            "feature_names": ("orders", "spend"),
            "threshold": 0.5,
            "probes": Probes(
                rows=((0.0, float(version)), (1.0, None)), expected=tuple(model.predict(rows[:2]).tolist())
            ),
        }
        return Bundle(**(fields | changes))

    return make


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The state folder, not there yet."""
    return tmp_path / "home"


@pytest.fixture
def local(home: Path) -> LocalDeployer:
    """The local deployer on an empty state folder."""
    return LocalDeployer(home=home, trainer=MemoryTrainer())


@pytest.fixture(params=["memory", "local"])
def deployer(request: pytest.FixtureRequest, home: Path) -> Deployer:
    """Every deployer in turn."""
    if request.param == "memory":
        return MemoryDeployer(MemoryTrainer())
    return LocalDeployer(home=home, trainer=MemoryTrainer())
