"""How a `Task` of the DAG becomes a Prefect task, and a `PipelineDAG` a flow's task runs.

Prefect is the only one that retries here: it takes the policy over from the task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.futures import wait

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from prefect import Task as PrefectTask
    from prefect.client.schemas.objects import State, TaskRun

    from mlops_core.dag import Context, PipelineDAG, RetryPolicy, Task

__all__ = ["run_on_prefect"]


def run_on_prefect(dag: PipelineDAG, base_context: Mapping[str, Any] | None = None) -> Context:
    """Run every task of the DAG as a Prefect task of the current flow run; returns the context.

    Independent tasks run at the same time in the flow's task runner. A failed task leaves those downstream
    of it `NotReady` and the rest finished; then its error is raised.
    """
    context: Context = {**dag.base_context, **(base_context or {})}
    futures: dict[str, Any] = {}
    for node in dag:
        upstream = {name: futures[name] for name in node.upstream}
        futures[node.name] = _prefect_task(node).submit(
            _Bound(node, context), upstream, wait_for=list(upstream.values())
        )
    wait(list(futures.values()))
    failed = [future for future in futures.values() if future.state.is_failed() or future.state.is_crashed()]
    for future in failed:
        future.result()  # raises what the task raised
    results = {name: future.result() for name, future in futures.items()}
    return {**context, **results, "execution_order": dag.topological_order()}


class _Bound:
    """A task with the values it starts from. A plain class: Prefect does not search it for futures."""

    def __init__(self, node: Task, context: Context) -> None:
        self.node, self.context = node, context

    def __call__(self, upstream: Mapping[str, Any]) -> Any:
        return self.node.run({**self.context, **upstream})


@task(cache_policy=NO_CACHE)
def _stage(bound: _Bound, upstream: dict[str, Any]) -> Any:
    return bound(upstream)


def _prefect_task(node: Task) -> PrefectTask[..., Any]:
    return _stage.with_options(
        name=node.name,
        task_run_name=node.name,
        description=node.description or None,
        tags=set(node.tags),
        retries=node.retry.attempts - 1,
        retry_delay_seconds=list(node.retry.delays()),
        retry_jitter_factor=node.retry.jitter,
        retry_condition_fn=_worth(node.retry),
        timeout_seconds=node.timeout_seconds,
    )


def _worth(policy: RetryPolicy) -> Callable[[object, TaskRun, State[Any]], bool]:
    """Whether Prefect should try a failed task again: as its policy says."""

    # A function, since Prefect calls no other kind of callable here: with one it never tries again.
    def worth(task: object, run: TaskRun, state: State[Any]) -> bool:  # noqa: ARG001 - Prefect's signature
        error = state.result(raise_on_failure=False)
        return isinstance(error, BaseException) and policy.retries(error)

    return worth
