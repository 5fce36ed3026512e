"""Files of models that the registry has given up: those of registrations that were killed.

A registry need not keep files on this machine, so this is no part of `ModelRegistry`: the one that does
(`ConfiguredEngines.model_files`) can tell, and is handed in.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

from mlops_core.retention.found import Found, Item, size_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta
    from pathlib import Path

__all__ = ["ModelFiles", "garbage"]


class ModelFiles(Protocol):
    """A registry's files, as the local store of MLflow keeps them."""

    def folders(self) -> list[tuple[Path, str | None]]:
        """Folders that no version and no model refers to, each with the model's name where it is known."""

    def discard(self, folder: Path) -> bool:
        """Remove one; False, and nothing is done, when it is in use by now or somebody is registering."""


def garbage(
    files: ModelFiles, use_case: str | None, home: Path, now: float, older_than: timedelta
) -> Iterator[Found]:
    """Those of one use case, or of all and of none."""
    for folder, name in files.folders():
        age = now - folder.stat().st_mtime
        owner = name.partition(" in ")[0] if name is not None else None  # see the registry's experiments
        if age < older_than.total_seconds() or use_case not in (None, owner):
            continue
        item = Item(
            kind="model files",
            what=folder.relative_to(home).as_posix(),
            use_case=owner,
            why="a registration was killed, and no version has them",
            size=size_of(folder),
            age=max(0.0, age),
        )
        yield Found(item, partial(files.discard, folder))
