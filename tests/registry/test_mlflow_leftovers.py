"""Files of registrations that died are told from those that somebody needs, and go."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from mlops_core.adapters.registry.mlflow_leftovers import MlflowLeftovers
from mlops_core.adapters.registry.mlflow_location import StoreLocation
from mlops_core.domain.registry import Submission
from mlops_core.errors import MlopsError

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_core.adapters.registry.mlflow import MlflowModelRegistry
    from mlops_core.domain.registry import ModelVersion

Submit = Callable[..., Submission]

pytestmark = pytest.mark.live  # MLflow is written to three times


@pytest.fixture
def version(
    mlflow_registry: MlflowModelRegistry, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> ModelVersion:
    """A version whose first registration ended before it was one, and was swept away by the second."""
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    def dies(*_: object, **__: object) -> None:
        raise MlflowException("the process was killed, as far as the store can tell")

    with monkeypatch.context() as patched:
        patched.setattr(MlflowClient, "create_model_version", dies)
        with pytest.raises(MlopsError):
            mlflow_registry.register(submit())
    return mlflow_registry.register(submit())


@pytest.fixture
def leftovers(home: Path) -> MlflowLeftovers:
    """Of the store in the home folder."""
    return MlflowLeftovers(StoreLocation.of(None, home))


def test_only_the_files_of_the_dead_attempt_are_found(
    version: ModelVersion, leftovers: MlflowLeftovers, home: Path
) -> None:
    """Two folders are there; one is the version's."""
    folders = set((home / "mlflow" / "artifacts" / "models").iterdir())
    assert len(folders) == 2
    ((found, name),) = leftovers.folders()
    assert found in folders
    assert name == version.name


def test_the_version_s_files_are_there_when_the_others_are_gone(
    version: ModelVersion,
    leftovers: MlflowLeftovers,
    mlflow_registry: MlflowModelRegistry,
    tmp_path: Path,
) -> None:
    ((found, _),) = leftovers.folders()
    assert leftovers.discard(found)
    assert not found.exists()
    assert leftovers.folders() == []
    into = tmp_path / "fetched"
    into.mkdir()
    mlflow_registry.fetch(version, into)
    assert (into / "model.skops").is_file()


def test_nothing_goes_while_somebody_registers(version: ModelVersion, leftovers: MlflowLeftovers) -> None:
    """Who registers holds the store's lock."""
    ((found, _),) = leftovers.folders()
    with FileLock(StoreLocation.of(None, found.parents[3]).lock):
        assert not leftovers.discard(found)
    assert found.is_dir()
    assert version.number == 1


def test_a_folder_that_is_in_use_does_not_go(
    version: ModelVersion, leftovers: MlflowLeftovers, home: Path
) -> None:
    ((found, _),) = leftovers.folders()
    (kept,) = set((home / "mlflow" / "artifacts" / "models").iterdir()) - {found}
    assert not leftovers.discard(kept)
    assert kept.is_dir()
    assert version.number == 1


def test_what_mlflow_has_forgotten_is_nobody_s(version: ModelVersion, leftovers: MlflowLeftovers) -> None:
    """As after `mlflow gc`, which takes the model out of the database and leaves its files."""
    ((found, _),) = leftovers.folders()
    forgotten = found.with_name("m-0123456789abcdef")
    found.rename(forgotten)
    assert leftovers.folders() == [(forgotten, None)]
    assert version.number == 1


def test_a_store_that_is_not_this_folder_s_is_left_alone(
    version: ModelVersion, leftovers: MlflowLeftovers, home: Path, tmp_path: Path
) -> None:
    """Another database may know other models of these files; and a server keeps its own."""
    ((found, _),) = leftovers.folders()
    other = tmp_path / "elsewhere.db"
    other.write_bytes((home / "mlflow" / "mlflow.db").read_bytes())
    for uri in (f"sqlite:///{other}", "http://127.0.0.1:5000"):
        assert MlflowLeftovers(StoreLocation.of(uri, home)).folders() == []
    assert found.is_dir()
    assert version.number == 1


def test_before_the_first_registration_there_is_nothing(tmp_path: Path) -> None:
    assert MlflowLeftovers(StoreLocation.of(None, tmp_path / "new")).folders() == []
    assert not (tmp_path / "new").exists()
