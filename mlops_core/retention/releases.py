"""Releases of versions that neither registry nor ledger knows.

A target need not be able to list what lies there, so this is no part of `Deployer`: the one that keeps
folders (`ConfiguredEngines.releases`) can, and is handed in.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Protocol

from mlops_core.retention.found import Found, Item, Kind, size_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta
    from pathlib import Path

    from mlops_core.retention.references import References

__all__ = ["Releases", "garbage"]

_FOLDER = re.compile(r"([0-9]{1,18})-([0-9a-f]{12})")


class Releases(Protocol):
    """A folder of releases, as the local deployer keeps it."""

    def folders(self, name: str) -> list[Path]:
        """All that lies beside the pointer of a name but its lock: releases, and what killed attempts left.

        The current release is not among them.
        """

    def discard(self, name: str, folder: Path) -> bool:
        """Remove one of them; False, and nothing is done, when it is current or somebody is releasing."""


def garbage(
    releases: Releases, references: References, use_case: str, home: Path, now: float, older_than: timedelta
) -> Iterator[Found]:
    """The releases of one name, and the debris beside them."""
    known = {f"{number}-{digest[:12]}" for number, digest in references.releases(use_case)}
    for folder in releases.folders(use_case):
        release, age = _FOLDER.fullmatch(folder.name), now - folder.stat().st_mtime
        hidden = folder.name.startswith(".")
        if age < older_than.total_seconds() or folder.name in known or not (release or hidden):
            continue
        kind: Kind = "debris" if hidden else "release"
        why = (
            "a process was killed while it released"
            if release is None
            else f"neither registry nor ledger knows version {release[1]} with that digest"
        )
        item = Item(
            kind=kind,
            what=folder.relative_to(home).as_posix(),
            use_case=use_case,
            why=why,
            size=size_of(folder),
            age=max(0.0, age),
        )
        yield Found(item, partial(releases.discard, use_case, folder))
