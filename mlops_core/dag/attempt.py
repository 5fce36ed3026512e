"""Runs one task: its attempts, the waits between them, and the time-out of each.

Python cannot stop a thread. An attempt that takes too long is given up: its result is dropped and nobody
waits for it, but the call itself goes on in a daemon thread until it returns or the process ends.
"""

from __future__ import annotations

import contextvars
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from mlops_core.errors import TaskTimedOut

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from mlops_core.dag.task import Context, Task

__all__ = ["perform"]


def perform(
    index: int,
    task: Task,
    context: Context,
    stop: Event,
    retried: Callable[[int, int, Exception, float], object],
) -> Any:
    """The task's result, or the error of its last attempt.

    `retried(index, attempt, error, delay)` is told of every failed attempt that is followed by another.
    Once `stop` is set, no further attempt begins.
    """
    attempt = 1
    while True:
        try:
            if task.timeout_seconds is None:
                return task.run(context)
            return _within(task.timeout_seconds, task, context)
        except Exception as error:
            if attempt >= task.retry.attempts or not task.retry.retries(error):
                raise
            delay = task.retry.wait_seconds(attempt)
            retried(index, attempt, error, delay)
            if stop.wait(delay):
                raise
        attempt += 1


def _within(seconds: float, task: Task, context: Context) -> Any:
    outcome: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()

    def attempt() -> None:
        try:
            outcome.put((task.run(context), None))
        except BaseException as error:
            outcome.put((None, error))

    # The caller's context variables (an active run, a logger's fields) hold in the thread too.
    in_context = contextvars.copy_context().run
    Thread(target=in_context, args=(attempt,), name=f"task {task.name}", daemon=True).start()
    try:
        result, error = outcome.get(timeout=seconds)
    except Empty:
        raise TaskTimedOut(
            f"task {task.name!r} took longer than its time-out of {seconds:g} s and was given up;"
            " raise timeout_seconds or make it faster",
            task.name,
        ) from None
    if error is not None:
        raise error
    return result
