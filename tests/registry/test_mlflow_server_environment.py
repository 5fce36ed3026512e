"""Where full MLflow is looked for."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from mlops_core.adapters.registry.mlflow_server_environment import MLFLOW_SERVER
from mlops_core.errors import NotFound

if TYPE_CHECKING:
    from pathlib import Path


def test_an_interpreter_that_is_not_there_is_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of the variable or of the cache."""
    monkeypatch.setenv("MLFLOW_PYTHON", str(tmp_path / "python"))
    with pytest.raises(NotFound, match=f"{tmp_path}/python. Make one with: python -m mlops_core"):
        MLFLOW_SERVER.default_python()
    monkeypatch.delenv("MLFLOW_PYTHON")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(NotFound, match=f"{tmp_path}/mlops/mlflow-3.17/bin/python"):
        MLFLOW_SERVER.default_python()


def test_the_script_says_how_it_is_called() -> None:
    """Without a folder nothing is made."""
    module = "mlops_core.adapters.registry.mlflow_server_environment"
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", module], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (2, f"usage: python -m {module} FOLDER\n")


def test_every_version_is_pinned() -> None:
    """Of MLflow's parts all are of one release."""
    head, *lines = MLFLOW_SERVER.constraints.read_text().splitlines()
    assert head.startswith("# uv pip compile")
    pins = dict(line.split("==") for line in lines)
    assert {version for name, version in pins.items() if name.startswith("mlflow")} == {pins["mlflow"]}
    assert pins["mlflow"].startswith("3.17.")
