"""Empty tasks on Prefect: by this project's walk and as plain `@task`s, for `benchmarks/prefect_overhead.py`.

`python benchmarks/empty_tasks.py ROUNDS SIZE…` needs `PREFECT_API_URL`; prints a JSON line a measurement.
`python benchmarks/empty_tasks.py` alone is one bare flow of four tasks, as many as the simulator's.
"""

from __future__ import annotations

import json
import sys
import time
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, TaskRunFilter, TaskRunFilterState
from prefect.client.schemas.filters import TaskRunFilterStateType as StateTypes
from prefect.client.schemas.objects import StateType
from prefect.futures import wait
from prefect.runtime import flow_run
from prefect.task_runners import ThreadPoolTaskRunner

from flows.tasks import walk_on_prefect
from mlops_core.dag import PipelineDAG, Task
from mlops_core.pipeline import WORKERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Edges = dict[str, tuple[str, ...]]
SECONDS = 300  # for the server to have written all task runs


def chain(count: int) -> Edges:
    """Each task needs the one before."""
    return {f"t{number}": (f"t{number - 1}",) if number else () for number in range(count)}


def fan(count: int) -> Edges:
    """One task, all others need it, and the last needs all those."""
    middle = tuple(f"t{number}" for number in range(1, count - 1))
    return {"t0": (), **dict.fromkeys(middle, ("t0",)), f"t{count - 1}": middle}


SHAPES = {"chain": chain, "fan": fan}


def nothing(_context: Any) -> None:
    """The task."""


@task(cache_policy=NO_CACHE)
def bare_nothing(_upstream: Any) -> None:
    """The task, as plain Prefect has it."""


def bare(edges: Edges) -> None:
    """The tasks written plainly: submitted, each with those it needs."""
    futures: dict[str, Any] = {}
    for name, needed in edges.items():
        futures[name] = bare_nothing.submit([futures[one] for one in needed])
    wait(list(futures.values()))


def ours(edges: Edges) -> None:
    """The same by the walk of a DAG."""
    walk_on_prefect(_dag(edges))


def in_process(edges: Edges) -> None:
    """The same without Prefect."""
    _dag(edges).execute(max_workers=WORKERS)


def _dag(edges: Edges) -> PipelineDAG:
    return PipelineDAG(tasks=[Task(name, nothing, needed) for name, needed in edges.items()])


def on_prefect(run: Callable[[Edges], None], edges: Edges) -> dict[str, Any]:
    """Seconds within one flow run, by the clock and of this process, and how many task runs were recorded."""
    found: dict[str, Any] = {}

    threads: Any = ThreadPoolTaskRunner(max_workers=WORKERS)  # Any: it is typed by what tasks return

    @flow(name=run.__name__, task_runner=threads)
    def measured() -> None:
        found["id"] = flow_run.get_id()
        clock, own = perf_counter(), process_time()
        run(edges)
        found["wall"], found["cpu"] = perf_counter() - clock, process_time() - own

    measured()
    return {**found, "recorded": recorded(found.pop("id"), len(edges))}


def recorded(run: str, wanted: int) -> int:
    """How many completed task runs of a flow run the server knows, once they are all, or after a while."""
    mine = FlowRunFilter(id=FlowRunFilterId(any_=[run]))
    over = TaskRunFilter(state=TaskRunFilterState(type=StateTypes(any_=[StateType.COMPLETED])))
    end = time.monotonic() + SECONDS
    with get_client(sync_client=True) as client:
        while True:
            count = sum(1 for _ in _pages(client, mine, over))
            if count >= wanted or time.monotonic() > end:
                return count
            time.sleep(0.2)


def _pages(client: Any, mine: FlowRunFilter, over: TaskRunFilter) -> Iterator[Any]:
    offset = 0
    while page := client.read_task_runs(flow_run_filter=mine, task_run_filter=over, limit=200, offset=offset):
        yield from page
        offset += len(page)


def main(rounds: int, sizes: list[int]) -> None:
    """Measure all ways in turn, so that whatever else the machine does weighs on each."""
    for way in (bare, ours):  # not counted: what is imported when it is first used
        on_prefect(way, chain(10))
    for size in sizes:
        for shape, edges_of in SHAPES.items():
            edges = edges_of(size)
            for _ in range(rounds):
                for way in (bare, ours):
                    _say(size, shape, way.__name__, on_prefect(way, edges))
                clock, own = perf_counter(), process_time()
                in_process(edges)
                took = {"wall": perf_counter() - clock, "cpu": process_time() - own, "recorded": size}
                _say(size, shape, "in_process", took)


def _say(size: int, shape: str, way: str, took: dict[str, Any]) -> None:
    print(json.dumps({"size": size, "shape": shape, "way": way, **took}), flush=True)


@flow(name="four")
def four() -> None:
    """As many tasks as the simulator has."""
    bare(chain(4))


if __name__ == "__main__":
    if sys.argv[1:]:
        main(int(sys.argv[1]), [int(size) for size in sys.argv[2:]])
    else:
        four()
