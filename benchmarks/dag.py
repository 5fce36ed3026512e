"""What the in-process runner costs per task, next to graphlib, dask and Prefect.

Every task does nothing, so all time is overhead. Run from the repository's root::

    python -m benchmarks.dag             # 100 to 1,000,000 tasks, half an hour, 1.5 GB
    python -m benchmarks.dag --quick     # 100 and 10,000 tasks
    python -m benchmarks.dag --prefect   # also a bare Prefect flow of 10 and 100 tasks, in a home of its own

Shapes: `chain` (each task needs the one before), `fan` (one task, all others need it, one needs them all)
and `random` (each needs up to three earlier ones). Each figure is the median of five runs in a new order
of names, in microseconds per task. Machines are noisy: compare the columns of a line, not lines of
different machines.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import os
import platform
import shutil
import sys
import tempfile
import tracemalloc
from graphlib import TopologicalSorter
from importlib.metadata import PackageNotFoundError, version
from random import Random
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

from mlops_core.dag import PipelineDAG, Task

if TYPE_CHECKING:
    from collections.abc import Callable

Edges = dict[str, tuple[str, ...]]
Times = dict[str, float]

SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)
QUICK_SIZES = (100, 10_000)
REPEATS = 5
LARGEST_FOR_DASK = 100_000  # beyond, it takes minutes and says nothing new
COLUMNS = ("Task()", "PipelineDAG()", "order", "execute", "2 workers", "graphlib + call", "dask.get")


def chain(names: list[str], _random: Random) -> Edges:
    """Each task needs the one before."""
    return {name: (names[index - 1],) if index else () for index, name in enumerate(names)}


def fan(names: list[str], _random: Random) -> Edges:
    """One task, all others need it, and the last needs all those."""
    first, *middle, last = names
    return {first: (), **dict.fromkeys(middle, (first,)), last: tuple(middle)}


def random_graph(names: list[str], random: Random) -> Edges:
    """Each task needs up to three earlier ones."""
    return {
        name: tuple({names[random.randrange(index)] for _ in range(random.randint(0, 3))}) if index else ()
        for index, name in enumerate(names)
    }


SHAPES = {"chain": chain, "fan": fan, "random": random_graph}


def nothing(_context: dict[str, Any]) -> int:
    """The task."""
    return 1


def dask_nothing(*_results: int) -> int:
    """The task as dask calls it, with the results it depends on."""
    return 1


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds and result, with the garbage of what came before out of the way."""
    gc.collect()
    start = perf_counter()
    result = call()
    return perf_counter() - start, result


def with_graphlib(edges: Edges) -> int:
    """The least that orders a graph and calls its tasks: what is measured against."""
    context: dict[str, Any] = {}
    for name in TopologicalSorter(edges).static_order():
        context[name] = nothing(context)
    return len(context)


def with_dask(edges: Edges) -> float:
    """Seconds for dask's synchronous scheduler to compute everything nothing else needs."""
    from dask.local import get_sync  # what dask.get is

    graph = {name: (dask_nothing, *upstream) for name, upstream in edges.items()}
    needed = {name for upstream in edges.values() for name in upstream}
    return timed(lambda: get_sync(graph, [name for name in edges if name not in needed]))[0]


def measure(edges: Edges) -> Times:
    """Seconds of each column, once."""
    times = measure_ours(edges)
    times["graphlib + call"], ran = timed(lambda: with_graphlib(edges))
    assert ran == len(edges)
    if len(edges) <= LARGEST_FOR_DASK:
        times["dask.get"] = with_dask(edges)
    return times


def measure_ours(edges: Edges) -> Times:
    """Seconds of our columns; all that was made is gone when it returns."""
    times: Times = {}
    times["Task()"], tasks = timed(lambda: make_tasks(edges))
    times["PipelineDAG()"], dag = timed(lambda: PipelineDAG(tasks))
    times["order"], order = timed(dag.topological_order)
    times["execute"], context = timed(dag.execute)
    assert context["execution_order"] == order
    times["2 workers"], context = timed(lambda: dag.execute(max_workers=2))
    assert context["execution_order"] == order
    return times


def make_tasks(edges: Edges) -> list[Task]:
    """A task that does nothing for each name."""
    return [Task(name, nothing, upstream) for name, upstream in edges.items()]


def shuffled_names(count: int, random: Random) -> list[str]:
    """Names whose sorted order says nothing about the graph."""
    names = [f"task_{index:07}" for index in range(count)]
    random.shuffle(names)
    return names


