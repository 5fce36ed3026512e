"""What we register is an MLflow model and run to everybody else."""

from __future__ import annotations

import json
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlops_core.adapters.registry.mlflow import MlflowModelRegistry
    from mlops_core.domain.registry import ModelVersion, Submission
    from tests.registry.life import Life

# pyfunc warns of a type hint of its own at its import
pytestmark = pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning")


@pytest.fixture
def version(
    mlflow_registry: MlflowModelRegistry, submit: Callable[..., Submission], life: Life
) -> ModelVersion:
    """A registered version, in Production."""
    version = mlflow_registry.register(submit())
    mlflow_registry.follow(life.promoted(version))
    return version


@pytest.fixture
def tracking(home: Path, version: ModelVersion) -> Iterator[Any]:
    """MLflow as another program sees it: its global store set to ours, with a version in it."""
    import mlflow

    assert version.number == 1

    mlflow.set_tracking_uri(f"sqlite:///{home}/mlflow/mlflow.db")
    try:
        yield mlflow
    finally:
        mlflow.set_tracking_uri(None)


def test_mlflow_loads_the_model_we_saved(tracking: Any, saved: Any) -> None:
    """`mlflow.sklearn.load_model` gives a model with the very predictions of the one that was saved."""
    loaded = tracking.sklearn.load_model("models:/churn@production")
    np.testing.assert_array_equal(loaded.predict_proba(saved.rows), saved.pipeline.predict_proba(saved.rows))


# scikit-learn warns of names: the pipeline was fitted on a matrix, the signature is what orders the columns
@pytest.mark.filterwarnings("ignore:X has feature names:UserWarning")
def test_pyfunc_takes_named_columns_and_gives_probabilities(tracking: Any, saved: Any) -> None:
    """`mlflow.pyfunc` scores a frame by its column names, in any order, missing values allowed."""
    loaded = tracking.pyfunc.load_model("models:/churn/1")
    frame = pd.DataFrame(saved.rows, columns=["orders", "spent", "recency"])
    shuffled = frame[["recency", "orders", "spent"]]
    expected = saved.pipeline.predict_proba(saved.rows)  # a frame's matrix lies otherwise in memory
    np.testing.assert_allclose(loaded.predict(shuffled), expected, rtol=0, atol=1e-12)
    assert [(one.name, one.type.name) for one in loaded.metadata.signature.inputs] == [
        ("orders", "double"),
        ("spent", "double"),
        ("recency", "double"),
    ]
    with pytest.raises(tracking.exceptions.MlflowException, match="missing inputs"):
        loaded.predict(frame[["orders"]])


def test_boosted_trees_load_too(
    mlflow_registry: MlflowModelRegistry,
    submit: Callable[..., Submission],
    tracking: Any,
    saved: Any,
    tmp_path: Path,
) -> None:
    """The other kind of our trainer's models holds trees, which the package lets MLflow trust."""
    import skops.io
    from sklearn.ensemble import HistGradientBoostingClassifier

    trees = HistGradientBoostingClassifier(max_iter=3).fit(saved.rows, saved.rows[:, 0] > 0)
    folder = tmp_path / "trees"
    folder.mkdir()
    skops.io.dump(trees, folder / "model.skops")
    number = mlflow_registry.register(submit("trees", folder=str(folder))).number
    loaded = tracking.sklearn.load_model(f"models:/churn/{number}")
    np.testing.assert_array_equal(loaded.predict_proba(saved.rows), trees.predict_proba(saved.rows))


def test_requirements_are_the_installed_versions(tracking: Any) -> None:
    """Whoever installs the package's requirements gets the versions that the model was made with."""
    path = tracking.pyfunc.get_model_dependencies("models:/churn/1")
    wanted = {line.partition("==")[0]: line.partition("==")[2] for line in Path(path).read_text().split()}
    assert wanted == {
        name: installed(name) for name in ("mlflow-skinny", "numpy", "pandas", "scikit-learn", "skops")
    }


def test_the_run_tells_how_the_model_came_about(tracking: Any, version: ModelVersion) -> None:
    """Parameters, metrics, commit, report and the digests of the data are found in MLflow's run."""
    client = tracking.MlflowClient()
    run = client.get_run(version.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params == {"regularisation": "0.1"}
    assert run.data.metrics == version.metrics
    assert run.data.tags["mlflow.source.git.commit"] == "f" * 40
    assert [file.path for file in client.list_artifacts(version.run_id, "report")] == ["report/report.html"]
    digests = {one.dataset.name: (one.dataset.digest, one.tags[1].value) for one in run.inputs.dataset_inputs}
    assert digests == {"training_set": ("c" * 36, "c" * 64), "orders": ("a" * 36, "a" * 64)}


def test_the_logged_model_belongs_to_run_and_version(tracking: Any, version: ModelVersion) -> None:
    """From MLflow's logged model one finds the run that made it, its metrics, and the version made of it."""
    client = tracking.MlflowClient()
    run = client.get_run(version.run_id)
    model = client.get_logged_model(run.outputs.model_outputs[0].model_id)
    assert (str(model.status), model.source_run_id) == ("READY", version.run_id)
    assert {metric.key: metric.value for metric in model.metrics} == version.metrics
    assert json.loads(model.tags["mlflow.modelVersions"]) == [{"name": "churn", "version": 1}]


def test_aliases_and_description_are_there_for_people(tracking: Any, version: ModelVersion) -> None:
    """The alias `production` names the version, and its description says what it is."""
    found = tracking.MlflowClient().get_model_version_by_alias("churn", "production")
    assert int(found.version) == version.number
    assert found.description == "logistic as of 2024-05-31: brier 0.1, roc_auc 0.8123"
    assert found.tags["stage"] == "Production"
