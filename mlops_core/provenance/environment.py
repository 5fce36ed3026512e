"""Where a result was computed: the commit, the libraries, the Python."""

from __future__ import annotations

import platform
import subprocess
from functools import cache
from importlib.metadata import version

__all__ = ["git_commit", "libraries", "python_version"]

_LIBRARIES = ("duckdb", "numpy", "pyarrow", "scikit-learn", "scipy", "skops")


@cache
def libraries() -> dict[str, str]:
    """Installed version of each library that computes, by distribution name."""
    return {name: version(name) for name in _LIBRARIES}


def python_version() -> str:
    """The version of the Python that runs this, such as "3.11.13"."""
    return platform.python_version()


def git_commit() -> str | None:
    """The commit checked out in the working directory, with "-dirty" when tracked files differ from it.

    None outside a git checkout, or where git is not installed.
    """
    try:
        commit = _git("rev-parse", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return None
    return f"{commit}-dirty" if changed else commit


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], capture_output=True, check=True, text=True, timeout=10)  # noqa: S603, S607 - our own words; git is found where the user's PATH has it
    return done.stdout.strip()
