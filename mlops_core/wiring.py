"""Settings become engines here, and nowhere else. An adapter is imported when its port is first used."""

from __future__ import annotations

import getpass
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mlops_core.disk import folder_to_be
from mlops_core.errors import DefinitionError
from mlops_core.provenance import Code
from mlops_core.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from mlops_core.adapters.deployer.local import LocalDeployer
    from mlops_core.adapters.deployer.platform import Platform
    from mlops_core.adapters.deployer.published import PublishedReleases
    from mlops_core.adapters.deployer.remote import RemoteDeployer
    from mlops_core.adapters.github import GitHubDeployer
    from mlops_core.adapters.registry.mlflow_leftovers import MlflowLeftovers
    from mlops_core.domain.candidates import AnyCandidate
    from mlops_core.domain.sources import ColumnType
    from mlops_core.domain.usecase import UseCase
    from mlops_core.manifests import Workload
    from mlops_core.ports import (
        Deployer,
        Dispatcher,
        FittedModel,
        Labels,
        Ledger,
        ModelRegistry,
        OfflineStore,
        OnlineStore,
        Reporter,
        Trainer,
    )
    from mlops_core.settings import Settings

__all__ = ["ConfiguredEngines"]


_STORES = "mlops_core.adapters.feature_store"
_OFFLINE = {
    "duckdb": (f"{_STORES}.duckdb:DuckDBOfflineStore",),
    "spark": (f"{_STORES}.spark:SparkOfflineStore",),
    "feast": (f"{_STORES}.feast:FeastOfflineStore", f"{_STORES}.feast_bridge"),  # run as a program
}
_TRAINER = ("mlops_core.adapters.trainer.sklearn:SklearnTrainer",)


