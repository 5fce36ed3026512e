"""Tasks on Dask: a cluster of processes on this machine for the length of a run, or one that is there."""

from __future__ import annotations

import logging
import os
import socket
import time
from typing import TYPE_CHECKING, Any

from prefect.states import Crashed, Pending

# Before Dask is imported, here and in the processes of its workers: it tells each step of each connection.
os.environ.setdefault("DASK_LOGGING__DISTRIBUTED", "warning")

import distributed
from distributed.comm.addressing import parse_address, parse_host_port
from distributed.comm.registry import get_backend
from prefect_dask import DaskTaskRunner
from prefect_dask.task_runners import PrefectDaskFuture

from flows.cluster import ANSWER_SECONDS, sees, threads_each, workers_checked
from mlops_core.errors import BadInput, TaskFailed, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["dask_runner"]


def dask_runner(workers: int, address: str | None, home: Path) -> DaskTaskRunner:
    """A runner at the address, else with so many processes of its own.

    To enter it raises `Unavailable` when nobody answers at the address or no worker is there, `BadInput` when
    the address is none, the versions of Dask differ, or a worker lacks this code or the state folder.
    """
    level = os.environ["DASK_LOGGING__DISTRIBUTED"].upper()
    logging.getLogger("distributed").setLevel(level)  # where Dask had been imported before
    logging.getLogger("distributed.nanny").addFilter(_worth_telling)
    if address:
        return _Elsewhere(address, home)
    return _Dask(
        cluster_kwargs={
            "n_workers": workers,
            # One thread each: stages use the cores themselves, and NumPy's threads are limited for a whole
            # process.
            "threads_per_worker": 1,
            # What happens in a task comes back with it. The rest is of processes that end with the run, such
            # as a last heartbeat to a scheduler that has gone already.
            "env": {**threads_each(workers), "DASK_LOGGING__DISTRIBUTED": "critical"},
            # DuckDB has its own limit; Dask's would kill a worker that uses what is free.
            "memory_limit": 0,
            # Else who has a login here could run code as this user: scheduler and workers listen on ports.
            "security": True,
            "dashboard_address": "127.0.0.1:0",  # any port: two runs at a time would want the same
        }
    )


def _worth_telling(record: logging.LogRecord) -> bool:
    """Not that a worker, at the end of a run on a busy machine, did not go within four seconds."""
    return "still alive after" not in record.getMessage()


class _Future(PrefectDaskFuture[Any]):  # type: ignore[misc]  # its package is not typed
    """Crashed when Dask gave the task up; Prefect's own would stay without a state."""

    def wait(self, timeout: float | None = None) -> None:
        try:
            self._final_state = self._wrapped_future.result(timeout=timeout)
        except distributed.TimeoutError:
            return
        except distributed.KilledWorker as error:
            if error.task == self._wrapped_future.key:
                workers = error.allowed_failures + 1
                self._crashed(
                    f"{workers} of Dask's workers died while they ran this task, so it was given up: see why "
                    "in their logs, too little memory for it maybe",
                    error,
                )
            else:
                self._final_state = Pending(name="NotReady", message="What it waits for was given up.")
        except (Exception, distributed.CancelledError) as error:
            self._crashed(f"Dask gave this task up: {type(error).__name__}: {error}", error)

    def _crashed(self, why: str, error: BaseException) -> None:
        ours = TaskFailed(why)
        ours.__cause__ = error
        self._final_state = Crashed(message=why, data=ours)


class _Dask(DaskTaskRunner):  # type: ignore[misc]  # its package is not typed
    """Without a word of Prefect's about a dashboard that is not there."""

    name = "dask"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.logger.setLevel(logging.WARNING)

    def submit(self, *words: Any, **named: Any) -> _Future:
        found = super().submit(*words, **named)
        return _Future(wrapped_future=found.wrapped_future, task_run_id=found.task_run_id)


def _knock(address: str) -> None:
    """Raise `ValueError` for what is no address of Dask, `OSError` where nobody answers.

    Dask's own client is only made for one that does. One that fails while it is made is closed whenever
    Python collects it; when the next one is just being made, that waits for itself for ever
    (`LoopRunner` in distributed 2026.8).
    """
    scheme, location = parse_address(address, strict=True)
    get_backend(scheme)
    if scheme not in ("tcp", "tls"):
        return
    end = time.monotonic() + ANSWER_SECONDS
    while True:  # it may be starting, together with the run
        try:
            socket.create_connection(parse_host_port(location), timeout=ANSWER_SECONDS).close()
            break
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


class _Elsewhere(_Dask):
    """On a cluster that is there, which is looked at before it gets work."""

    def __init__(self, address: str, home: Path) -> None:
        super().__init__(address=address, client_kwargs={"timeout": ANSWER_SECONDS})
        self._home = home

    def __enter__(self) -> Any:
        entered = super().__enter__()
        try:
            self._look()
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise
        return entered

    def duplicate(self) -> _Elsewhere:
        return _Elsewhere(str(self.address), self._home)

    def _look(self) -> None:
        name = f"Dask at {self.address}"
        try:
            _knock(str(self.address))
            client = self.client
            client.wait_for_workers(1, timeout=ANSWER_SECONDS)
        except ValueError as error:
            raise BadInput(f"MLOPS_DASK_ADDRESS: {error}; give one such as tcp://HOST:8786") from error
        except TimeoutError as error:
            raise Unavailable(f"{name} has no worker: start one with `dask worker {self.address}`") from error
        except OSError as error:
            raise Unavailable(
                f"{name} does not answer ({error}): start it with `dask scheduler` or mend MLOPS_DASK_ADDRESS"
            ) from error
        try:
            client.get_versions(check=True)
        except ValueError as error:
            differ = " ".join(str(error).split())
            raise BadInput(f"{name} has other versions than this process: {differ}") from error
        workers_checked(name, self._home, lambda file: client.run(sees, file, on_error="return"))
