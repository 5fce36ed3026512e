"""A copy of this checkout as a repository of its own, for act to run in; uncommitted changes are in it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

__all__ = ["ROOT", "commit", "copy_of_this_checkout", "head_of"]

ROOT = Path(__file__).parents[2]
_UNKNOWN_TO_ACT = "      deployment: false"
"""A key of `environment` since 2026, which act 0.2.89 refuses; without it a job says the same here."""

_AUTHOR = ("-c", "user.name=shop", "-c", "user.email=shop@localhost", "-c", "commit.gpgsign=false")


def copy_of_this_checkout(folder: Path, repository: str) -> Path:
    """Make it in `folder`, with one commit on the branch main; on GitHub it is `repository`."""
    listed = _git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():  # what was removed and not committed is listed too
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    for workflow in (folder / ".github" / "workflows").glob("*.yml"):
        lines = workflow.read_text().splitlines()
        workflow.write_text("\n".join(one for one in lines if not one.startswith(_UNKNOWN_TO_ACT)) + "\n")
    _git(folder, "init", "--quiet", "--initial-branch=main")
    _git(folder, "remote", "add", "origin", f"https://github.com/{repository}.git")  # nobody fetches from it
    commit(folder, "the checkout")
    return folder


def commit(folder: Path, message: str) -> str:
    """Commit everything that changed in it; returns the commit's id."""
    _git(folder, "add", "--all")
    _git(folder, *_AUTHOR, "commit", "--quiet", "--allow-empty", "--message", message)
    return head_of(folder)


def head_of(folder: Path) -> str:
    """The id of its commit."""
    return _git(folder, "rev-parse", "HEAD").strip()


def _git(folder: Path, *words: str) -> str:
    kept = {one for one in os.environ if not one.startswith("GIT_") or one.startswith("GIT_CONFIG_")}
    environment = {name: os.environ[name] for name in kept}
    done = subprocess.run(  # noqa: S603 - git, with words of our own
        ["git", *words],  # noqa: S607 - whichever git there is
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
