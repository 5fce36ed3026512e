"""A pipeline: tasks in an order in which they can run, and the ways to run them."""

from __future__ import annotations

from collections.abc import MutableMapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from mlops_core.dag.failure import run_failure
from mlops_core.dag.hooks import Hooks
from mlops_core.dag.listing import listed
from mlops_core.dag.parallel import run_in_parallel
from mlops_core.dag.report import RunReport, TaskState
from mlops_core.dag.runlog import RunLog
from mlops_core.dag.sequential import run_sequentially
from mlops_core.dag.task import Context, Task
from mlops_core.dag.topology import EXECUTION_ORDER, by_name, in_order
from mlops_core.errors import DefinitionError, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["PipelineDAG"]


class PipelineDAG:
    """Tasks and what they depend on. Iterating gives the tasks in topological order.

    `base_context` is copied, and copied again for each `execute()` that is not handed a context.

    Raises `GraphError` (a `ValueError`) at once for duplicate names, unknown dependencies, a cycle, and a
    task called `execution_order`.
    """

    def __init__(self, tasks: Iterable[Task], *, base_context: Mapping[str, object] | None = None) -> None:
        self.base_context: Context = dict(base_context or {})
        self._tasks = by_name(tasks)
        self._names = tuple(in_order(self._tasks))
        self._order = tuple(self._tasks[name] for name in self._names)

    def __repr__(self) -> str:
        return f"PipelineDAG({listed(self._names, 10)})"

    def __iter__(self) -> Iterator[Task]:
        return iter(self._order)

    def __len__(self) -> int:
        return len(self._order)

    def __contains__(self, item: object) -> bool:
        """Whether a task, given itself or by its name, is part of this pipeline."""
        if isinstance(item, Task):
            return self._tasks.get(item.name) == item
        return isinstance(item, str) and item in self._tasks

    def __getitem__(self, name: str) -> Task:
        """The task of this name. Raises `NotFound` (a `LookupError`)."""
        try:
            return self._tasks[name]
        except KeyError:
            raise NotFound(f"no task {name!r}; there are {listed(self._names, 20)}") from None

    @property
    def tasks(self) -> Mapping[str, Task]:
        """The tasks by their names, in the order given. It cannot be changed."""
        return MappingProxyType(self._tasks)

    def topological_order(self) -> list[str]:
        """The names in the order in which `execute` runs them, the same for the same definitions."""
        return list(self._names)

    def upstream(self, name: str) -> tuple[str, ...]:
        """What the task of this name depends on directly, in the order given. Raises `NotFound`."""
        return self[name].upstream

    def descendants(self, name: str) -> tuple[str, ...]:
        """All that depends on this task, directly or not, in topological order. Raises `NotFound`."""
        above = {self[name].name}
        for task in self._order:
            if not above.isdisjoint(task.upstream):
                above.add(task.name)
        return tuple(found for found in self._names if found in above and found != name)

    def with_tasks(self, *tasks: Task) -> PipelineDAG:
        """Another pipeline, of these tasks and of those here that none of them is called like.

        So a stage is exchanged for another of its name. Raises `GraphError` as any new pipeline does.
        """
        theirs = {task.name for task in tasks if isinstance(task, Task)}
        kept = [task for task in self._tasks.values() if task.name not in theirs]
        return PipelineDAG([*kept, *tasks], base_context=self.base_context)

    def run(self, context: Context, *, max_workers: int = 1, hooks: Hooks | None = None) -> RunReport:
        """Runs every task on this context and says what came of each. A failed task does not raise.

        Each finished task's result is put under its name, and the names of the finished tasks, in
        topological order, under `execution_order`. What depends on a failed task is skipped; all else
        runs. Results of earlier runs in the context stay where this run has no newer one.

        With `max_workers` above 1, independent tasks run at the same time in threads. A task may then
        count on the results of what it depends on and on nothing else in the context, which others are
        filling meanwhile.

        Errors that are not `Exception`s, such as `KeyboardInterrupt` and `SystemExit`, end the run at once
        and are raised as they are; no task begins after them.
        """
        if not isinstance(context, MutableMapping):
            raise DefinitionError(f"the context must be a dict, not {type(context).__name__}")
        if not isinstance(max_workers, int) or isinstance(max_workers, bool) or max_workers < 1:
            raise DefinitionError(f"max_workers must be a whole number from 1, not {max_workers!r}")
        hooks = Hooks() if hooks is None else hooks
        log = RunLog(self._names)
        try:
            if max_workers == 1:
                run_sequentially(self._order, context, log, hooks)
            else:
                run_in_parallel(self._order, context, log, hooks, max_workers)
        finally:
            log.close()
            context[EXECUTION_ORDER] = list(log.names_in(TaskState.FINISHED))
        return RunReport(log)

    def execute(
        self, base_context: Context | None = None, *, max_workers: int = 1, hooks: Hooks | None = None
    ) -> Context:
        """Runs every task, as `run` does, on this very context (or a copy of the DAG's own) and returns it.

        Raises `RunFailed` (a `TaskFailed`) after all that could run has run, with the first failed task's
        error as its cause and the run's report as `report`; `RunTimedOut` when that error is a time-out.
        """
        context = dict(self.base_context) if base_context is None else base_context
        report = self.run(context, max_workers=max_workers, hooks=hooks)
        if not report.ok:
            failure = run_failure(report)
            raise failure from report.errors[failure.task]
        return context
