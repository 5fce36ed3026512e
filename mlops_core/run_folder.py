"""The folder of a run whose stages are processes of their own: receipts in, receipts out.

::

    <run>/run.json               the use case and the parameters that hold for the whole run
    <run>/receipts/<task>.json   what a task returned; there is none until it finished
    <run>/failures/<task>.json   why its last attempt failed; gone once it finishes

It may lie in a folder or at any URL that fsspec writes to, such as s3://bucket/runs/7 (its driver, here s3fs,
has to be installed). Data stays in the state folder, which all processes of a run share.

Folders and object stores show a whole file or none, whatever is killed in between. Elsewhere (SFTP, SMB) a
half-written one can be seen, and is refused when it is read.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from pydantic import ValidationError

from mlops_core.disk import sync, write_file
from mlops_core.domain.digest import digest_bytes, digest_of
from mlops_core.domain.receipts import RECEIPTS
from mlops_core.domain.run import BegunRun, FailedTask, KeptReceipt
from mlops_core.domain.value import Value
from mlops_core.errors import BadInput, IntegrityError, MlopsError, NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic import JsonValue

__all__ = ["RunFolder", "receipt_file"]

V = TypeVar("V", bound=Value)

_OUT_OF_REACH = re.compile("Connect|Timeout")
"""Names of errors such as EndpointConnectionError of S3, which derive from none of Python's."""
_LONGEST = 200
"""Bytes of a file's name, of the 255 that file systems take."""


class RunFolder:
    """A run's folder, made by the first task that runs in it. `name` is how messages call it."""

    def __init__(self, url: str) -> None:
        if not url:
            raise BadInput("--run is empty: expected a folder, or a URL such as s3://bucket/runs/7")
        self.name = f"--run {_without_password(url)}"
        self._files: _Local | _Remote = _files_at(url, self.name)

    def begin(self, use_case: str, parameters: Mapping[str, JsonValue]) -> BegunRun:
        """The run as its first task began it: this one, where no other was quicker."""
        begun = BegunRun(use_case=use_case, parameters=dict(parameters), begun_at=datetime.now(UTC))
        if self._files.create("run.json", _written(begun)):
            return begun
        return self.begun() or begun

    def begun(self) -> BegunRun | None:
        """How it began; None when it has not."""
        return self._read("run.json", BegunRun)

    def receipts(self, names: Iterable[str]) -> dict[str, Any]:
        """The receipts of these tasks by their names. Raises `NotFound` when one has not finished."""
        found = {name: self.receipt(name) for name in names}
        missing = [name for name, receipt in found.items() if receipt is None]
        if missing:
            has = "has" if len(missing) == 1 else "have"
            raise NotFound(
                f"{self.name}: {', '.join(missing)} {has} not finished there: "
                "run that first, with the same --run"
            )
        return found

    def receipt(self, task: str) -> Value | None:
        """What a task returned; None when it has not finished."""
        kept = self.kept(task)
        if kept is None:
            return None
        as_json = json.dumps(kept.receipt)  # only as JSON are lists read as the tuples that they were
        with self._as_written(_file("receipts", task)):
            return RECEIPTS[task.partition(".")[0]].model_validate_json(as_json)

    def kept(self, task: str) -> KeptReceipt | None:
        """The same as it is kept."""
        name = _file("receipts", task)
        kept = self._read(name, KeptReceipt)
        if kept is not None and kept.task != task:  # a file system that knows no capitals, or another's file
            raise IntegrityError(f"{self.name}: {name} is of task {kept.task!r}, not of {task!r}")
        return kept

    def failure(self, task: str) -> FailedTask | None:
        """Why its last attempt failed; None when it did not."""
        return self._read(_file("failures", task), FailedTask)

    def finished(self, task: str, receipt: Value, context: Mapping[str, Value]) -> None:
        """Keep what a task returned; `context` has the receipts that it was made from, and no more."""
        plain = receipt.model_dump(mode="json")
        above = {name: digest_of(value) for name, value in context.items()}
        kept = KeptReceipt(task=task, receipt=plain, upstream=above)
        self._files.write(_file("receipts", task), _written(kept))
        self._files.remove(_file("failures", task))

    def failed(self, task: str, error: BaseException, *, retry: bool) -> None:
        """Keep why a task's attempt failed; a receipt of before is gone with it."""
        failure = FailedTask(
            task=task, error=type(error).__name__, message=str(error), retry=retry, at=datetime.now(UTC)
        )
        self._files.remove(_file("receipts", task))
        self._files.write(_file("failures", task), _written(failure))

    def _read(self, name: str, kind: type[V]) -> V | None:
        content = self._files.read(name)
        with self._as_written(name):
            return None if content is None else kind.model_validate_json(content)

    @contextmanager
    def _as_written(self, name: str) -> Iterator[None]:
        try:
            yield
        except ValidationError as error:
            raise IntegrityError(
                f"{self.name}: {name} is not what this version of mlops writes there: "
                "remove it and run its task again"
            ) from error


