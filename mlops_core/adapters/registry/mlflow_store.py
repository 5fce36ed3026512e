"""An MLflow store, opened when it is first needed.

MLflow has no compare-and-set of an alias, so whoever writes holds a file lock. It keeps out other processes
on this host; writers on other hosts, with a shared server, are not kept out. What they are at is left alone:
each home folder has a name of its own, which its attempts carry.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

from mlops_core.adapters.registry.mlflow_errors import translated
from mlops_core.adapters.registry.mlflow_first_use import create_database
from mlops_core.adapters.registry.mlflow_schema import check_schema, is_fresh
from mlops_core.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlflow import MlflowClient

    from mlops_core.adapters.registry.mlflow_location import StoreLocation

__all__ = ["MlflowStore"]

_LOCK_SECONDS = 300.0  # others may be at their first use and at large models


class MlflowStore:
    """The store at a location. `patience` is how many seconds to wait for a lock of SQLite's.

    Nothing is opened, written or imported before it is needed.
    """

    def __init__(self, *, location: StoreLocation, patience: float) -> None:
        self.location = location
        self.patience = patience

    @contextmanager
    def reading(self) -> Iterator[MlflowClient]:
        """A client to look with. Raises `Unavailable` and its siblings when the store cannot be used."""
        with translated(self.location):
            _load_mlflow()
            yield self._client()

    @contextmanager
    def writing(self) -> Iterator[MlflowClient]:
        """A client to write with, while no other process on this host does; the store is created at first."""
        from filelock import FileLock, Timeout

        with translated(self.location):
            self.location.lock.parent.mkdir(parents=True, exist_ok=True)
            _load_mlflow()  # takes seconds: before the lock, not under it
            lock = FileLock(self.location.lock)
            try:
                lock.acquire(timeout=_LOCK_SECONDS)
            except Timeout as error:
                raise Unavailable(
                    f"another process has held {self.location.lock} for {_LOCK_SECONDS:.0f} seconds. "
                    "Let it finish, or end it, and run the same again."
                ) from error
            try:
                self._create()
                yield self._client()
            finally:
                lock.release()

    def writer(self) -> str | None:
        """Whose attempts are ours, where hosts share a store; to be called while writing."""
        if not self.location.is_shared:
            return None
        path = self.location.folder / "writer"
        if not path.exists() or not path.read_text():
            path.write_text(uuid4().hex)
        return path.read_text()

    def _create(self) -> None:
        database = self.location.database
        if database is not None and is_fresh(database):
            create_database(database, str(self.location.artifacts))

    def _client(self) -> MlflowClient:
        from mlflow import MlflowClient

        location = self.location
        if location.database is not None:
            check_schema(location, location.database, patience=self.patience)
        return MlflowClient(tracking_uri=location.uri, registry_uri=location.uri)


def _load_mlflow() -> None:
    """Import MLflow, quiet and without telemetry: both are decided by its environment, at its import."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    for name, value in {  # what the user has set counts
        "MLFLOW_LOGGING_LEVEL": "CRITICAL",  # whatever goes wrong is raised; MLflow would print it as well
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",  # the DAG owns retries, and a POST sent twice is two versions
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    }.items():
        os.environ.setdefault(name, value)
    import mlflow  # noqa: F401 - loaded here for its time and its environment, used by others
