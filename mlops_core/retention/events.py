"""Versions of events that nobody refers to.

The newest of every source stays, and so does every one that a registered version was trained on, archived or
not: what it was made from can be read again then, which `mlops reproduce` needs. The age of a version is the
time since another took its place, so that a run which began with it can end with it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from mlops_core.history import discard, stored_versions
from mlops_core.retention.found import Found, Item, size_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from mlops_core.domain.history import HistoryVersion
    from mlops_core.retention.references import References
    from mlops_core.workspace import Workspace

__all__ = ["folders_of", "garbage", "orphans"]


def folders_of(workspace: Workspace, use_case: str | None) -> list[Path]:
    """The folders of events of a use case, or of all, those of definitions that are no more among them."""
    found = workspace.home.glob(f"features/{use_case or '*'}/*")
    return sorted(folder for folder in found if folder.is_dir() and not folder.name.startswith("."))


def garbage(
    workspace: Workspace,
    references: References,
    uris: Collection[str],
    use_case: str | None,
    *,
    now: datetime,
    older_than: timedelta,
) -> Iterator[Found]:
    """Versions to let go of; `uris` are what kept outputs name."""
    for folder in folders_of(workspace, use_case):
        versions = stored_versions(workspace, folder)
        needed = {one.uri for one in versions if one.digest in references.events or one.uri in uris}
        for uri in dict.fromkeys(one.uri for one in versions[:-1] if one.present):
            replaced = _replaced(versions, uri)
            if uri not in needed and replaced is not None and now - replaced.stored_at >= older_than:
                yield _found(workspace, folder, uri, versions, replaced, now)


def _replaced(versions: Sequence[HistoryVersion], uri: str) -> HistoryVersion | None:
    """The version that took the place of the last one with that file; None when it holds."""
    last = max(index for index, one in enumerate(versions) if one.uri == uri)
    return versions[last + 1] if last + 1 < len(versions) else None


def _found(
    workspace: Workspace,
    folder: Path,
    uri: str,
    versions: Sequence[HistoryVersion],
    by: HistoryVersion,
    now: datetime,
) -> Found:
    digests = {one.digest for one in versions if one.uri == uri}

    def remove() -> bool:
        used = {digest for use in workspace.journal.all() for digest in use.inputs.data.values()}
        return not used & digests and discard(workspace, folder, uri)

    item = Item(
        kind="events",
        what=uri,
        use_case=folder.parent.name,
        why=f"no version was trained on it; version {by.number} of the events took its place",
        size=size_of(workspace.path(uri)),
        age=max(0.0, (now - by.stored_at).total_seconds()),
    )
    return Found(item, remove)


def orphans(workspace: Workspace, use_case: str | None, now: datetime) -> Iterator[Found]:
    """Files of events that no version names: a process was killed before it wrote that, or after."""
    for folder in folders_of(workspace, use_case):
        present = {workspace.path(one.uri) for one in stored_versions(workspace, folder) if one.present}
        for file in sorted(set(folder.glob("*.parquet")) - present):
            written = datetime.fromtimestamp(file.stat().st_mtime, UTC)
            item = Item(
                kind="debris",
                what=workspace.uri(file),
                use_case=folder.parent.name,
                why="no version of the events names it: a process was killed",
                size=size_of(file),
                age=max(0.0, (now - written).total_seconds()),
            )
            yield Found(item, partial(_discard_orphan, workspace, folder, file))


def _discard_orphan(workspace: Workspace, folder: Path, file: Path) -> bool:
    uri = workspace.uri(file)  # the same events may have been brought in again meanwhile
    named = any(one.present and one.uri == uri for one in stored_versions(workspace, folder))
    return not named and discard(workspace, folder, uri)