class ConfiguredEngines:
    """The engines that the settings name; makes `mlops_core.ports.Engines` real.

    With `reads_only` they leave no trace in the state folder when they are only asked: what is found out
    about the code is not kept there, and SQLite makes no files to lock. `known_as` is how commands find the
    use case that they are for, where that is not its name: whoever delivers elsewhere is told. Raises
    `MlopsError` when the state folder is none, or may not be looked into.
    """

    def __init__(self, settings: Settings, *, reads_only: bool = False, known_as: str | None = None) -> None:
        self._settings, self._reads_only, self._known_as = settings, reads_only, known_as
        self._home = folder_to_be(settings.home.absolute())

    def __getstate__(self) -> dict[str, object]:
        """Only what engines are made from: who is handed a copy, in another process, makes their own."""
        return {name: self.__dict__[name] for name in ("_settings", "_reads_only", "_known_as", "_home")}

    @cached_property
    def workspace(self) -> Workspace:
        """The state folder."""
        return Workspace(self._home)

    @cached_property
    def offline(self) -> OfflineStore:
        """Parquet read by DuckDB, Spark or Feast."""
        settings = self._settings
        match settings.offline_store:
            case "duckdb":
                from mlops_core.adapters.feature_store.duckdb import DuckDBOfflineStore

                return DuckDBOfflineStore(threads=settings.threads, memory_limit=settings.memory_limit)
            case "spark":
                from mlops_core.adapters.feature_store.spark import SparkOfflineStore

                return SparkOfflineStore(master=settings.spark_master)
            case "feast":
                from mlops_core.adapters.feature_store.feast import FeastOfflineStore

                return FeastOfflineStore(python=settings.feast_python)

    @cached_property
    def online(self) -> OnlineStore:
        """SQLite, Redis or Feast."""
        match self._settings.online_store:
            case "sqlite":
                from mlops_core.adapters.online_store.sqlite import SQLiteOnlineStore

                return SQLiteOnlineStore(self._home / "online.db", reads_only=self._reads_only)
            case "feast":
                from mlops_core.adapters.online_store.feast import FeastOnlineStore

                return FeastOnlineStore(python=self._settings.feast_python, folder=self._home / "feast")
            case url:
                from mlops_core.adapters.online_store.redis import RedisOnlineStore

                return RedisOnlineStore(url)

    @cached_property
    def code(self) -> Code:
        """What the stages use, down to the chosen engines' own modules."""
        engines = {"offline": _OFFLINE[self._settings.offline_store], "trainer": _TRAINER}
        return Code(engines, cache=self._home / "code.json", keep=not self._reads_only)

    def write_feast_data(
        self, use_case: UseCase, events: Mapping[str, Path], spine: pa.Table, folder: Path
    ) -> Mapping[str, Literal["integer", "number", "text"]]:
        """The data that an exported Feast repository reads; see `exporters.to_feast` for what is returned."""
        from mlops_core.adapters.feature_store.feast_repository import write_feast_data

        return write_feast_data(use_case, self.offline, events, spine, folder)

    def first_look(self, path: Path, source: str) -> tuple[pa.Table, dict[str, ColumnType]]:
        """All columns of events that nothing was said about yet; see `first_look.read_all`."""
        from mlops_core.adapters.feature_store.ingest.first_look import read_all

        return read_all(path, source)

    @cached_property
    def trainer(self) -> Trainer:
        """scikit-learn."""
        from mlops_core.adapters.trainer.sklearn import SklearnTrainer

        return SklearnTrainer()

    @cached_property
    def registry(self) -> ModelRegistry:
        """MLflow."""
        from mlops_core.adapters.registry.mlflow import MlflowModelRegistry

        return MlflowModelRegistry(tracking_uri=self._settings.tracking_uri, home=self._home)

    @property
    def model_files(self) -> MlflowLeftovers:
        """The registry's files on this machine, as far as it has given them up."""
        from mlops_core.adapters.registry.mlflow_leftovers import MlflowLeftovers
        from mlops_core.adapters.registry.mlflow_location import StoreLocation

        return MlflowLeftovers(StoreLocation.of(self._settings.tracking_uri, self._home))

    @cached_property
    def ledger(self) -> Ledger:
        """SQLite in the state folder, or a database that a team shares."""
        url = self._settings.ledger
        if url is None or url.startswith("sqlite:///"):
            from mlops_core.adapters.ledger.sqlite import SQLiteLedger

            file = Path(url.removeprefix("sqlite:///")) if url else self._home / "ledger.db"
            return SQLiteLedger(file.absolute())
        from mlops_core.adapters.ledger.sql import SQLLedger

        return SQLLedger(url)

    @cached_property
    def actor(self) -> str:
        """The one that the settings name, else the user of this process."""
        if self._settings.actor:
            return self._settings.actor
        try:
            return getpass.getuser()
        except (KeyError, OSError):  # a user id without a name, as in some containers
            return f"uid {os.getuid()}"

    @property
    def deployer(self) -> Deployer:
        """A folder of releases on this machine, or a platform that serves published ones."""
        return self.releases

    @cached_property
    def releases(self) -> LocalDeployer | RemoteDeployer:
        """The same, as a server sees it."""
        if self._settings.target != "local":
            return self._remote()
        from mlops_core.adapters.deployer.local import LocalDeployer

        return LocalDeployer(home=self._home, trainer=_WhenUsed(self))

    def workload(self, name: str, version: int, digest: str) -> Workload | None:
        """A published release as Kubernetes runs it; None when that version was not published yet."""
        from mlops_core.adapters.deployer.platform import Placed
        from mlops_core.adapters.kubernetes.workload import workload_of

        found = self._published(f"{name} runs in Kubernetes").find(name, version, digest)
        return workload_of(Placed.of(*found), self._settings) if found else None

    def _remote(self) -> RemoteDeployer:
        from mlops_core.adapters.deployer.remote import RemoteDeployer

        published = self._published(f"MLOPS_TARGET is {self._settings.target}")
        return RemoteDeployer(self._platform(), published)

    def _published(self, why: str) -> PublishedReleases:
        if self._settings.artifacts is None:
            raise DefinitionError(
                f"{why}: say where releases lie for it with MLOPS_ARTIFACTS, a "
                "URL that this machine writes to and the target reads, such as s3://BUCKET/PREFIX"
            )
        from mlops_core.adapters.deployer.published import PublishedReleases

        return PublishedReleases(self._settings.artifacts, _WhenUsed(self))

    def _platform(self) -> Platform:
        settings = self._settings
        match settings.target:
            case "kubernetes":
                from mlops_core.adapters.kubernetes import KubernetesPlatform

                return KubernetesPlatform.of(settings)
            case "sagemaker":
                from mlops_core.adapters.sagemaker import SageMakerPlatform

                return SageMakerPlatform.of(settings)
            case _:
                from mlops_core.adapters.vertex import VertexPlatform

                return VertexPlatform.of(settings)

    @cached_property
    def dispatcher(self) -> Dispatcher | None:
        """GitHub, where the settings say so."""
        return self.github if self._settings.delivery == "github" else None

    @cached_property
    def github(self) -> GitHubDeployer:
        """The repository on GitHub whose workflows deliver, whoever delivers by the settings."""
        from mlops_core.adapters.github import GitHubDeployer

        return GitHubDeployer.of(self._settings, known_as=self._known_as)

    @cached_property
    def reporter(self) -> Reporter:
        """One self-contained HTML file."""
        from mlops_core.adapters.reporter.html import HtmlReporter

        return HtmlReporter()


class _WhenUsed:
    """The trainer as the deployer needs it: for loading models to serve, not for looking what is served."""

    def __init__(self, engines: ConfiguredEngines) -> None:
        self._engines = engines

    def fit(self, candidate: AnyCandidate, rows: NDArray[np.float64], labels: Labels) -> FittedModel:
        return self._engines.trainer.fit(candidate, rows, labels)

    def load(self, folder: Path) -> FittedModel:
        from mlops_core.adapters.trainer.quick import QuickTrainer

        return QuickTrainer().load(folder)

    def environment(self) -> dict[str, str]:
        return self._engines.trainer.environment()
