"""The model's files on their way out of a registry, each compared with its digest of registration."""

from __future__ import annotations

import json
import shutil
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from mlops_core.adapters.registry.submission_tags import FILES
from mlops_core.domain.digest import digest_file
from mlops_core.errors import BadInput, IntegrityError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlops_core.adapters.registry.shelf import Record

__all__ = ["check_empty", "copy_verified", "registered_files"]


def check_empty(into: Path) -> None:
    """Raise `BadInput` unless `into` is an existing empty folder."""
    if not into.is_dir() or any(into.iterdir()):
        raise BadInput(f"a model is fetched into an existing empty folder, which {into} is not.")


def registered_files(record: Record) -> dict[str, str]:
    """Digest by path of the version's files; raises `IntegrityError` for a path that leads elsewhere."""
    try:
        files: dict[str, str] = json.loads(record.tags[FILES])
        paths = [PurePosixPath(name) for name in files]
    except (KeyError, TypeError, ValueError) as error:
        raise IntegrityError(f"version {record.number}: its tag {FILES} cannot be read. {_REMEDY}") from error
    for path in paths:
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise IntegrityError(
                f"version {record.number}: its tag {FILES} names {path}, outside the model. {_REMEDY}"
            )
    return files


def copy_verified(files: Mapping[str, str], source: Path, into: Path) -> None:
    """Copy the files from `source`; raises `IntegrityError` at the first that is not as registered.

    The copy is what is compared, so nothing can change in between. After an error `into` is empty again.
    """
    try:
        for name, digest in files.items():
            _copy(source / name, into / name, digest)
    except BaseException:
        for left in into.iterdir():
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        raise


def _copy(source: Path, target: Path, digest: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copyfile(source, target)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise IntegrityError(f"{source} is missing from the registered model. {_REMEDY}") from error
    if digest_file(target) != digest:
        raise IntegrityError(f"{source} was changed after it was registered. {_REMEDY}")


_REMEDY = "Do not use this version: delete it and register the model again, or restore a backup."
