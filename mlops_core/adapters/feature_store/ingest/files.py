"""Which files a source's path means: one file, all files below a folder, or those that match a glob."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_core.errors import BadInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["files_of", "is_csv"]

_SUFFIXES = (".parquet", ".csv")


def is_csv(path: Path) -> bool:
    """Whether the file is CSV by its suffix."""
    return path.suffix.lower() == ".csv"


def files_of(path: Path, source: str) -> dict[str, Path]:
    """The files by the names that messages give them, in the order of these names.

    Below a folder, and for a glob (`*`, `?`, `[`, and `**` for folders of any depth), these are the files
    that end in .parquet or .csv. Hidden files and folders and those that begin with "_" are passed over: so
    other programs name marks and half-written files. Raises `NotFound` when there are none, and `BadInput`
    for a file of another kind and for Parquet and CSV mixed.
    """
    if path.is_dir():
        found = _labelled(path.rglob("*"), path)
    elif path.exists():
        found = {str(path): path}
        if not path.is_file() or path.suffix.lower() not in _SUFFIXES:
            raise BadInput(
                f"{source}: {path} is not a file ending in .parquet or .csv, which are supported. "
                "Give the path of such a file."
            )
    elif glob.has_magic(str(path)):
        base = _fixed(path)
        found = _labelled(base.glob(path.relative_to(base).as_posix()), base)
    else:
        raise NotFound(f"{source}: there is no file {path}. Give the path of its events.")
    if not found:
        raise NotFound(f"{source}: there is no file ending in .parquet or .csv in {path}. Give another path.")
    if len({is_csv(one) for one in found.values()}) > 1:
        raise BadInput(f"{source}: {path} has both Parquet and CSV files. Give a glob of one kind.")
    return found


def _labelled(paths: Iterable[Path], base: Path) -> dict[str, Path]:
    """Data files among `paths` by what they are called from the folder that `base` lies in."""
    found = {}
    for path in paths:
        inner = path.relative_to(base)
        shown = not any(part.startswith((".", "_")) for part in inner.parts)
        if shown and path.suffix.lower() in _SUFFIXES and path.is_file():
            found[(Path(base.name) / inner).as_posix()] = path
    return dict(sorted(found.items()))


def _fixed(pattern: Path) -> Path:
    """The folder that a glob begins with, before anything that varies."""
    base = pattern.parent
    while glob.has_magic(str(base)):
        base = base.parent
    return base
