"""A `PipelineDAG` as a document, and a document as a DAG again."""

from __future__ import annotations

import builtins
from collections import Counter
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mlops_core import errors
from mlops_core.dag import PipelineDAG, RetryPolicy, Task
from mlops_core.domain.pipeline import Consent, PipelineDocument, Retry, TaskEntry
from mlops_core.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import JsonValue

    from mlops_core.dag import Context
    from mlops_core.domain.pipeline import Schedule
    from mlops_core.domain.usecase import UseCase

__all__ = ["adopted", "consent_of", "dag_of", "document_of", "policy_of"]


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


def adopted(document: PipelineDocument, dag: PipelineDAG, consent: Consent | None) -> PipelineDAG:
    """The DAG of a use case, its tasks attempted and described as the document says.

    Which tasks there are, what they wait for and whether a person is asked (`consent`) stand in the use case
    and in `pipeline.py`: raises `BadInput` with the first difference in any of these.
    """
    entries = {one.name: one for one in document.tasks}
    differs = _difference(document, dag, consent)
    if differs is not None:
        raise BadInput(
            f"{differs}: a file cannot change which stages there are; "
            f"export it again, with the options of this run: mlops export {document.use_case} --to yaml"
        )
    return PipelineDAG(
        replace(
            task,
            retry=policy_of(entries[task.name].retry),
            timeout_seconds=entries[task.name].timeout_seconds,
            tags=entries[task.name].tags,
            description=entries[task.name].description,
        )
        for task in dag.tasks.values()
    )


def consent_of(use_case: UseCase) -> Consent | None:
    """The task that asks a person, where the use case's policy wants one."""
    asks = use_case.gate.approval
    return None if asks is None else Consent(task="approval", expires=asks.expires)


def _difference(document: PipelineDocument, dag: PipelineDAG, consent: Consent | None) -> str | None:
    whose = document.use_case
    for one in document.tasks:
        if one.name not in dag:
            return f"task {one.name!r}: {whose} has no such task, but {', '.join(dag.topological_order())}"
        has, wants = sorted(set(one.upstream)), sorted(dag.upstream(one.name))
        if has != wants:
            return f"task {one.name!r} waits for {_listed(has)}, in {whose} for {_listed(wants)}"
    counts = Counter(one.name for one in document.tasks)
    for name in dag.topological_order():
        if counts[name] != 1:
            return (
                f"task {name!r} of {whose} is missing"
                if not counts[name]
                else f"task {name!r} is there twice"
            )
    if document.consent != consent:
        return f"consent: the policy of {whose} {_asks(consent)}, the file's {_asks(document.consent)}"
    return None


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "nothing"


def _asks(consent: Consent | None) -> str:
    return "asks nobody" if consent is None else f"asks at {consent.task}, for {consent.expires}"


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
    except (ImportError, AttributeError, TypeError, ValueError):
        kind = None
    if not (isinstance(kind, type) and issubclass(kind, Exception)):
        raise BadInput(
            f"retry_on: there is no error {name!r}; give such as Unavailable, OSError, module:Class"
        )
    return kind
