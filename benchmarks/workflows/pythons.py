"""The Pythons of ci.yml's matrix, as the stub of setup-python finds them: a folder for each version.

This Python's own environment is one of them. For another a small one is made once, in the user's cache, with
what these tests want.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from threading import Lock

from benchmarks.workflows.checkout import ROOT

__all__ = ["TESTED", "MissingPython", "pythons"]

TESTED = ("3.11", "3.12", "3.13")
_WANTED = ("hypothesis", "pydantic", "pytest", "pytest-xdist")
_LOCK = Lock()


class MissingPython(Exception):
    """This machine has no interpreter of a version that ci.yml's matrix has."""


def pythons() -> Path:
    """The folder with a folder `3.12/bin` for each of them, made if it is not there.

    Raises `MissingPython`.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "mlops-ci", "pythons")
    with _LOCK:
        base.mkdir(parents=True, exist_ok=True)
        for version in TESTED:
            folder = base / version
            if version == "{}.{}".format(*sys.version_info):
                folder.unlink(missing_ok=True)
                folder.symlink_to(sys.prefix)
            elif not _works(folder):
                shutil.rmtree(folder, ignore_errors=True)
                _make(version, folder)
    return base


def _works(folder: Path) -> bool:
    return _runs(str(folder / "bin" / "python"), "import hypothesis, pydantic, pytest, xdist")


def _runs(interpreter: str, code: str) -> bool:
    words = [interpreter, "-c", code]
    try:
        return subprocess.run(words, capture_output=True, check=False).returncode == 0  # noqa: S603 - our words
    except OSError:
        return False


def _make(version: str, folder: Path) -> None:
    # pyenv's own commands on the PATH are there for versions, too, that nobody has chosen
    interpreter = _of_pyenv(version) or shutil.which(f"python{version}")
    if interpreter is None or not _runs(interpreter, "import venv"):
        raise MissingPython(f"there is no Python {version} on this machine, which ci.yml's matrix has")
    constraints = ROOT / "constraints.txt"
    python = str(folder / "bin" / "python")
    for words in (
        [interpreter, "-m", "venv", str(folder)],
        [python, "-m", "pip", "install", "--quiet", "-c", str(constraints), *_WANTED],
    ):
        subprocess.run(words, check=True)  # noqa: S603 - the same


def _of_pyenv(version: str) -> str | None:
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = sorted((root / "versions").glob(f"{version}.*/bin/python"))
    return str(found[-1]) if found else None
