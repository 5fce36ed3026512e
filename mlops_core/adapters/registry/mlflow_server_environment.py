"""Makes the environment that `mlflow server` needs for itself: full MLflow's pins (pyarrow < 26) fight ours.

    python -m mlops_core.adapters.registry.mlflow_server_environment FOLDER

It has psycopg as well, for a server that keeps its records in PostgreSQL. All versions stand in
`mlflow-server-constraints.txt` beside this file; we ourselves go on with `mlflow-skinny`, which is a client.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from mlops_core.errors import MlopsError, NotFound

__all__ = ["CONSTRAINTS", "cached_environment", "default_python", "make_environment"]

CONSTRAINTS = Path(__file__).with_name("mlflow-server-constraints.txt")
_REQUIREMENTS = ("mlflow>=3.17,<3.18", "psycopg[binary]>=3.2")
_COMMAND = "python -m mlops_core.adapters.registry.mlflow_server_environment"


def make_environment(folder: Path) -> Path:
    """Make a virtual environment with MLflow in `folder` and return its interpreter; a finished one stays.

    It is made with the Python that runs this (3.11 is what the versions were pinned for) and takes about a
    gigabyte. Raises `MlopsError` with pip's last line when it cannot be made.
    """
    python, done = _python_of(folder), folder / ".made-for-mlops"
    if not (done.exists() and done.read_bytes() == CONSTRAINTS.read_bytes()):
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        _run([str(python), "-m", "pip", "install", "--quiet", "-c", str(CONSTRAINTS), *_REQUIREMENTS])
        done.write_bytes(CONSTRAINTS.read_bytes())
    return python


def cached_environment() -> Path:
    """Where the environment is looked for unless MLFLOW_PYTHON names an interpreter: in the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache, "mlops", "mlflow-3.17")


def default_python() -> Path:
    """The interpreter that MLFLOW_PYTHON names, or that of the cached environment.

    Raises `NotFound`, with what to do, when there is neither.
    """
    named = os.environ.get("MLFLOW_PYTHON")
    python = Path(named) if named else _python_of(cached_environment())
    if not python.exists():
        raise NotFound(
            f"no Python with MLflow's server at {python}. Make one with: {_COMMAND} {cached_environment()} "
            "(or name the interpreter of another in MLFLOW_PYTHON)."
        )
    return python


def _python_of(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - no shell
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()] or ["it said nothing"]
        raise MlopsError(f"{' '.join(command[:4])} failed: {said[-1][:500]}")


def _main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.stderr.write(f"usage: {_COMMAND} FOLDER\n")
        return 2
    try:
        python = make_environment(Path(arguments[0]))
    except MlopsError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(f"export MLFLOW_PYTHON={python.absolute()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
