"""A Python that has Feast, started when first needed and kept: importing takes seconds, a call does not."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import tempfile
import threading
import time
import weakref
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from mlops_core.adapters.feature_store.feast_environment import FEAST
from mlops_core.errors import MlopsError, NotFound, Unavailable

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["FeastProcess"]

_VERSION = "0.67."
_MAKE = f"Make it with: {FEAST.command} FOLDER"
# What Feast's stores raise when they are out of reach or busy, by the names of the error's classes
_PASSING = {"ConnectionError", "TimeoutError", "BusyLoadingError"}


class FeastProcess:
    """Feast 0.67, reached by requests on a pipe; `close` ends it, and so does the end of this process.

    `python` is the interpreter of Feast's environment (default: the variable FEAST_PYTHON, or the environment
    that was made in the cache). `timeout` is in seconds, for one call. Calls of several threads wait for each
    other.
    """

    def __init__(self, python: Path | None = None, *, timeout: float = 600.0) -> None:
        self._python = python
        self.timeout = timeout
        self._lock = threading.RLock()
        self._running: _Running | None = None

    def call(self, do: str, **request: Any) -> dict[str, Any]:  # Any: JSON
        """What Feast answers.

        Raises `NotFound` when there is no such interpreter, `Unavailable` when Feast or its store does not
        answer, and `MlopsError`, with the last line of Feast's own error, for all else that fails there.
        """
        with self._lock:
            if self._running is None:
                self._running = self._started()
            return self._asked(self._running, do, request)

    def close(self) -> None:
        """End Feast's process; the next call starts another."""
        with self._lock:
            if self._running is not None:
                self._running.stop()
                self._running = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _started(self) -> _Running:
        python = self._python or FEAST.default_python()
        running = _Running(python)
        try:
            found = self._asked(running, "hello", {})["feast"]
        except MlopsError as error:
            running.stop()
            raise MlopsError(f"{python} cannot import Feast ({error}). {_MAKE}") from error
        if not found.startswith(_VERSION):
            running.stop()
            raise MlopsError(f"{python} has Feast {found}, this adapter needs {_VERSION}*. {_MAKE}")
        return running

    def _asked(self, running: _Running, do: str, request: dict[str, Any]) -> dict[str, Any]:
        try:
            line = running.ask(json.dumps({"do": do, **request}), self.timeout)
        except BaseException:  # also Ctrl-C: an answer that comes later would be taken for the next one's
            self._running = None
            running.stop()
            raise
        answer: dict[str, Any] = json.loads(line)
        if "error" not in answer:
            return dict(answer["answer"])
        kinds, said = answer["error"]["kinds"], answer["error"]["said"]
        if _PASSING.intersection(kinds) or "database is locked" in said:
            raise Unavailable(f"Feast cannot reach its store: {kinds[0]}: {said}. Run the same again.")
        raise MlopsError(f"Feast failed: {kinds[0]}: {said}")


class _Running:
    """One process and its pipes."""

    def __init__(self, python: Path) -> None:
        # Bytes from os.read: a buffered reader could hold a line that the selector does not see.
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        bridge = Path(__file__).with_name("feast_bridge.py")
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the user's own interpreter, no shell
                [str(python), "-I", "-W", "ignore", str(bridge)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                bufsize=0,
                # Feast's SQLite store and DuckDB's intervals of days take the process's zone.
                env={**os.environ, "TZ": "UTC", "FEAST_USAGE": "False"},
            )
        except OSError as error:
            self._errors.close()
            raise NotFound(f"no Python of Feast's at {python}: {error.strerror}. {_MAKE}") from error
        self.stop = weakref.finalize(self, _end, self._process, self._errors)

    def ask(self, line: str, timeout: float) -> bytes:
        """The next line it writes. Raises `Unavailable` when there is none in time, or it ends."""
        try:
            self._write(line.encode() + b"\n")
        except BrokenPipeError:
            raise self._died() from None
        return self._line(timeout)

    def _write(self, content: bytes) -> None:
        pipe = self._process.stdin
        if pipe is not None:
            for start in range(0, len(content), 65_536):
                rest = memoryview(content)[start : start + 65_536]
                while rest:
                    rest = rest[pipe.write(rest) or 0 :]

    def _line(self, timeout: float) -> bytes:
        pipe, deadline, found = self._process.stdout, time.monotonic() + timeout, b""
        if pipe is None:
            raise self._died()
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            while not found.endswith(b"\n"):
                if not selector.select(max(deadline - time.monotonic(), 0)):
                    raise Unavailable(f"Feast did not answer within {timeout:g} seconds and was ended.")
                part = os.read(pipe.fileno(), 1 << 20)
                if not part:
                    raise self._died()
                found += part
        return found

    def _died(self) -> Unavailable:
        code = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").split("\n")
        said = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
        return Unavailable(f"the process of Feast ended with code {code}: {said[:500]}")


def _end(process: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    # It does nothing between calls. Left to itself, or told to terminate, it unloads Feast for seconds.
    process.kill()
    process.wait()
    errors.close()
