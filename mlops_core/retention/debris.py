"""What killed processes left: drafts and scratch folders whose locks are free, and files written aside.

Lock files stay. They are empty, and one that is removed while another process is about to lock it lets two
processes hold the "same" lock.
"""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from mlops_core.disk import translated
from mlops_core.retention.events import folders_of, orphans
from mlops_core.retention.found import Found, Item, size_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta
    from pathlib import Path

    from mlops_core.workspace import Workspace

__all__ = ["garbage"]

_DRAFT = re.compile(r"\.(?P<key>.+)\.draft")


def garbage(
    workspace: Workspace, use_case: str | None, *, now: datetime, older_than: timedelta
) -> Iterator[Found]:
    """What lies there and is old enough; drafts and scratch folders are of no use case in particular."""
    for found in _all(workspace, use_case, now):
        age = found.item.age
        if age is not None and age >= older_than.total_seconds():
            yield found


def _all(workspace: Workspace, use_case: str | None, now: datetime) -> Iterator[Found]:
    yield from orphans(workspace, use_case, now)
    for path, lock, owner in _unfinished(workspace, use_case):
        try:
            if workspace.is_held(lock):
                continue
            age = now.timestamp() - path.stat().st_mtime
        except FileNotFoundError:
            continue
        item = Item(
            kind="debris",
            what=workspace.uri(path),
            use_case=owner,
            why="a process was killed while it wrote there",
            size=size_of(path),
            age=max(0.0, age),
        )
        yield Found(item, partial(_remove, workspace, path, lock))


def _unfinished(workspace: Workspace, use_case: str | None) -> Iterator[tuple[Path, str, str | None]]:
    """Every path, the lock that its maker holds, and the use case where it is of one."""
    home = workspace.home
    for folder in folders_of(workspace, use_case):
        owner = folder.parent.name
        lock = f"events-{owner}-{folder.name.rpartition('-')[0]}"
        yield from ((path, lock, owner) for path in sorted(folder.glob(".*.new")))
    for path in sorted(home.glob(f"runs/{use_case or '*'}/.*.json.*")):
        yield path, "runs", path.parent.name  # nobody holds it: notes are written without a lock
    if use_case is None:
        for path in sorted(home.glob("stages/*/.*.draft")):
            matched = _DRAFT.fullmatch(path.name)
            if matched:
                yield path, f"{path.parent.name}-{matched['key']}", None
        yield from ((path, path.name[1:], None) for path in sorted(home.glob(".scratch-*")))


def _remove(workspace: Workspace, path: Path, lock: str) -> bool:
    with workspace.lock_if_free(lock) as mine:
        if not mine:
            return False
        with translated(f"remove {workspace.uri(path)}", workspace.home), suppress(FileNotFoundError):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()  # or it went with what it was written beside
    return True
