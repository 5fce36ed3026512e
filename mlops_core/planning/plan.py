"""A plan: what a run would do, task by task, said before it does it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from mlops_core.domain.value import Value

__all__ = ["Plan", "Status", "TaskPlan"]

Status = Literal["run", "reuse", "depends"]


class TaskPlan(Value):
    """What would become of one task.

    `run`: it works, whatever else comes out. `reuse`: its result is there, or there is nothing for it to do.
    `depends`: it works unless the tasks in `after` come out as they did when a result of it was kept.

    `why` is one sentence, and `changes` one for each thing that differs from its last use. `seconds` is how
    long it took in the median when it worked; None where it never did, and for what is reused. `output` is
    where its result lies, relative to the state folder, with when it was made and how long that took.
    `waits_for` are those before it in the DAG that may run.
    """

    task: str
    status: Status
    why: str
    changes: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    waits_for: tuple[str, ...] = ()
    seconds: float | None = None
    output: str | None = None
    made_at: datetime | None = None
    took: float | None = None
    last_used: datetime | None = None

    @property
    def works(self) -> bool:
        """Whether it may have to work."""
        return self.status != "reuse"


class Plan(Value):
    """What would become of every task of a use case's DAG, in the order in which they run.

    `seconds` is the longest way through the DAG by what each task took before, those that depend counted as
    running; None where none of them ever ran.
    """

    use_case: str
    tasks: tuple[TaskPlan, ...]
    seconds: float | None = None

    def of(self, status: Status) -> tuple[TaskPlan, ...]:
        """The tasks of one status, in order."""
        return tuple(one for one in self.tasks if one.status == status)
