"""An MLflow model around files that are already saved: what `mlflow.sklearn` and `mlflow.pyfunc` load by.

`mlflow.sklearn.log_model` would dump the model once more, load it to check it, and infer what it needs. We
have the skops file, and know the rest. Next to our files, in `model/`, a package has

    MLmodel             flavors sklearn and python_function, the signature
    requirements.txt, python_env.yaml, conda.yaml       what to install, as MLflow looks for it
"""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlflow.entities import LoggedModel
    from mlflow.models import ModelSignature

__all__ = ["FILES_FOLDER", "MODEL_FILE", "write_package"]

FILES_FOLDER = "model"
"""Where our own files lie in a package."""

MODEL_FILE = "model.skops"
"""The file among them that MLflow's own loaders read."""

_REQUIREMENTS = ("mlflow-skinny", "numpy", "pandas", "scikit-learn", "skops")
_BUILD = ("pip", "setuptools", "wheel")
_TRUSTED = (  # beyond skops' own list: data types and trees, neither of which runs code
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
)


def write_package(folder: Path, model: LoggedModel, feature_names: Sequence[str]) -> None:
    """Write everything but our own files into an existing empty folder."""
    from mlflow.models import Model

    path = f"{FILES_FOLDER}/{MODEL_FILE}"
    package = Model(
        artifact_path=model.artifact_location,
        run_id=model.source_run_id,
        model_uuid=model.model_id,
        model_id=model.model_id,
        signature=_signature(feature_names),
    )
    package.add_flavor(  # by hand: importing `mlflow.pyfunc` for `add_to_model` takes time and warns
        "python_function",
        loader_module="mlflow.sklearn",
        python_version=platform.python_version(),
        model_path=path,
        predict_fn="predict_proba",
        env={"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
    )
    package.add_flavor(
        "sklearn",
        pickled_model=path,
        sklearn_version=version("scikit-learn"),
        serialization_format="skops",
        code=None,
        skops_trusted_types=list(_TRUSTED),
    )
    package.save(str(folder / "MLmodel"))
    _write_environment(folder)


def _signature(feature_names: Sequence[str]) -> ModelSignature:
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema, TensorSpec

    return ModelSignature(
        inputs=Schema([ColSpec(DataType.double, name) for name in feature_names]),
        outputs=Schema([TensorSpec(np.dtype(np.float64), (-1, 2))]),  # negative and positive class
    )


def _write_environment(folder: Path) -> None:
    import yaml

    python, needed = platform.python_version(), [f"{name}=={version(name)}" for name in _REQUIREMENTS]
    virtual = {"python": python, "build_dependencies": list(_BUILD), "dependencies": ["-r requirements.txt"]}
    conda = {
        "name": "mlflow-env",
        "channels": ["conda-forge"],
        "dependencies": [f"python={python}", "pip", {"pip": needed}],
    }
    (folder / "requirements.txt").write_text("\n".join(needed) + "\n")
    (folder / "python_env.yaml").write_text(yaml.safe_dump(virtual, sort_keys=False))
    (folder / "conda.yaml").write_text(yaml.safe_dump(conda, sort_keys=False))
