"""The package as a whole: what it exports, and that it stays light."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import pytest

import mlops_core

ENGINES = ("duckdb", "fastapi", "mlflow", "numpy", "pandas", "prefect", "pyarrow", "sklearn", "skops")
FACADES = [
    "mlops_core",
    "mlops_core.dag",
    "mlops_core.definitions",
    "mlops_core.exporters",
    "mlops_core.metrics",
]


@pytest.mark.parametrize("name", FACADES)
def test_what_is_exported_is_what_is_public(name: str) -> None:
    """`__all__` names exactly the public names."""
    module = importlib.import_module(name)
    submodules = {found.name for found in pkgutil.iter_modules(getattr(module, "__path__", []))}
    public = {found for found in vars(module) if not found.startswith("_")} - (
        submodules - set(module.__all__)
    )
    assert set(module.__all__) == public


def test_the_lesson_s_names_are_exported() -> None:
    """What the project grew from is where it was."""
    names = (
        "Task PipelineDAG upsert_feature_store train_model_from_store register_model github_actions_deploy "
        "build_mlops_pipeline run_pipeline"
    )
    assert set(names.split()) <= set(mlops_core.__all__)


@pytest.mark.parametrize(
    "code",
    [
        "import mlops_core",
        "from mlops_core.cli import main; main(['--help'])",
        "from mlops_core.cli import main; main(['run', '--help'])",
        "import mlops_core.usecases.churn",
        "import mlops_core.pipeline, mlops_core.wiring",
    ],
)
def test_no_engine_is_imported_before_it_is_used(code: str) -> None:
    """Neither the package nor its help nor its definitions load one."""
    found = f"import sys; print('loaded', *(name for name in {ENGINES!r} if name in sys.modules))"
    script = f"try:\n    {code}\nexcept SystemExit:\n    pass\n{found}"
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1].split() == ["loaded"]
