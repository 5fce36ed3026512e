"""How a `Task` of the DAG becomes a Prefect task, and a `PipelineDAG` a flow's task runs.

Prefect is the only one that retries here: it takes the policy over from the task.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappop, heappush
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.futures import wait

from flows.cluster import stages_speak
from flows.lost_runs import end_lost_attempts
from flows.progress import shown
from flows.runners import Threads
from mlops_core.errors import TaskTimedOut
from mlops_core.pipeline import WORKERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from prefect import Task as PrefectTask
    from prefect.client.schemas.objects import State, TaskRun
    from prefect.task_runners import TaskRunner

    from mlops_core.dag import Context, PipelineDAG, RetryPolicy, Task

__all__ = ["Walk", "run_on_prefect", "walk_on_prefect"]


@dataclass
class Walk:
    """What came of a DAG's tasks: each is in one of the three."""

    results: Context = field(default_factory=dict)
    errors: dict[str, BaseException] = field(default_factory=dict)
    """What failed, in the order of the DAG."""
    skipped: tuple[str, ...] = ()
    """What could not begin, since something before it failed."""


def run_on_prefect(
    dag: PipelineDAG, base_context: Mapping[str, Any] | None = None, *, runner: TaskRunner[Any] | None = None
) -> Context:
    """The same as `walk_on_prefect`, for who needs all of it: returns the context that `execute` would.

    After all that could run has run, raises the first failed task's error.
    """
    walk = walk_on_prefect(dag, base_context, runner=runner)
    for error in walk.errors.values():
        raise error
    start = {**dag.base_context, **(base_context or {})}
    return {**start, **walk.results, "execution_order": dag.topological_order()}


def walk_on_prefect(
    dag: PipelineDAG, base_context: Mapping[str, Any] | None = None, *, runner: TaskRunner[Any] | None = None
) -> Walk:
    """Run every task of the DAG as a Prefect task of the current flow run.

    Independent tasks run at the same time in `runner`, by default a few threads. A failed task leaves those
    downstream of it `NotReady` and the rest finished. A task that took too long is a `TaskTimedOut`.
    """
    context: Context = {**dag.base_context, **(base_context or {})}
    end_lost_attempts()
    with runner or Threads(max_workers=WORKERS) as running:
        return _walk(dag, _run_all(dag, context, running))


def _run_all(dag: PipelineDAG, context: Context, runner: TaskRunner[Any]) -> dict[str, Any]:
    """The futures of all tasks, each of them over.

    Of the tasks that can begin, those that come first in the DAG are submitted, as many as the runner has
    room for. Submitted before, a task would hold a thread while it waits.
    """
    nodes = list(dag)
    place = {node.name: number for number, node in enumerate(nodes)}
    left = [set(node.upstream) for node in nodes]
    after: list[list[int]] = [[] for _ in nodes]
    for number, names in enumerate(left):
        for name in names:
            after[place[name]].append(number)
    futures: dict[str, Any] = {}
    over: SimpleQueue[int] = SimpleQueue()

    def submit(number: int) -> None:
        node = nodes[number]
        upstream = {name: futures[name] for name in node.upstream}
        futures[node.name] = future = runner.submit(
            _prefect_task(node),
            {"bound": _Bound(node, context), "upstream": upstream},
            wait_for=list(upstream.values()),
        )
        future.add_done_callback(lambda _: over.put(number))

    ready = [number for number, names in enumerate(left) if not names]  # ascending, so a heap
    room = getattr(runner, "at_once", len(nodes))
    for _ in nodes:
        while ready and room:
            submit(heappop(ready))
            room -= 1
        number = over.get()
        room += 1
        for later in after[number]:
            left[later].discard(nodes[number].name)
            if not left[later]:
                heappush(ready, later)
    wait(list(futures.values()))  # a cluster's futures fetch their states only now
    return futures


def _walk(dag: PipelineDAG, futures: Mapping[str, Any]) -> Walk:
    walk = Walk()
    for node in dag:
        state: State[Any] = futures[node.name].state
        if state.is_completed():
            walk.results[node.name] = futures[node.name].result()
        elif state.is_failed() or state.is_crashed() or state.is_cancelled():
            walk.errors[node.name] = _error(node, state)
        else:
            walk.skipped += (node.name,)
    return walk


def _error(node: Task, state: State[Any]) -> BaseException:
    """What the task raised. A time-out is ours, whoever took the time."""
    found = state.result(raise_on_failure=False)
    if state.name != "TimedOut":
        return found if isinstance(found, BaseException) else RuntimeError(f"{node.name}: {state.message}")
    error = TaskTimedOut(
        f"task {node.name!r} took longer than its time-out of {node.timeout_seconds:g} s and was given up;"
        " raise timeout_seconds or make it faster",
        node.name,
    )
    error.__cause__ = found
    return error


class _Bound:
    """A task with the values it starts from. A plain class: Prefect does not search it for futures."""

    def __init__(self, node: Task, context: Context) -> None:
        self.node, self.context = node, context

    def __call__(self, upstream: Mapping[str, Any]) -> Any:
        return self.node.run({**self.context, **upstream})


class _Run:  # no function, for each task made of one reads its source again: half of what making one costs
    def __call__(self, bound: _Bound, upstream: dict[str, Any]) -> Any:
        stages_speak()  # this may be a process of its own
        with shown():
            return bound(upstream)


# Prefect's types know functions alone here; anything that can be called is taken
_stage: PrefectTask[..., Any] = task(_Run(), cache_policy=NO_CACHE)  # type: ignore[call-overload]  # the same


def _prefect_task(node: Task) -> PrefectTask[..., Any]:
    return _stage.with_options(
        name=node.name,
        task_run_name=node.name.replace("{", "{{").replace("}", "}}"),  # Prefect formats it
        description=node.description or None,
        tags=set(node.tags),
        retries=node.retry.attempts - 1,
        retry_delay_seconds=_waits(node.retry),
        retry_condition_fn=_worth(node.retry),
        timeout_seconds=node.timeout_seconds,
    )


def _waits(policy: RetryPolicy) -> list[float]:
    """Seconds before each further attempt, jitter included: Prefect's own jitter lengthens waits too."""
    # It takes 50 at most, and goes on with the last of them
    return [policy.wait_seconds(attempt) for attempt in range(1, min(policy.attempts, 51))]


def _worth(policy: RetryPolicy) -> Callable[[object, TaskRun, State[Any]], bool]:
    """Whether Prefect should try a failed task again: as its policy says."""

    # A function, since Prefect calls no other kind of callable here: with one it never tries again.
    def worth(task: object, run: TaskRun, state: State[Any]) -> bool:  # noqa: ARG001 - Prefect's signature
        error = state.result(raise_on_failure=False)
        return isinstance(error, BaseException) and policy.retries(error)

    return worth
