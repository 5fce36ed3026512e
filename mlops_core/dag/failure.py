"""What `PipelineDAG.execute` raises when tasks failed: the project's `TaskFailed`, with the run's report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core.dag.listing import listed
from mlops_core.dag.runlog import error_text
from mlops_core.errors import TaskFailed, TaskTimedOut

if TYPE_CHECKING:
    from mlops_core.dag.report import RunReport

__all__ = ["RunFailed", "RunTimedOut", "run_failure"]

_SHOWN = 10


class RunFailed(TaskFailed):
    """Tasks of a run failed. `task` is the first in topological order, `__cause__` its error."""

    def __init__(self, message: str, task: str, report: RunReport) -> None:
        super().__init__(message, task)
        self.report = report

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception is pickled by its args alone, which hold only the message.
        return type(self), (str(self), self.task, self.report), self.__dict__


class RunTimedOut(RunFailed, TaskTimedOut):
    """Tasks of a run failed, the first of them because it took longer than its time-out."""


def run_failure(report: RunReport) -> RunFailed:
    """The error that says which tasks of a failed run failed and which were skipped for it."""
    errors = report.errors
    first, cause = next(iter(errors.items()))
    if len(errors) == 1:
        said = f"task {first!r} failed: {error_text(cause)}"
    else:
        said = f"{len(errors):,} tasks failed: {listed(errors, _SHOWN)}; the first with {error_text(cause)}"
    skipped = report.skipped
    if skipped:
        said += f"; skipped: {listed(skipped, _SHOWN)}"
    # A task may itself run a DAG whose task timed out; that is not this task's time-out.
    timed_out = isinstance(cause, TaskTimedOut) and cause.task == first and not isinstance(cause, RunFailed)
    return (RunTimedOut if timed_out else RunFailed)(said, first, report)
