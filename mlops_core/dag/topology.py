"""Checks that tasks form a graph without cycles, and puts them in an order in which they can run.

The order is the reverse of the depth-first finishing times, as in Tarjan (1976): start from the names in
sorted order, go down the dependencies in the order given, and write a task down once all it depends on
is written. It depends on the definitions alone, never on the order in which the tasks were handed over.
The stack is our own, so a chain may be longer than Python's recursion limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.dag.listing import listed
from mlops_core.dag.task import Task
from mlops_core.errors import GraphError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["EXECUTION_ORDER", "by_name", "in_order"]

EXECUTION_ORDER = "execution_order"
"""The key under which a run leaves the names of the finished tasks in the context."""

_SHOWN_OF_CYCLE = 100


def by_name(tasks: Iterable[Task]) -> dict[str, Task]:
    """The tasks by their names, in the order given.

    Raises `GraphError` with every duplicate name, every unknown dependency and who wants it, and a task
    that is called `execution_order`.
    """
    known: dict[str, Task] = {}
    duplicates: dict[str, None] = {}
    for position, task in enumerate(tasks):
        if not isinstance(task, Task):
            raise GraphError(
                f"PipelineDAG takes Task objects; number {position + 1} is a {type(task).__name__}"
            )
        if task.name in known:
            duplicates[task.name] = None
        known[task.name] = task
    problems = [f"duplicate task names: {listed(duplicates)}"] if duplicates else []
    problems += _unknown(known)
    if EXECUTION_ORDER in known:
        problems.append(f"{EXECUTION_ORDER!r} is kept for the list of what ran; name the task otherwise")
    if problems:
        raise GraphError("; ".join(problems))
    return known


def _unknown(known: Mapping[str, Task]) -> list[str]:
    wanted: dict[str, list[str]] = {}
    for task in known.values():
        for name in task.upstream:
            if name not in known:
                wanted.setdefault(name, []).append(task.name)
    told = [f"unknown dependency {name!r}, wanted by {listed(tasks, 5)}" for name, tasks in wanted.items()]
    if told:
        told[-1] += "; add the task or mend the name"
    return told if len(told) <= 100 else [*told[:100], f"and {len(told) - 100:,} more unknown dependencies"]


def in_order(tasks: Mapping[str, Task]) -> list[str]:
    """The names in topological order. Raises `GraphError` with the path of the first cycle met."""
    order: list[str] = []
    done: set[str] = set()
    for name in sorted(tasks):
        if name not in done:
            _visit(name, tasks, done, order)
    return order


def _visit(root: str, tasks: Mapping[str, Task], done: set[str], order: list[str]) -> None:
    path = [root]
    on_path = {root}
    left: list[Iterator[str]] = [iter(tasks[root].upstream)]
    while path:
        for name in left[-1]:
            if name in done:
                continue
            if name in on_path:
                raise GraphError(_cycle_text(path[path.index(name) :]))
            path.append(name)
            on_path.add(name)
            left.append(iter(tasks[name].upstream))
            break
        else:
            left.pop()
            finished = path.pop()
            on_path.remove(finished)
            done.add(finished)
            order.append(finished)


def _cycle_text(needs: list[str]) -> str:
    """`needs` goes from a task to what it depends on; the text goes the way the data would."""
    flow = needs[::-1]
    start = flow.index(min(flow))
    flow = [*flow[start:], *flow[:start]]
    shown = flow[:_SHOWN_OF_CYCLE]
    if len(flow) > len(shown):
        shown.append(f"({len(flow) - len(shown):,} more)")
    path = " -> ".join([*shown, flow[0]])
    return f"cycle, each task wanted by the next: {path}; take one of these dependencies away"
