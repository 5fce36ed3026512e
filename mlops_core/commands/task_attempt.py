"""One task of a run: what it takes, its attempt, and what became of it in the run's folder."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from mlops_core.commands.output import warn
from mlops_core.domain.receipts import DeploymentReceipt, ModelRegistryReceipt, Ref
from mlops_core.errors import MlopsError, NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mlops_core.dag import Task
    from mlops_core.delivery import Delivery
    from mlops_core.run_folder import RunFolder

__all__ = ["EXIT_RETRY", "another", "attempted", "taken"]

EXIT_RETRY = 75
"""Exit code of an attempt after which another is worth it: EX_TEMPFAIL of sysexits.h."""


def another(error: Unavailable) -> int:
    """Say what was out of reach before or after the attempt itself: whoever called tries again."""
    warn(f"mlops: {error}")
    return EXIT_RETRY


def taken(delivery: Delivery, folder: RunFolder, task: Task) -> dict[str, Any]:
    """The receipts that a task takes, by their tasks' names.

    Raises `NotFound` when one is not there yet, or when its data is not in this process's state folder.
    """
    context = folder.receipts(task.upstream)
    for name, receipt in context.items():
        for uri in _named(receipt):
            if not delivery.engines.workspace.path(uri).exists():
                raise NotFound(_not_here(name, uri, delivery.engines.workspace.home))
    return context


def attempted(folder: RunFolder, task: Task, context: Mapping[str, Any]) -> Any:
    """The receipt, after as many attempts as the task's policy allows; kept in the folder, as a failure is.

    Raises the error of the last attempt.
    """
    from mlops_core.dag import Hooks, PipelineDAG

    report = PipelineDAG([replace(task, upstream=())]).run(
        done := dict(context), hooks=Hooks(on_retry=_retried)
    )
    for error in report.errors.values():
        try:
            folder.failed(task.name, error, retry=task.retry.retries(error))
        except MlopsError as refused:
            warn(f"mlops: {refused}")
        raise error
    folder.finished(task.name, done[task.name], context)
    return done[task.name]


def _retried(task: Task, attempt: int, error: Exception, delay: float) -> None:
    warn(
        f"{task.name}: attempt {attempt} of {task.retry.attempts} failed: {error}; the next in {delay:.1f} s"
    )


def _named(value: object) -> Iterator[str]:
    """Whatever of the state folder a receipt names, as paths relative to it."""
    match value:
        case Ref(uri=uri) | ModelRegistryReceipt(report=uri):
            yield uri
        case DeploymentReceipt(release=str(uri)):
            yield uri
        case BaseModel():
            for _, one in value:
                yield from _named(one)
        case dict():
            for one in value.values():
                yield from _named(one)


def _not_here(task: str, uri: str, home: Path) -> str:
    return (
        f"{task} left {uri}, which is not in the state folder {home}: all processes of a run need the same "
        f"one (MLOPS_HOME); if this is it, run {task} again"
    )
