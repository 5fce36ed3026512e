"""Tasks that fail, recover or kill the process they run in; workers import them from here."""

from __future__ import annotations

import os
import signal
from functools import partial
from typing import TYPE_CHECKING, Any

from mlops_core import errors
from mlops_core.dag import PipelineDAG, RetryPolicy, Task
from mlops_core.errors import MlopsError, TaskFailed, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_core.dag import Context

KINDS: tuple[type[MlopsError], ...] = tuple(
    kind for name in errors.__all__ if issubclass(kind := getattr(errors, name), MlopsError)
)


def failing() -> PipelineDAG:
    """A task for each kind of error of ours, which raises one."""
    return PipelineDAG([Task(kind.__name__, partial(_fail, kind)) for kind in KINDS])


def recovering(notes: Path) -> PipelineDAG:
    """A task that is out of luck twice."""
    patient = RetryPolicy(attempts=3, delay_seconds=0.1)
    return PipelineDAG([Task("recovering", partial(_recover, notes), retry=patient)])


def killed_once(notes: Path) -> PipelineDAG:
    """A task whose worker dies under it the first time, and one after it."""
    return PipelineDAG([Task("killed", partial(_die, notes, 1)), Task("after", _after, ("killed",))])


def killed_always(notes: Path) -> PipelineDAG:
    """A task whose worker dies under it each time, and one after it."""
    return PipelineDAG([Task("killed", partial(_die, notes, 9)), Task("after", _after, ("killed",))])


def _fail(kind: type[MlopsError], context: Context) -> None:  # noqa: ARG001 - as all below: what a task takes
    raise kind("it says", "gate") if issubclass(kind, TaskFailed) else kind("it says")


def _recover(notes: Path, context: Context) -> int:  # noqa: ARG001
    if _times(notes) < 3:
        raise Unavailable("the database is locked")
    return os.getpid()


def _die(notes: Path, often: int, context: Context) -> int:  # noqa: ARG001
    times = _times(notes)
    if times <= often:
        os.kill(os.getpid(), signal.SIGKILL)
    return times


def _after(context: Context) -> Any:
    return context["killed"] + 1


def _times(notes: Path) -> int:
    """How often this was asked, over all processes."""
    with notes.open("a+") as file:
        file.write("x")
        return file.tell()
