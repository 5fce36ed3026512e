"""The folder of a run whose stages are processes of their own: receipts in, receipts out.

::

    <run>/run.json               the use case and the parameters that hold for the whole run
    <run>/receipts/<task>.json   what a task returned; there is none until it finished
    <run>/failures/<task>.json   why its last attempt failed; gone once it finishes

It may lie in a folder or at any URL that fsspec opens, such as s3://bucket/runs/7 (its driver, here s3fs,
has to be installed). Data stays in the state folder, which all processes of a run share.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from pydantic import ValidationError

from mlops_core.disk import replace_file, translated
from mlops_core.domain.digest import digest_of
from mlops_core.domain.receipts import RECEIPTS
from mlops_core.domain.run import BegunRun, FailedTask, KeptReceipt
from mlops_core.domain.value import Value
from mlops_core.errors import BadInput, IntegrityError, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic import JsonValue

__all__ = ["RunFolder"]

V = TypeVar("V", bound=Value)


class RunFolder:
    """A run's folder, made by the first task that runs in it."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._files = _Local(Path(self.url)) if "://" not in self.url else _Remote(self.url)

    def begin(self, use_case: str, parameters: Mapping[str, JsonValue]) -> BegunRun:
        """The run as its first task began it, which is this one where nothing is there yet.

        Raises `BadInput` when it began for another use case or with other parameters; `parameters` may be
        empty, for whatever it began with.
        """
        begun = self.begun()
        if begun is None:
            begun = BegunRun(use_case=use_case, parameters=dict(parameters), begun_at=datetime.now(UTC))
            self._write("run.json", begun)
        if begun.use_case != use_case:
            raise BadInput(f"--run {self.url}: it is a run of {begun.use_case}, not of {use_case}")
        if parameters and begun.parameters != dict(parameters):
            raise BadInput(
                f"--run {self.url}: it began with {begun.parameters}, not with {dict(parameters)}: "
                "a run keeps its parameters; begin another in a folder of its own"
            )
        return begun

    def begun(self) -> BegunRun | None:
        """How it began; None when it has not."""
        return self._read("run.json", BegunRun)

    def receipts(self, names: Iterable[str]) -> dict[str, Any]:
        """The receipts of these tasks by their names. Raises `NotFound` when one has not finished."""
        found = {name: self.receipt(name) for name in names}
        missing = [name for name, receipt in found.items() if receipt is None]
        if missing:
            raise NotFound(
                f"--run {self.url}: {', '.join(missing)} has not finished there: "
                "run that first, with the same --run"
            )
        return found

    def receipt(self, task: str) -> Value | None:
        """What a task returned; None when it has not finished."""
        kept = self.kept(task)
        if kept is None:
            return None
        as_json = json.dumps(kept.receipt)  # only as JSON are lists read as the tuples that they were
        return RECEIPTS[task.partition(".")[0]].model_validate_json(as_json)

    def kept(self, task: str) -> KeptReceipt | None:
        """The same as it is kept."""
        return self._read(_file("receipts", task), KeptReceipt)

    def failure(self, task: str) -> FailedTask | None:
        """Why its last attempt failed; None when it did not."""
        return self._read(_file("failures", task), FailedTask)

    def finished(self, task: str, receipt: Value, context: Mapping[str, Value]) -> None:
        """Keep what a task returned; `context` has the receipts that it was made from."""
        plain = receipt.model_dump(mode="json")
        above = {name: digest_of(value) for name, value in context.items()}
        self._write(_file("receipts", task), KeptReceipt(task=task, receipt=plain, upstream=above))
        self._files.remove(_file("failures", task))

    def failed(self, task: str, error: BaseException, *, retry: bool) -> None:
        """Keep why a task's attempt failed; a receipt of before is gone with it."""
        failure = FailedTask(
            task=task, error=type(error).__name__, message=str(error), retry=retry, at=datetime.now(UTC)
        )
        self._files.remove(_file("receipts", task))
        self._write(_file("failures", task), failure)

    def _read(self, name: str, kind: type[V]) -> V | None:
        content = self._files.read(name)
        try:
            return None if content is None else kind.model_validate_json(content)
        except ValidationError as error:
            raise IntegrityError(
                f"--run {self.url}: {name} is not what was written there: remove it and run its task again"
            ) from error

    def _write(self, name: str, value: Value) -> None:
        self._files.write(name, f"{value.model_dump_json(indent=2)}\n".encode())


def _file(folder: str, task: str) -> str:
    return f"{folder}/{quote(task, safe='')}.json"


class _Local:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> bytes | None:
        with translated("read a run", self._folder):
            try:
                return (self._folder / name).read_bytes()
            except FileNotFoundError:
                return None

    def write(self, name: str, content: bytes) -> None:
        with translated("write a run", self._folder):
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, content)

    def remove(self, name: str) -> None:
        with translated("write a run", self._folder):
            (self._folder / name).unlink(missing_ok=True)


class _Remote:
    """Object stores write whole objects: nothing half-written can be seen there."""

    def __init__(self, url: str) -> None:
        import fsspec

        try:
            self._system, self._root = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError) as error:
            raise BadInput(f"--run {url}: {error}") from error

    def read(self, name: str) -> bytes | None:
        try:
            content: bytes = self._system.cat_file(f"{self._root}/{name}")
        except FileNotFoundError:
            return None
        return content

    def write(self, name: str, content: bytes) -> None:
        path = f"{self._root}/{name}"
        self._system.makedirs(path.rpartition("/")[0], exist_ok=True)
        self._system.pipe_file(path, content)

    def remove(self, name: str) -> None:
        path = f"{self._root}/{name}"
        if self._system.exists(path):
            self._system.rm_file(path)
