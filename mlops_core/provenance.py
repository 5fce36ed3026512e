"""What code and which libraries a result came from."""

from __future__ import annotations

import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path

from mlops_core.domain.digest import digest_file, digest_of

__all__ = ["code_digest", "git_commit", "libraries"]

# The parts of this package that decide what a stage computes.
_DECISIVE = (
    "adapters/feature_store",
    "adapters/trainer",
    "checks",
    "domain",
    "metrics",
    "online_parity.py",
    "point_in_time.py",
    "stages",
)
_LIBRARIES = ("duckdb", "numpy", "pyarrow", "scikit-learn", "scipy", "skops")


@cache
def code_digest() -> str:
    """Digest of the sources that decide results, by path; the same wherever the package is installed."""
    root = Path(__file__).parent
    parts = [root / part for part in _DECISIVE]
    files = sorted(path for part in parts for path in (part.rglob("*.py") if part.is_dir() else [part]))
    return digest_of({path.relative_to(root).as_posix(): digest_file(path) for path in files})


@cache
def libraries() -> dict[str, str]:
    """Installed version of each library that computes, by distribution name."""
    return {name: version(name) for name in _LIBRARIES}


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