def _written(value: Value) -> bytes:
    return f"{value.model_dump_json(indent=2)}\n".encode()


def receipt_file(task: str) -> str:
    """Where a task's receipt lies in the folder of its run."""
    return _file("receipts", task)


def _file(folder: str, task: str) -> str:
    """The task's own name, as far as a file may be called so."""
    name = quote(task, safe="")
    if len(name) > _LONGEST:
        name = f"{name[: _LONGEST - 65]}-{digest_bytes(task.encode())}"
    return f"{folder}/{name}.json"


def _without_password(url: str) -> str:
    """The URL as it may be shown and logged."""
    return re.sub(r"(?<=://)[^/]*@", "", url)


def _files_at(url: str, name: str) -> _Local | _Remote:
    if "://" not in url:
        return _Local(Path(url), name)
    import fsspec
    from fsspec.implementations.local import LocalFileSystem

    try:
        with _told("open", name):
            system, root = fsspec.core.url_to_fs(url)
    except MlopsError as error:
        known = isinstance(error.__cause__, ValueError | ImportError)
        raise (BadInput(f"{name}: {error.__cause__}") if known else error) from error.__cause__
    return _Local(Path(root), name) if isinstance(system, LocalFileSystem) else _Remote(system, root, name)


@contextmanager
def _told(doing: str, name: str) -> Iterator[None]:
    """Say in a sentence what a disk, or a server that fsspec asks, refused."""
    try:
        yield
    except Exception as error:  # drivers raise errors of their own kinds too
        if isinstance(error, ConnectionError | TimeoutError) or _OUT_OF_REACH.search(type(error).__name__):
            raise Unavailable(f"cannot {doing} {name}: {error or type(error).__name__}") from error
        reason = (isinstance(error, OSError) and error.strerror) or f"{type(error).__name__}: {error}"
        raise MlopsError(
            f"cannot {doing} {name}: {reason}. Nothing of the run is lost: mend that and run the same again."
        ) from error


class _Local:
    """Written aside and renamed: a reader sees the whole file or none."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name

    def read(self, file: str) -> bytes | None:
        with _told("read", self._name):
            try:
                return (self._folder / file).read_bytes()
            except FileNotFoundError:
                return None

    def write(self, file: str, content: bytes) -> None:
        with _told("write to", self._name), self._aside(file, content) as (aside, path):
            os.replace(aside, path)  # noqa: PTH105 - the steps of both ways under their POSIX names

    def create(self, file: str, content: bytes) -> bool:
        """Write a file that is not there; whether it was not."""
        with _told("write to", self._name), self._aside(file, content) as (aside, path):
            try:
                os.link(aside, path)
            except FileExistsError:
                return False
        return True

    def remove(self, file: str) -> None:
        with _told("write to", self._name):
            (self._folder / file).unlink(missing_ok=True)

    @contextmanager
    def _aside(self, file: str, content: bytes) -> Iterator[tuple[Path, Path]]:
        """The content beside its place, under a name of its own: two processes may write at once."""
        path = self._folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{secrets.token_hex(8)}.new")
        try:
            write_file(aside, content)
            yield aside, path
        finally:
            aside.unlink(missing_ok=True)
        sync(path.parent)


class _Remote:
    def __init__(self, system: Any, root: str, name: str) -> None:
        self._system, self._root, self._name = system, root.rstrip("/"), name

    def read(self, file: str) -> bytes | None:
        with _told("read", self._name):
            try:
                content: bytes = self._system.cat_file(f"{self._root}/{file}")
            except FileNotFoundError:
                return None
            return content

    def write(self, file: str, content: bytes, mode: str = "overwrite") -> None:
        path = f"{self._root}/{file}"
        with _told("write to", self._name):
            try:
                self._system.pipe_file(path, content, mode=mode)
            except FileNotFoundError:
                if self._system.async_impl:  # an object store: it has no folders, its bucket is missing
                    raise
                self._system.makedirs(path.rpartition("/")[0], exist_ok=True)
                self._system.pipe_file(path, content, mode=mode)

    def create(self, file: str, content: bytes) -> bool:
        """Write a file that is not there; whether it was not."""
        try:
            self.write(file, content, mode="create")
        except MlopsError as error:
            if isinstance(error.__cause__, FileExistsError):
                return False
            raise
        return True

    def remove(self, file: str) -> None:
        with _told("write to", self._name), suppress(FileNotFoundError):
            self._system.rm_file(f"{self._root}/{file}")
