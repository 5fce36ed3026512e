"""Runs tasks one after the other in the calling thread.

Apart from `mlops_core.dag.parallel` because nothing has to be counted, queued or handed over here: this
loop is what every task pays, so it makes no object per task.
"""

from __future__ import annotations

from functools import partial
from threading import Event
from time import perf_counter
from typing import TYPE_CHECKING

from mlops_core.dag.attempt import perform
from mlops_core.dag.hooks import Hooks, notify

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_core.dag.runlog import RunLog
    from mlops_core.dag.task import Context, Task

__all__ = ["run_sequentially"]


def run_sequentially(order: Sequence[Task], context: Context, log: RunLog, hooks: Hooks) -> None:
    """Runs the tasks in this order and notes in `log` what came of them.

    A failed task's error is noted, not raised, and whatever depends on it is skipped.
    """
    stop = Event()
    retried = partial(_retried, order, log, hooks)
    unfinished: set[str] = set()
    on_start, on_finish = hooks.on_start, hooks.on_finish
    for index, task in enumerate(order):
        if unfinished and not unfinished.isdisjoint(task.upstream):
            unfinished.add(task.name)
            log.skip(index)
        else:
            if on_start is not None:
                notify(on_start, task)
            started = perf_counter()
            try:
                context[task.name] = perform(index, task, context, stop, retried)
            except Exception as error:
                unfinished.add(task.name)
                log.fail(index, started, perf_counter(), error)
            else:
                log.finish(index, started, perf_counter())
        if on_finish is not None:
            notify(on_finish, log.task_run(index))


def _retried(
    order: Sequence[Task], log: RunLog, hooks: Hooks, index: int, attempt: int, error: Exception, delay: float
) -> None:
    log.retry(index)
    notify(hooks.on_retry, order[index], attempt, error, delay)
