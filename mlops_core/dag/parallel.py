"""Runs tasks that do not depend on each other at the same time, in threads.

The calling thread leads: it alone starts tasks, writes their results into the context, takes the notes
and calls the hooks, so none of these needs a lock, and a result is in the context before anything that
depends on it begins. Workers take a task's place in the order from one queue and answer in another. No
more tasks are handed out than there are workers, the earliest in topological order first, so that at an
interruption nothing waits that could still begin.

The workers are daemon threads: after Ctrl-C the process must not wait for tasks that are still running.
"""

from __future__ import annotations

import contextvars
from heapq import heappop, heappush
from queue import SimpleQueue
from threading import Event, Thread
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from mlops_core.dag.attempt import perform
from mlops_core.dag.hooks import Hooks, notify

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_core.dag.runlog import RunLog
    from mlops_core.dag.task import Context, Task

__all__ = ["run_in_parallel"]


class _Retried(NamedTuple):
    place: int
    attempt: int
    error: Exception
    delay: float


class _Ended(NamedTuple):
    place: int
    started: float
    ended: float
    result: Any
    error: BaseException | None


def run_in_parallel(
    order: Sequence[Task], context: Context, log: RunLog, hooks: Hooks, max_workers: int
) -> None:
    """Runs the tasks, at most `max_workers` at a time, and notes in `log` what came of them.

    A failed task's error is noted, not raised, and whatever depends on it is skipped.
    """
    workers = _Workers(order, context, max_workers)
    try:
        _Leader(order, context, log, hooks, workers).run()
    finally:
        workers.dismiss()
    workers.join()


class _Workers:
    """Threads, started as they are needed, that perform the tasks they are handed."""

    def __init__(self, order: Sequence[Task], context: Context, max_workers: int) -> None:
        self.answers: SimpleQueue[_Retried | _Ended] = SimpleQueue()
        self.busy = 0
        self._max_workers = max_workers
        self._order = order
        self._context = context
        self._orders: SimpleQueue[int | None] = SimpleQueue()
        self._threads: list[Thread] = []
        self._stop = Event()
        self._variables = contextvars.copy_context()

    @property
    def free(self) -> bool:
        return self.busy < self._max_workers

    def begin(self, index: int) -> None:
        if self.busy == len(self._threads):
            thread = Thread(target=self._work, name=f"dag worker {self.busy + 1}", daemon=True)
            thread.start()
            self._threads.append(thread)
        self.busy += 1
        self._orders.put(index)

    def dismiss(self) -> None:
        """No task and no further attempt begins after this; what is running goes on."""
        self._stop.set()
        for _ in self._threads:
            self._orders.put(None)

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (index := self._orders.get()) is not None and not self._stop.is_set():
            self.answers.put(self._perform(index))

    def _perform(self, index: int) -> _Ended:
        task = self._order[index]
        # Each task sees the caller's context variables, and none sees what another made of them.
        call = self._variables.copy().run
        started = perf_counter()
        try:
            result = call(perform, index, task, self._context, self._stop, self._retried)
        except BaseException as error:
            return _Ended(index, started, perf_counter(), None, error)
        return _Ended(index, started, perf_counter(), result, None)

    def _retried(self, index: int, attempt: int, error: Exception, delay: float) -> None:
        self.answers.put(_Retried(index, attempt, error, delay))


class _Leader:
    """Knows what may begin, and hears what came of it."""

    def __init__(
        self, order: Sequence[Task], context: Context, log: RunLog, hooks: Hooks, workers: _Workers
    ) -> None:
        self._order = order
        self._context = context
        self._log = log
        self._hooks = hooks
        self._workers = workers
        place = {task.name: index for index, task in enumerate(order)}
        upstream = [[place[name] for name in task.upstream] for task in order]
        self._waits_for = [len(indices) for indices in upstream]
        self._children: list[list[int]] = [[] for _ in order]
        for index, indices in enumerate(upstream):
            for above in indices:
                self._children[above].append(index)
        self._blocked: set[int] = set()
        self._ready = [index for index, count in enumerate(self._waits_for) if not count]  # sorted: a heap

    def run(self) -> None:
        while self._ready or self._workers.busy:
            while self._ready and self._workers.free:
                index = heappop(self._ready)
                notify(self._hooks.on_start, self._order[index])
                self._workers.begin(index)
            answer = self._workers.answers.get()
            if isinstance(answer, _Retried):
                place, attempt, error, delay = answer
                self._log.retry(place)
                notify(self._hooks.on_retry, self._order[place], attempt, error, delay)
            else:
                self._workers.busy -= 1
                self._settle(answer)

    def _settle(self, answer: _Ended) -> None:
        index, started, ended, result, error = answer
        if error is None:
            self._context[self._order[index].name] = result
            self._log.finish(index, started, ended)
        elif isinstance(error, Exception):
            self._log.fail(index, started, ended, error)
        else:
            raise error
        self._over(index, finished=error is None)

    def _over(self, index: int, *, finished: bool) -> None:
        """Releases what waited for this task: to be run, or to be skipped with all below it."""
        over = [(index, finished)]
        while over:
            index, finished = over.pop()
            if self._hooks.on_finish is not None:
                notify(self._hooks.on_finish, self._log.task_run(index))
            for child in self._children[index]:
                self._waits_for[child] -= 1
                if not finished:
                    self._blocked.add(child)
                if self._waits_for[child]:
                    continue
                if child in self._blocked:
                    self._log.skip(child)
                    over.append((child, False))
                else:
                    heappush(self._ready, child)
