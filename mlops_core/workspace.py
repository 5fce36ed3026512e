"""The state folder, and how a stage's output comes to lie in it: content-addressed, whole or not at all.

::

    <home>/stages/<stage>/<key>/     what a stage made from the inputs whose digest is <key>
        receipt.json                 its receipt, its inputs, and the digest of every file beside it
        …                            its files
    <home>/.scratch-<n>/             space for whoever holds lock <n>, while it is held
    <home>/locks/                    lock files, empty
    <home>/runs/                     what the stages of each use case last did, see `journal`

A stage asks for the output of its inputs. If it is there and every byte matches, its receipt comes back and
nothing runs. If not, the stage fills a folder beside it, which is synced and renamed into place. A lock per
key lets one process work while others that want the same wait for it, and makes whatever a killed process
left recognisable as debris: it lies there, and its lock is free. Whoever next makes something of the same
kind removes it.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from filelock import FileLock, Timeout

from mlops_core.disk import sync_tree, translated
from mlops_core.domain.digest import file_digests
from mlops_core.domain.value import Value
from mlops_core.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from filelock import BaseFileLock

    from mlops_core.domain.inputs import Inputs

__all__ = ["Workspace"]

R = TypeVar("R", bound=Value)

_RECEIPT = "receipt.json"
_LOG = logging.getLogger(__name__)


class Workspace:
    """The state folder at `home`; made when something is first written."""

    def __init__(self, home: Path) -> None:
        self.home = home.absolute()
        self.journal = Journal(self.home)

    def path(self, uri: str) -> Path:
        """The path of a receipt's `uri`."""
        return self.home / uri

    def uri(self, path: Path) -> str:
        """How a receipt names a path: relative to the state folder, so that the folder can move."""
        return path.relative_to(self.home).as_posix()

    def find(self, inputs: Inputs, receipt: type[R]) -> R | None:
        """The receipt of an output that is there and undamaged, else None."""
        folder = self.folder(inputs)
        try:
            record = json.loads((folder / _RECEIPT).read_bytes())
            digests = file_digests(folder)
            del digests[_RECEIPT]
            if record["key"] == inputs.key and record["files"] == digests:
                return receipt.model_validate_json(json.dumps(record["receipt"]))  # as JSON: tuples are lists
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            pass  # the record itself is damaged: told below like any other damage
        _LOG.warning(
            "%s: the stored output in %s was changed; making it again", inputs.stage, self.uri(folder)
        )
        return None

    def produce(self, inputs: Inputs, receipt: type[R], make: Callable[[Path], R]) -> R:
        """The receipt of the output of `inputs`, made by `make(folder)` unless it is there already.

        `make` gets an empty folder to fill. It must name its files in the receipt by where they will lie, see
        `placed`. Raises what `make` raises, and `MlopsError` when the state folder cannot be written.
        """
        begun = time.perf_counter()
        with self.lock(f"{inputs.stage}-{inputs.key[:16]}"):
            found = self.find(inputs, receipt)
            if found is None:
                with translated("keep state", self.home):
                    made = self._make(inputs, make)
            else:
                with suppress(OSError):  # its age is the time since it was last of use: see `mlops gc`
                    os.utime(self.folder(inputs))
                _LOG.info("%s: unchanged, reused", inputs.stage)
            # While it is locked: `mlops gc` looks for this note under the same lock
            self.journal.note(inputs, executed=found is None, seconds=time.perf_counter() - begun)
        return made if found is None else found

    def placed(self, inputs: Inputs, name: str) -> str:
        """The `uri` that a file or folder `name` of this output has once it is in place."""
        return self.uri(self.folder(inputs) / name)

    def folder(self, inputs: Inputs) -> Path:
        """Where the output of `inputs` lies, if it does."""
        return self.home / "stages" / inputs.stage / inputs.key[:16]

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
    def lock_if_free(self, name: str) -> Iterator[bool]:
        """The same without waiting: says whether it could be had."""
        with translated("keep state", self.home):
            held = self._lock(name)
            with suppress(Timeout):
                held.acquire(blocking=False)
        try:
            yield held.is_locked
        finally:
            held.release()

    def is_held(self, name: str) -> bool:
        """Whether somebody holds a lock at this moment; makes no lock file to find that out."""
        file = self.home / "locks" / f"{name}.lock"
        try:
            if file.exists():
                with FileLock(file).acquire(blocking=False):
                    pass
        except Timeout:
            return True
        except OSError:
            pass  # a disk that cannot be written: nobody can lock anything there
        return False

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

    def _make(self, inputs: Inputs, make: Callable[[Path], R]) -> R:
        final = self.folder(inputs)
        draft = final.with_name(f".{final.name}.draft")
        for abandoned in set(final.parent.glob(".*.draft")) - {draft}:
            key = abandoned.name[1:].removesuffix(".draft")
            self._remove_unless_locked(abandoned, f"{inputs.stage}-{key}")
        if final.exists():
            shutil.rmtree(final)
        _make_empty(draft)
        try:
            receipt = make(draft)
            (draft / _RECEIPT).write_text(_record(inputs, receipt, file_digests(draft)))
            sync_tree(draft)
            draft.rename(final)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        return receipt


def _record(inputs: Inputs, receipt: Value, files: dict[str, str]) -> str:
    record = {
        "key": inputs.key,
        "receipt": receipt.model_dump(mode="json"),
        "files": files,
        "inputs": inputs.model_dump(mode="json"),
    }
    return json.dumps(record, indent=1)


def _make_empty(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
