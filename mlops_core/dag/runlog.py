"""The notes a runner takes, in flat arrays.

A million tasks must not cost a million objects: times lie in arrays, states in bytes, and only what is
rare (a second attempt, an error) in dictionaries. Tasks are known by their place in topological order.
"""

from __future__ import annotations

from array import array
from datetime import UTC, datetime, timedelta
from itertools import compress
from time import perf_counter
from typing import TYPE_CHECKING

from mlops_core.dag.report import TaskRun, TaskState

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["RunLog", "error_text"]

_STATES = (None, TaskState.FINISHED, TaskState.FAILED, TaskState.SKIPPED)
_FINISHED, _FAILED, _SKIPPED = range(1, 4)
_LONGEST_ERROR = 2000


class RunLog:
    """One run as it goes: written by one thread only."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.started_at = datetime.now(UTC)
        self.total_seconds = 0.0
        self.retries: dict[int, int] = {}
        self.errors: dict[int, Exception] = {}
        self._zero = perf_counter()
        self._states = bytearray(len(names))
        self._started = array("d", bytes(8 * len(names)))
        self._seconds = array("d", bytes(8 * len(names)))

    def finish(self, index: int, started: float, ended: float) -> None:
        """The task ended well; the times are `perf_counter` readings."""
        self._states[index] = _FINISHED
        self._started[index] = started
        self._seconds[index] = ended - started

    def fail(self, index: int, started: float, ended: float, error: Exception) -> None:
        """The task's last attempt raised `error`, which gets a note that names the task."""
        self.finish(index, started, ended)
        self._states[index] = _FAILED
        self.errors[index] = error
        error.add_note(f"in task {self.names[index]!r}, attempt {self.retries.get(index, 0) + 1}")

    def skip(self, index: int) -> None:
        """The task will not be run: something upstream did not finish."""
        self._states[index] = _SKIPPED

    def retry(self, index: int) -> None:
        """The task is about to be attempted once more."""
        self.retries[index] = self.retries.get(index, 0) + 1

    def close(self) -> None:
        """The run is over."""
        self.total_seconds = perf_counter() - self._zero

    def names_in(self, state: TaskState) -> tuple[str, ...]:
        """The names of the tasks in this state, in topological order."""
        wanted = _STATES.index(state)
        return tuple(compress(self.names, (found == wanted for found in self._states)))

    def task_run(self, index: int) -> TaskRun:
        """What came of a task that is over."""
        state = _STATES[self._states[index]]
        if state is None:
            raise RuntimeError(f"task {self.names[index]!r} is not over yet")
        ran = state is not TaskState.SKIPPED
        since = timedelta(seconds=self._started[index] - self._zero)
        error = self.errors.get(index)
        return TaskRun(
            name=self.names[index],
            state=state,
            attempts=self.retries.get(index, 0) + 1 if ran else 0,
            started=self.started_at + since if ran else None,
            seconds=self._seconds[index],
            error=None if error is None else error_text(error),
        )


def error_text(error: BaseException) -> str:
    """`TypeName: message`, bounded; an error that cannot say its own text is still named."""
    try:
        text = str(error)
    except Exception:
        text = "(its text cannot be shown)"
    kind = type(error).__name__
    return (f"{kind}: {text}" if text else kind)[:_LONGEST_ERROR]
