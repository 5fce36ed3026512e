"""Writing so that nothing half-written is ever seen, and saying in words what the disk refused."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_core.errors import BadInput, MlopsError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "copy_tree",
    "folder_to_be",
    "regular_files",
    "replace_file",
    "sync",
    "sync_tree",
    "translated",
    "write_file",
]

_REASONS = {
    errno.EACCES: "permission denied",
    errno.EDQUOT: "the disk quota is used up",
    errno.EEXIST: "a file is in its place",
    errno.EFBIG: "the limit for the size of a file is reached",
    errno.EIO: "the disk reports an error",
    errno.ENOSPC: "the disk is full",
    errno.ENOTDIR: "something on its path is not a folder",
    errno.EPERM: "permission denied",
    errno.EROFS: "it is on a read-only file system",
}


@contextmanager
def translated(doing: str, folder: Path) -> Iterator[None]:
    """Raise an `OSError` of the body as `MlopsError`: what was being done, in which folder, why it failed."""
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, str(error))
        raise MlopsError(
            f"cannot {doing} in {folder}: {reason}. Nothing half-written can be seen; "
            "mend that (or set MLOPS_HOME to another folder) and run the same again."
        ) from error


def folder_to_be(home: Path) -> Path:
    """`home`, which is a folder that can be looked into, or is not there yet.

    Anything else would pass for an empty one to whoever only looks whether files are there. Raises
    `MlopsError`.
    """
    with translated("keep state", home):
        place = next(one for one in (home, *home.parents) if os.path.lexists(one))
        if not place.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if not os.access(place, os.X_OK | (os.R_OK if place == home else 0)):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return home


def write_file(path: Path, content: bytes) -> None:
    """Write a new file, on the disk when this returns (its folder's entry is not: see `sync`)."""
    with path.open("xb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file in one step: a reader sees the old bytes or the new ones, also after a power cut."""
    aside = path.with_name(f".{path.name}.new")
    aside.unlink(missing_ok=True)
    try:
        write_file(aside, content)
        os.replace(aside, path)  # noqa: PTH105 - the steps stand side by side under their POSIX names
    except OSError:
        aside.unlink(missing_ok=True)
        raise
    sync(path.parent)


def sync(path: Path) -> None:
    """Bring a file's bytes, or a folder's entries, to the disk: a rename is durable once its folder is."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Bring a folder, all below it and its own entry to the disk."""
    for path in [*folder.rglob("*"), folder, folder.parent]:
        sync(path)


def copy_tree(source: Path, target: Path) -> None:
    """Copy the files below `source` into the new folder `target`, on the disk when this returns.

    Raises `BadInput` for anything below `source` that is neither a file nor a folder.
    """
    target.mkdir()
    files, strange = regular_files(source)
    if strange:
        raise BadInput(f"{source / strange[0]} is a link or a special file; a model consists of plain files")
    for name in files:
        copied = target / name
        copied.parent.mkdir(parents=True, exist_ok=True)
        write_file(copied, (source / name).read_bytes())
    for parent, _, _ in os.walk(target):
        sync(Path(parent))


def regular_files(folder: Path) -> tuple[list[str], list[str]]:
    """What is below `folder` by its relative path, sorted: plain files, and what is neither file nor folder.

    Links are not followed, and an unreadable folder raises its `OSError` instead of being passed over.
    """
    files: list[str] = []
    strange: list[str] = []
    for parent, folders, names in os.walk(folder, onerror=_raise):
        for name in (*folders, *names):
            path = Path(parent, name)
            where = path.relative_to(folder).as_posix()
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                strange.append(where)
            elif path.is_file():
                files.append(where)
    return sorted(files), sorted(strange)


def _raise(error: OSError) -> None:
    raise error
