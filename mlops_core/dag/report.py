"""What came of each task of a run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mlops_core.dag.runlog import RunLog

__all__ = ["RunReport", "TaskRun", "TaskState"]


class TaskState(StrEnum):
    """How a task ended: `skipped` when something upstream of it failed."""

    FINISHED = "finished"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class TaskRun:
    """One task in one run.

    `attempts` is 0 and `started` None for a skipped task. `started` is in UTC; `seconds` counts all
    attempts and the waits between them. `error` is the type and text of a failed task's last error.
    """

    name: str
    state: TaskState
    attempts: int
    started: datetime | None
    seconds: float
    error: str | None

    def as_dict(self) -> dict[str, Any]:
        """Plain values that `json.dumps` takes."""
        return {
            "name": self.name,
            "state": self.state.value,
            "attempts": self.attempts,
            "started": self.started.isoformat() if self.started else None,
            "seconds": self.seconds,
            "error": self.error,
        }


class RunReport:
    """What came of a run, task by task in topological order. Made from the run's notes when asked."""

    def __init__(self, log: RunLog) -> None:
        self._log = log

    def __repr__(self) -> str:
        return (
            f"RunReport(finished={len(self.finished)}, failed={list(self.failed)!r},"
            f" skipped={list(self.skipped)!r}, seconds={self.seconds:.6f})"
        )

    @cached_property
    def tasks(self) -> tuple[TaskRun, ...]:
        """Every task, in topological order."""
        return tuple(self._log.task_run(index) for index in range(len(self._log.names)))

    @property
    def ok(self) -> bool:
        """Whether every task finished."""
        return not self._log.errors

    @property
    def finished(self) -> tuple[str, ...]:
        """Names of the finished tasks, in topological order."""
        return self._log.names_in(TaskState.FINISHED)

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the failed tasks, in topological order."""
        return self._log.names_in(TaskState.FAILED)

    @property
    def skipped(self) -> tuple[str, ...]:
        """Names of the skipped tasks, in topological order."""
        return self._log.names_in(TaskState.SKIPPED)

    @property
    def errors(self) -> Mapping[str, Exception]:
        """The last error of each failed task, by name, in topological order."""
        return {self._log.names[index]: error for index, error in sorted(self._log.errors.items())}

    @property
    def started(self) -> datetime:
        """When the run began, in UTC."""
        return self._log.started_at

    @property
    def seconds(self) -> float:
        """How long the whole run took."""
        return self._log.total_seconds

    def as_dict(self) -> dict[str, Any]:
        """Plain values that `json.dumps` takes."""
        return {
            "ok": self.ok,
            "started": self.started.isoformat(),
            "seconds": self.seconds,
            "tasks": [task.as_dict() for task in self.tasks],
        }
