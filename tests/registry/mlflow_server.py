"""An MLflow server of our own: on a free port of this machine, with PostgreSQL behind it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.request
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["MlflowServer"]

_SECONDS = 180.0  # its first start migrates the database


class MlflowServer:
    """A server that can be stopped and started again. It serves the models' files, too, from `folder`."""

    def __init__(self, python: Path, database: str, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.database = database
        self._python = python
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        store = self.database.replace("postgresql:", "postgresql+psycopg:")
        words = (
            f"-m mlflow server --host 127.0.0.1 --port {self.port} --workers 1 --backend-store-uri {store}"
        )
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own words
                [
                    *(str(self._python), *words.split()),
                    *("--artifacts-destination", str(self._folder / "artifacts")),
                    # else a client that paused for five seconds writes to a connection as it is closed
                    *("--uvicorn-opts", "--timeout-keep-alive 120"),
                ],
                env={**kept, "MLFLOW_DISABLE_TELEMETRY": "true", "HOME": str(self._folder)},
                cwd=self._folder,
                stdout=log,
                stderr=log,
                start_new_session=True,  # its workers are of its group
            )
        self._wait()

    def stop(self) -> None:
        """Kill it with its workers, in the middle of whatever they do."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(30)
            self._process = None

    def empty(self) -> None:
        """Forget all models, runs and experiments, which is sooner done than starting another server."""
        with closing(psycopg.connect(self.database, autocommit=True)) as connection:
            connection.execute("TRUNCATE registered_models, runs, logged_models CASCADE")
            connection.execute("DELETE FROM experiments WHERE experiment_id <> 0")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What PostgreSQL answers."""
        with closing(psycopg.connect(self.database)) as connection:
            return connection.execute(query.encode()).fetchall()

    def _wait(self) -> None:
        assert self._process is not None
        end = time.monotonic() + _SECONDS
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=5):  # noqa: S310 - our own http
                    return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError((self._folder / "server.log").read_text()[-3000:]) from None
                time.sleep(0.2)
