"""A `PipelineDAG` as a document, and a document as a DAG again."""

from __future__ import annotations

import builtins
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mlops_core import errors
from mlops_core.dag import PipelineDAG, RetryPolicy, Task
from mlops_core.domain.pipeline import PipelineDocument, Retry, TaskEntry
from mlops_core.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import JsonValue

    from mlops_core.dag import Context
    from mlops_core.domain.pipeline import Consent, Schedule

__all__ = ["dag_of", "document_of", "policy_of"]


def document_of(
    dag: PipelineDAG,
    *,
    name: str,
    use_case: str | None = None,
    parameters: Mapping[str, JsonValue] | None = None,
    schedule: Schedule | None = None,
    consent: Consent | None = None,
) -> PipelineDocument:
    """The DAG, its tasks in topological order; `use_case` is how commands find it, by default its `name`.

    Raises `BadInput` for a retry policy that names an error which no other process could import.
    """
    return PipelineDocument(
        name=name,
        use_case=use_case or name,
        parameters=dict(parameters or {}),
        schedule=schedule,
        consent=consent,
        tasks=tuple(_entry(task) for task in dag),
    )


def dag_of(document: PipelineDocument, runs: Mapping[str, Callable[[Context], Any]]) -> PipelineDAG:
    """The DAG that a document describes; `runs` has the function of each task by its name.

    Raises `BadInput` for a task that `runs` does not have, and `GraphError` for what is no DAG.
    """
    unknown = [one.name for one in document.tasks if one.name not in runs]
    if unknown:
        raise BadInput(f"task {unknown[0]!r}: {document.use_case} has no such task, but {', '.join(runs)}")
    return PipelineDAG(
        Task(
            one.name,
            runs[one.name],
            one.upstream,
            retry=policy_of(one.retry),
            timeout_seconds=one.timeout_seconds,
            tags=one.tags,
            description=one.description,
        )
        for one in document.tasks
    )


def policy_of(retry: Retry) -> RetryPolicy:
    """The policy that was written down. Raises `BadInput` for an error that cannot be found."""
    found = {name: _error_named(name) for name in retry.retry_on}
    return RetryPolicy(**dict(retry) | {"retry_on": tuple(found.values())})


def _entry(task: Task) -> TaskEntry:
    policy = task.retry
    return TaskEntry(
        name=task.name,
        upstream=task.upstream,
        retry=Retry(
            attempts=policy.attempts,
            delay_seconds=policy.delay_seconds,
            backoff=policy.backoff,
            max_delay_seconds=policy.max_delay_seconds,
            jitter=policy.jitter,
            retry_on=tuple(_name_of(kind, task) for kind in policy.retry_on),
        ),
        timeout_seconds=task.timeout_seconds,
        tags=task.tags,
        description=task.description,
    )


def _name_of(kind: type[Exception], task: Task) -> str:
    short = kind.__module__ in ("builtins", errors.__name__)
    name = kind.__qualname__ if short else f"{kind.__module__}:{kind.__qualname__}"
    try:
        found = _error_named(name)
    except BadInput:
        found = None
    if found is not kind:
        raise BadInput(
            f"task {task.name!r} is retried after {kind.__qualname__}, which cannot be imported from "
            f"{kind.__module__}: define it at the top of a module"
        )
    return name


def _error_named(name: str) -> type[Exception]:
    module, _, attribute = name.rpartition(":")
    try:
        home: Any = import_module(module) if module else errors if hasattr(errors, name) else builtins
        kind = getattr(home, attribute)
    except (ImportError, AttributeError, ValueError):
        kind = None
    if not (isinstance(kind, type) and issubclass(kind, Exception)):
        raise BadInput(
            f"retry_on: there is no error {name!r}; give such as Unavailable, OSError, module:Class"
        )
    return kind
