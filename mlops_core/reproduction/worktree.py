"""The files of a commit beside the ones that are checked out: a git worktree, for as long as it is needed."""

from __future__ import annotations

import re
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlops_core.errors import BadInput, MlopsError, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Repository"]

_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_SECONDS = 600  # for a checkout; looking takes none


class Repository:
    """The git repository that `folder` lies in.

    Raises `NotFound` when git is not installed, or the folder is in no repository.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            said = self._git("rev-parse", "--show-toplevel", "--show-prefix")
        except FileNotFoundError as error:
            raise NotFound(
                "git is not installed, and --at-commit needs it to see the code of then"
            ) from error
        except subprocess.CalledProcessError as error:
            raise NotFound(
                f"{folder} is in no git repository ({_said(error)}): run --at-commit in the checkout that "
                "the version was trained from"
            ) from error
        self._root, self._prefix = said.splitlines()[:2]

    def check(self, commit: str) -> None:
        """Raise `NotFound` unless the repository has the commit, `BadInput` for what is no commit's id."""
        if not _COMMIT.fullmatch(commit):
            raise BadInput(f"{commit!r} is no commit: the lineage should have all digits of its id")
        try:
            self._git("cat-file", "-e", f"{commit}^{{commit}}")
        except subprocess.CalledProcessError as error:
            raise NotFound(
                f"the repository at {self._root} has no commit {commit[:12]}: bring it in with `git fetch` "
                "(in a shallow clone `git fetch --unshallow`), or run this in the checkout that the version "
                "was trained from"
            ) from error

    @contextmanager
    def worktree(self, commit: str, at: Path) -> Iterator[Path]:
        """Check a commit out at the new folder `at`; it is gone afterwards, and so is git's entry of it.

        Yields the folder in it that corresponds to `folder`, or its root where the commit had none such. No
        hooks are run. A killed process leaves a worktree that the next one at the same place replaces.
        """
        words = ("-c", "core.hooksPath=/dev/null", "worktree", "add", "--quiet", "--force", "--detach")
        try:
            try:
                self._git(*words, str(at), commit)
            except subprocess.CalledProcessError as error:
                raise MlopsError(f"git cannot check out {commit[:12]} at {at}: {_said(error)}") from error
            there = at / self._prefix
            yield there if there.is_dir() else at
        finally:
            self._remove(at)

    def _remove(self, at: Path) -> None:
        """Our own entry alone: `git worktree prune` would forget others' on a disk that is not there now."""
        try:
            self._git("worktree", "remove", "--force", "--force", str(at))
        except subprocess.SubprocessError:
            return  # it was never added; what lies there goes with the folder around it

    def _git(self, *words: str) -> str:
        done = subprocess.run(  # noqa: S603 - our own words, and a commit's id that was checked
            ["git", *words],  # noqa: S607 - git is found where the user's PATH has it
            cwd=self._folder,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=True,
            text=True,
            timeout=_SECONDS,
        )
        return done.stdout


def _said(error: subprocess.CalledProcessError) -> str:
    return " ".join((error.stderr or "").split()) or f"exit code {error.returncode}"
