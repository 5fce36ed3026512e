"""What a store leaves on the machine, and what it sweeps."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops_core.adapters.registry.mlflow import MlflowModelRegistry
from mlops_core.domain.registry import Submission

Submit = Callable[..., Submission]

FIRST_RUN = """
import os, pathlib, sys
from mlops_core.adapters.registry.mlflow import MlflowModelRegistry
from mlops_core.domain.registry import Submission
registry = MlflowModelRegistry(tracking_uri=None, home=pathlib.Path("state"))
registry.register(Submission.model_validate_json(sys.argv[1]))
assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
"""


@pytest.mark.live
def test_a_first_run_is_silent_and_writes_to_its_home_alone(
    submit: Submit, environment: dict[str, str], tmp_path: Path
) -> None:
    """Nothing is printed, and nothing written to the user's folders or beside the state folder."""
    working = tmp_path / "working"
    working.mkdir()
    done = subprocess.run(  # noqa: S603 - our own interpreter and script
        [sys.executable, "-c", FIRST_RUN, submit().model_dump_json()],
        env=environment,
        cwd=working,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [path.name for path in working.iterdir()] == ["state"]
    assert sorted(path.name for path in (working / "state/mlflow").iterdir()) == [
        "artifacts",
        "mlflow.db",
        "mlflow.db.lock",
    ]
    assert list(Path(environment["HOME"]).iterdir()) == []


def test_a_dead_attempt_is_swept_by_the_next_at_the_same_model(
    mlflow_registry: MlflowModelRegistry, submit: Submit, home: Path
) -> None:
    """A run that was left RUNNING with our digest is ended and its model deleted; others' runs stay."""
    mlflow_registry.register(submit("other"))
    client = client_of(home)
    (experiment,) = (one for one in client.search_experiments() if one.name == "churn")
    dead, foreign = (
        client.create_run(experiment.experiment_id, tags=tags).info.run_id
        for tags in ({"mlops.digest": "first"}, {"mlops.digest": "somebody's"})
    )
    model = client.create_logged_model(experiment.experiment_id, name="half", source_run_id=dead)
    mlflow_registry.register(submit("first"))
    assert client.get_run(dead).info.status == "KILLED"
    assert client.get_run(foreign).info.status == "RUNNING"
    models = client.search_logged_models([experiment.experiment_id])
    assert model.model_id not in {one.model_id for one in models}
    assert len(models) == 2


def test_a_home_folder_may_have_any_name(submit: Submit, migrated: Path, tmp_path: Path) -> None:
    """What a URI would read as something else in a path is quoted where we speak to MLflow."""
    home = tmp_path / "50% #1 & %41;ü"
    (home / "mlflow").mkdir(parents=True)
    shutil.copy(migrated, home / "mlflow" / "mlflow.db")
    registry = MlflowModelRegistry(tracking_uri=None, home=home)
    (tmp_path / "into").mkdir()
    registry.fetch(registry.register(submit()), tmp_path / "into")
    assert (tmp_path / "into/model.skops").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["50% #1 & %41;ü", "into", "report.html"]


def test_any_sqlite_file_can_be_the_store(submit: Submit, tmp_path: Path) -> None:
    """With a tracking URI the records are in that file; the models' files stay below the home folder."""
    uri = f"sqlite:///{tmp_path}/shared/tracking.db"
    registry = MlflowModelRegistry(tracking_uri=uri, home=tmp_path / "home")
    version = registry.register(submit())
    assert sorted(path.name for path in (tmp_path / "shared").iterdir()) == [
        "tracking.db",
        "tracking.db.lock",
    ]
    assert [path.name for path in (tmp_path / "home/mlflow").iterdir()] == ["artifacts"]
    elsewhere = MlflowModelRegistry(tracking_uri=uri, home=tmp_path / "elsewhere")
    assert elsewhere.versions("churn") == [version]
    elsewhere.register(submit("second"))
    assert [path.name for path in (tmp_path / "elsewhere/mlflow").iterdir()] == ["artifacts"]


def client_of(home: Path) -> Any:
    from mlflow import MlflowClient

    uri = f"sqlite:///{home}/mlflow/mlflow.db"
    return MlflowClient(uri, uri)
