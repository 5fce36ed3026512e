"""The same reproduction by the code of the commit that made a version, in a process of that code."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from mlops_core.errors import MlopsError, NotFound
from mlops_core.reproduction.reproduction import Reproduction
from mlops_core.reproduction.worktree import Repository

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType

    from mlops_core.domain.registry import ModelVersion
    from mlops_core.workspace import Workspace

__all__ = ["ended_in_order", "reproduce_at_commit"]

_PACKAGE = "mlops_core"
_COMMAND = Path(_PACKAGE, "commands", "reproduce.py")
_GRACE = 10.0  # seconds for the other process to end when it is told to
_LOG = logging.getLogger(__name__)


def reproduce_at_commit(
    version: ModelVersion,
    workspace: Workspace,
    *,
    known_as: str,
    settings: Mapping[str, str],
    keep: Path | None = None,
) -> Reproduction:
    """Check out the lineage's commit beside the working directory's files and let its own code reproduce.

    `known_as` is how commands find the use case, `settings` are environment variables that name state and
    engines from any working directory. It runs with this Python and its libraries, in a git worktree below
    the workspace's scratch, which is removed whatever happens (see `ended_in_order` for signals). Raises
    `NotFound` when no commit was recorded, git or the commit is not there, or the commit's code cannot
    reproduce; `MlopsError` when it failed, having said why on standard error.
    """
    commit = (version.lineage.git_commit or "").removesuffix("-dirty")
    if not commit:
        raise NotFound(
            f"{version.name} version {version.number} was trained outside a git checkout, so its lineage "
            "names no commit: leave --at-commit out to reproduce it by the code that is installed"
        )
    repository = Repository(Path.cwd())
    repository.check(commit)
    with workspace.scratch() as folder, repository.worktree(commit, folder / "code") as at:
        _LOG.info("code: that of commit %s", commit[:12])
        own = (at / _PACKAGE).is_dir()
        if own and not (at / _COMMAND).is_file():
            raise NotFound(
                f"the code of commit {commit[:12]} has no `mlops reproduce` yet: leave --at-commit out to "
                "reproduce it by the code that is installed, which says what changed since"
            )
        words = [known_as, str(version.number), "--json", *(["--keep", str(keep.absolute())] if keep else [])]
        said = _run(words, at, settings, commit)
    notes = () if own else (f"that commit holds no {_PACKAGE}: the installed one did this",)
    return _read(said, commit, notes)


def _run(words: list[str], at: Path, settings: Mapping[str, str], commit: str) -> str:
    given = [one for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one]
    paths = [str(at), *(str(Path(one).absolute()) for one in given)]
    process = subprocess.Popen(  # noqa: S603 - this Python, and words that were checked
        [sys.executable, "-m", f"{_PACKAGE}.cli", "reproduce", *words],
        cwd=at,
        env={**os.environ, **settings, "PYTHONPATH": os.pathsep.join(paths)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        said, _ = process.communicate()
    finally:
        _end(process)
    if process.returncode not in (0, 1) or not said.lstrip().startswith("{"):
        raise MlopsError(
            f"the code of commit {commit[:12]} could not reproduce it (exit code {process.returncode}); "
            "what it said stands above"
        )
    return said


def _end(process: subprocess.Popen[str]) -> None:
    """It never outlives us: told to end, and killed when it does not."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _read(said: str, commit: str, notes: tuple[str, ...]) -> Reproduction:
    try:
        found = Reproduction.model_validate_json(said)
    except ValidationError as error:
        raise MlopsError(
            f"the code of commit {commit[:12]} reports in a form that this version does not read "
            f"({error.error_count()} problems): check that commit out and run `mlops reproduce` there"
        ) from error
    return found.model_copy(update={"commit": commit, "notes": (*found.notes, *notes)})


@contextmanager
def ended_in_order() -> Iterator[None]:
    """SIGTERM unwinds as Ctrl-C does, so that nothing is left; in the main thread, where it arrives."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - how Python calls it
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