def print_overheads(sizes: tuple[int, ...]) -> None:
    """The main table."""
    print("| shape | tasks |", " | ".join(COLUMNS), "| all of ours / graphlib + call |")
    print("| --- | --: |", " | ".join("--:" for _ in COLUMNS), "| --: |")
    for shape, build in SHAPES.items():
        for size in sizes:
            random = Random(size)  # noqa: S311 - a graph, not a secret
            runs = [measure(build(shuffled_names(size, random), random)) for _ in range(REPEATS)]
            middle = {column: median(run[column] for run in runs) for column in runs[0]}
            cells = [f"{middle[column] / size * 1e6:.2f}" if column in middle else "-" for column in COLUMNS]
            ours = median(
                (run["Task()"] + run["PipelineDAG()"] + run["execute"]) / run["graphlib + call"]
                for run in runs
            )
            print(f"| {shape} | {size:,} |", " | ".join(cells), f"| {ours:.1f} |", flush=True)


class _GarbageClock:
    """Adds up the time spent in garbage collection while it is among `gc.callbacks`."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.full = 0
        self._start = 0.0

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._start = perf_counter()
        else:
            self.seconds += perf_counter() - self._start
            self.full += info["generation"] == 2


def print_garbage(size: int) -> None:
    """How much of the largest chain's time is Python looking for garbage that is not there."""
    edges = chain(shuffled_names(size, Random(size)), Random(size))  # noqa: S311 - a graph, not a secret
    tasks: list[Task] = []
    dags: list[PipelineDAG] = []
    steps: dict[str, Callable[[], Any]] = {
        "Task()": lambda: tasks.extend(make_tasks(edges)),
        "PipelineDAG()": lambda: dags.append(PipelineDAG(tasks)),
        "execute": lambda: dags[0].execute(),
    }
    print(f"\nGarbage collection, chain of {size:,}, one run:\n")
    print("| step | seconds | of it in gc | full collections |\n| --- | --: | --: | --: |")
    for step, call in steps.items():
        gc.collect()
        clock = _GarbageClock()
        gc.callbacks.append(clock)
        start = perf_counter()
        call()
        seconds = perf_counter() - start
        gc.callbacks.remove(clock)
        print(f"| {step} | {seconds:.3f} | {clock.seconds:.3f} | {clock.full} |")


def print_memory(size: int) -> None:
    """Bytes per task that stay, by `tracemalloc` (which is too slow for a million)."""
    edges = chain(shuffled_names(size, Random(size)), Random(size))  # noqa: S311 - a graph, not a secret
    tracemalloc.start()
    base = tracemalloc.get_traced_memory()[0]
    tasks = make_tasks(edges)
    made = tracemalloc.get_traced_memory()[0]
    dag = PipelineDAG(tasks)
    ordered = tracemalloc.get_traced_memory()[0]
    context: dict[str, Any] = {}
    report = dag.run(context)
    ran = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(report.finished) == size
    print(
        f"\nMemory, chain of {size:,}, bytes per task: Task {(made - base) / size:.0f},"
        f" PipelineDAG {(ordered - made) / size:.0f}, context and report {(ran - ordered) / size:.0f}"
    )


def print_prefect() -> None:
    """A bare flow whose tasks do nothing, each called and waited for in turn."""
    home = tempfile.mkdtemp(prefix="prefect-home-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    os.environ.update(
        PREFECT_HOME=home,
        PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS="120",
        PREFECT_SERVER_ANALYTICS_ENABLED="false",
        PREFECT_LOGGING_LEVEL="CRITICAL",
        DO_NOT_TRACK="1",
    )
    from prefect import flow, task

    call = task(nothing)

    @flow
    def in_turn(count: int) -> None:
        for _ in range(count):
            call({})

    first = timed(lambda: in_turn(1))[0]
    print(
        f"\nPrefect, its temporary server started by the first flow run ({first:.1f} s, not counted below):\n"
    )
    print("| tasks | ms per flow run | ms per task |\n| --: | --: | --: |")
    for size in (10, 100):
        seconds = median(timed(lambda size=size: in_turn(size))[0] for _ in range(REPEATS))  # type: ignore[misc] # mypy cannot infer a lambda with a default
        print(f"| {size} | {seconds * 1e3:.0f} | {seconds / size * 1e3:.1f} |", flush=True)


def describe_machine() -> str:
    """Processors, Python and the libraries compared with."""
    found = []
    for name in ("dask", "prefect"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} not installed")
    return (
        f"{os.cpu_count()} CPUs, {platform.machine()}, Python {platform.python_version()}, {', '.join(found)}"
    )


def main() -> None:
    """Prints the tables as Markdown."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.dag", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--quick", action="store_true", help="small graphs only")
    parser.add_argument("--prefect", action="store_true", help="also a bare Prefect flow")
    chosen = parser.parse_args()
    sizes = QUICK_SIZES if chosen.quick else SIZES
    print(f"Machine: {describe_machine()}\nCommand: {' '.join(['python -m benchmarks.dag', *sys.argv[1:]])}")
    print(f"Microseconds per task, medians of {REPEATS}:\n")
    print_overheads(sizes)
    print_garbage(sizes[-1])
    print_memory(min(sizes[-1], 100_000))
    if chosen.prefect:
        print_prefect()


if __name__ == "__main__":
    main()
