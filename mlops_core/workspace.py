"""The state folder, and how a stage's output comes to lie in it: content-addressed, whole or not at all.

::

    <home>/stages/<stage>/<key>/     what a stage made from the inputs whose digest is <key>
        receipt.json                 its receipt, and the digest of every file beside it
        …                            its files
    <home>/.scratch-<n>/             space for whoever holds lock <n>, while it is held
    <home>/locks/                    lock files, empty

A stage asks for the output of a key. If it is there and every byte matches, its receipt comes back and
nothing runs. If not, the stage fills a folder beside it, which is synced and renamed into place. A lock per
key lets one process work while others that want the same wait for it, and makes whatever a killed process
left recognisable as debris: it lies there, and its lock is free. Whoever next makes something of the same
kind removes it.
"""

from __future__ import annotations

import json
import logging
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from filelock import FileLock, Timeout

from mlops_core.disk import sync_tree, translated
from mlops_core.domain.digest import file_digests
from mlops_core.domain.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from filelock import BaseFileLock

__all__ = ["Workspace"]

R = TypeVar("R", bound=Value)

_RECEIPT = "receipt.json"
_LOG = logging.getLogger(__name__)


class Workspace:
    """The state folder at `home`; made when something is first written."""

    def __init__(self, home: Path) -> None:
        self.home = home.absolute()

    def path(self, uri: str) -> Path:
        """The path of a receipt's `uri`."""
        return self.home / uri

    def uri(self, path: Path) -> str:
        """How a receipt names a path: relative to the state folder, so that the folder can move."""
        return path.relative_to(self.home).as_posix()

    def find(self, stage: str, key: str, receipt: type[R]) -> R | None:
        """The receipt of an output that is there and undamaged, else None."""
        folder = self._folder(stage, key)
        try:
            record = json.loads((folder / _RECEIPT).read_bytes())
            digests = file_digests(folder)
            del digests[_RECEIPT]
            if record["key"] == key and record["files"] == digests:
                return receipt.model_validate_json(json.dumps(record["receipt"]))  # as JSON: tuples are lists
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            pass  # the record itself is damaged: told below like any other damage
        _LOG.warning("%s: the stored output in %s was changed; making it again", stage, self.uri(folder))
        return None

    def produce(self, stage: str, key: str, receipt: type[R], make: Callable[[Path], R]) -> R:
        """The receipt of the output of `key`, made by `make(folder)` unless it is there already.

        `make` gets an empty folder to fill. It must name its files in the receipt by where they will lie, see
        `placed`. Raises what `make` raises, and `MlopsError` when the state folder cannot be written.
        """
        with self.lock(f"{stage}-{key[:16]}"):
            found = self.find(stage, key, receipt)
            if found is not None:
                _LOG.info("%s: unchanged, reused", stage)
                return found
            with translated("keep state", self.home):
                return self._make(stage, key, make)

    def placed(self, stage: str, key: str, name: str) -> str:
        """The `uri` that a file or folder `name` of this output has once it is in place."""
        return self.uri(self._folder(stage, key) / name)

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Exclusive over all processes of this host that use the state folder."""
        with translated("keep state", self.home):
            held = self._lock(name)
            held.acquire()
        try:
            yield
        finally:
            held.release()

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """An empty folder on the same file system, gone afterwards."""
        with translated("keep state", self.home):
            for abandoned in self.home.glob(".scratch-*"):
                self._remove_unless_locked(abandoned, abandoned.name[1:])
            folder, held = self._free_scratch()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            held.release()

    def _free_scratch(self, number: int = 0) -> tuple[Path, BaseFileLock]:
        held = self._lock(f"scratch-{number}")
        try:
            held.acquire(blocking=False)
        except Timeout:
            return self._free_scratch(number + 1)
        folder = self.home / f".scratch-{number}"
        _make_empty(folder)
        return folder, held

    def _lock(self, name: str) -> BaseFileLock:
        locks = self.home / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        return FileLock(locks / f"{name}.lock")

    def _remove_unless_locked(self, debris: Path, lock: str) -> None:
        """Remove a folder that a dead process left; a live one holds its lock."""
        with suppress(Timeout), self._lock(lock).acquire(blocking=False):
            shutil.rmtree(debris, ignore_errors=True)

    def _make(self, stage: str, key: str, make: Callable[[Path], R]) -> R:
        final = self._folder(stage, key)
        draft = final.with_name(f".{final.name}.draft")
        for abandoned in set(final.parent.glob(".*.draft")) - {draft}:
            self._remove_unless_locked(abandoned, f"{stage}-{abandoned.name[1:].removesuffix('.draft')}")
        if final.exists():
            shutil.rmtree(final)
        _make_empty(draft)
        try:
            receipt = make(draft)
            record = {"key": key, "receipt": receipt.model_dump(mode="json"), "files": file_digests(draft)}
            (draft / _RECEIPT).write_text(json.dumps(record, indent=1))
            sync_tree(draft)
            draft.rename(final)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        return receipt

    def _folder(self, stage: str, key: str) -> Path:
        return self.home / "stages" / stage / key[:16]


def _make_empty(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
