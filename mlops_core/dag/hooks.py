"""Who wants to watch a run."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, ParamSpec

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.dag.report import TaskRun
    from mlops_core.dag.task import Task

__all__ = ["Hooks", "notify"]

P = ParamSpec("P")
_logger = logging.getLogger("mlops_core.dag")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """Functions called as a run goes on; each is optional.

    `on_start(task)` comes before a task's first attempt, `on_retry(task, attempt, error, delay)` after
    failed attempt number `attempt` (from 1) with the seconds that are waited before the next, and
    `on_finish(task_run)` when a task has finished, failed or been skipped. All are called one at a time
    in the thread that called `run` or `execute`, also when tasks run in parallel.

    Watching never changes a run: an `Exception` from a hook is logged with its traceback under the
    logger `mlops_core.dag`, and the run goes on. `KeyboardInterrupt` and its like end the run.
    """

    on_start: Callable[[Task], object] | None = None
    on_retry: Callable[[Task, int, Exception, float], object] | None = None
    on_finish: Callable[[TaskRun], object] | None = None


def notify(hook: Callable[P, object] | None, *args: P.args, **kwargs: P.kwargs) -> None:
    """Calls the hook, if there is one, and logs what it raises."""
    if hook is None:
        return
    try:
        hook(*args, **kwargs)
    except Exception:
        _logger.exception("a hook of the run failed (%r); the run goes on", hook)
