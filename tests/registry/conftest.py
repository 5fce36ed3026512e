"""A small saved model, submissions of it, and registries to submit to."""

from __future__ import annotations

import os
import shutil
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest

from mlops_core.adapters.registry.memory import MemoryModelRegistry
from mlops_core.adapters.registry.mlflow import MlflowModelRegistry
from mlops_core.adapters.registry.mlflow_location import StoreLocation
from mlops_core.adapters.registry.mlflow_server_environment import MLFLOW_SERVER
from mlops_core.adapters.registry.mlflow_store import MlflowStore
from mlops_core.domain.profiles import Distribution, FeatureProfile
from mlops_core.domain.registry import Lineage, Submission
from mlops_core.domain.release import Probes
from mlops_core.errors import NotFound
from tests.registry.life import Life
from tests.registry.mlflow_server import MlflowServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mlops_core.ports import ModelRegistry
    from tests.postgresql_server import PostgreSQLServer

FEATURES = ("orders", "spent", "recency")


class SavedModel(NamedTuple):
    """A fitted pipeline, the folder that it was saved to, and rows to predict."""

    folder: Path
    pipeline: Any
    rows: np.ndarray[Any, np.dtype[np.float64]]


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> SavedModel:
    """A pipeline of the trainer's kind, fitted on NumPy, saved with skops beside a manifest."""
    import skops.io
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    generator = np.random.default_rng(7)
    rows = generator.normal(size=(200, len(FEATURES)))
    labels = (rows[:, 0] + generator.normal(size=200) > 0).astype(np.int8)
    pipeline = make_pipeline(FunctionTransformer(np.arcsinh), StandardScaler(), LogisticRegression())
    pipeline.fit(rows, labels)
    folder = tmp_path_factory.mktemp("saved") / "model"
    (folder / "notes").mkdir(parents=True)
    skops.io.dump(pipeline, folder / "model.skops")
    (folder / "model.json").write_text('{"candidate": "logistic"}')
    (folder / "notes" / "fit.txt").write_text("ended")
    return SavedModel(folder, pipeline, rows)


@pytest.fixture
def submit(saved: SavedModel, tmp_path: Path) -> Callable[..., Submission]:
    """Makes submissions of the saved model; arguments replace fields."""
    report = tmp_path / "report.html"
    report.write_text("<html>the report</html>")

    def submission(digest: str = "first", **changed: Any) -> Submission:
        fields: dict[str, Any] = {
            "name": "churn",
            "digest": digest,
            "candidate": "logistic",
            "folder": str(saved.folder),
            "documents": (str(report),),
            "feature_names": FEATURES,
            "threshold": 0.3,
            "metrics": {"roc_auc": 0.8123456789012345, "brier": 0.1},
            "parameters": {"regularisation": "0.1"},
            "use_case": '{"name": "churn"}',
            "lineage": Lineage(
                use_case="churn",
                data={"orders": "a" * 64},
                definitions="b" * 64,
                training_set="c" * 64,
                candidate="d" * 64,
                code="e" * 64,
                git_commit="f" * 40,
                as_of=datetime(2024, 5, 31, tzinfo=UTC),
            ),
            "probes": Probes(rows=((1.0, None, -0.5),), expected=(0.1 + 0.2,)),
            "profile": FeatureProfile(
                rows=3,
                features={
                    name: Distribution(edges=(0.0, 1e-300), shares=(0.1, 0.2, 0.3), missing=0.4)
                    for name in FEATURES
                },
            ),
        }
        return Submission(**{**fields, **changed})

    return submission


@pytest.fixture
def life() -> Life:
    """A ledger of the model churn, to be lived through."""
    return Life()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a store after its first use, to be copied."""
    location = StoreLocation.of(None, tmp_path_factory.mktemp("migrated"))
    with MlflowStore(location=location, patience=5.0).writing():
        assert location.database is not None
    return location.database


@pytest.fixture
def home(tmp_path: Path, migrated: Path) -> Path:
    """A home folder with a used, empty store; its path has to be quoted in a URI."""
    home = tmp_path / "home é"
    (home / "mlflow").mkdir(parents=True)
    shutil.copy(migrated, home / "mlflow" / "mlflow.db")
    return home


@pytest.fixture
def mlflow_registry(home: Path) -> MlflowModelRegistry:
    """A registry over a SQLite store that gives up soon when it is locked."""
    return MlflowModelRegistry(tracking_uri=None, home=home, patience=0.3)


@pytest.fixture(scope="session")
def mlflow_python() -> Path:
    """The interpreter of full MLflow's environment, which is made in the user's cache when there is none."""
    try:
        return MLFLOW_SERVER.default_python()
    except NotFound:
        return MLFLOW_SERVER.make(MLFLOW_SERVER.cached)


@pytest.fixture(scope="session")
def running_server(
    mlflow_python: Path, postgres_server: PostgreSQLServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MlflowServer]:
    """An MLflow server with PostgreSQL behind it."""
    database = postgres_server.database("registry")
    server = MlflowServer(mlflow_python, database, tmp_path_factory.mktemp("mlflow-server"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def mlflow_server(running_server: MlflowServer) -> MlflowServer:
    """The server, with nothing in it."""
    running_server.empty()
    return running_server


@pytest.fixture
def server_registry(mlflow_server: MlflowServer, tmp_path: Path) -> MlflowModelRegistry:
    """A registry over HTTP."""
    return MlflowModelRegistry(tracking_uri=mlflow_server.url, home=tmp_path / "home")


@pytest.fixture(params=["memory", "mlflow", pytest.param("server", marks=pytest.mark.live)])
def registry(request: pytest.FixtureRequest) -> ModelRegistry:
    """Every adapter in turn."""
    if request.param == "memory":
        return MemoryModelRegistry()
    found: MlflowModelRegistry = request.getfixturevalue(f"{request.param}_registry")
    return found


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a child process that finds what we import, with a home folder of its own."""
    (tmp_path / "user").mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    return {**kept, "HOME": str(tmp_path / "user"), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
