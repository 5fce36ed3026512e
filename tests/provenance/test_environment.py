"""Where a result was computed."""

from __future__ import annotations

import platform
import subprocess
from typing import TYPE_CHECKING

from mlops_core.provenance import git_commit, libraries, python_version

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def _git(folder: Path, *words: str) -> str:
    named = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
    done = subprocess.run(  # noqa: S603 - our own words
        ["git", *named, *words],  # noqa: S607 - git is found on the PATH, as the code under test finds it
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def test_the_commit_says_whether_files_differ_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit of the working directory; files that git does not know are no difference."""
    monkeypatch.chdir(tmp_path)
    _git(tmp_path, "init", "--quiet")
    file = tmp_path / "file.txt"
    file.write_text("1")
    _git(tmp_path, "add", "file.txt")
    _git(tmp_path, "commit", "--quiet", "-m", "one", "--no-gpg-sign")
    commit = _git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "other.txt").write_text("1")
    assert git_commit() == commit
    file.write_text("2")
    assert git_commit() == f"{commit}-dirty"


def test_outside_of_a_checkout_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor where git is not installed."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)
    assert git_commit() is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_commit() is None


def test_the_libraries_that_compute_are_named() -> None:
    """With their versions, and Python's own."""
    assert {"duckdb", "numpy", "pyarrow", "scikit-learn"} <= libraries().keys()
    assert python_version() == platform.python_version()
