"""Several pipelines as one, side by side: each keeps its own results, and none waits for another."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlops_core.dag.graph import PipelineDAG
from mlops_core.errors import GraphError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from mlops_core.dag.task import Context, Task

__all__ = ["part_of", "side_by_side"]


def side_by_side(pipelines: Mapping[str, PipelineDAG], *, shared: Iterable[Task] = ()) -> PipelineDAG:
    """One pipeline of all, in which each task is called `<name>.<task>` after the name of its own.

    A task finds what it would find alone: results of its own pipeline by their plain names, which are the
    only ones that it may count on. `shared` are tasks that each of the pipelines begins after; its first
    tasks find their results.

    Raises `GraphError` where two tasks would be called the same, or one be taken for what another pipeline
    calls so: a name that begins with another pipeline's name and a dot, a value that is called as a task is.
    """
    first = tuple(shared)
    before = tuple(task.name for task in first)
    _check(pipelines, before)
    named = [
        replace(
            task,
            name=f"{name}.{task.name}",
            run=_Apart(name, task.run, dag.base_context),
            upstream=tuple(f"{name}.{one}" for one in task.upstream) or before,
        )
        for name, dag in pipelines.items()
        for task in dag
    ]
    return PipelineDAG([*first, *named])


def part_of(name: str, context: Mapping[str, Any]) -> Context:
    """The results of one of the pipelines by their plain names."""
    start = f"{name}."
    return {key.removeprefix(start): value for key, value in context.items() if key.startswith(start)}


def _check(pipelines: Mapping[str, PipelineDAG], shared: Iterable[str]) -> None:
    for name in (*pipelines, *shared):
        parts = name.split(".")
        for taken in (".".join(parts[:count]) for count in range(1, len(parts))):
            if taken in pipelines:
                task = name.removeprefix(f"{taken}.")
                raise GraphError(
                    f"{name!r} would be taken for a task {task!r} of the pipeline {taken!r}: "
                    "name it without a dot"
                )
    names = {f"{name}.{task.name}" for name, dag in pipelines.items() for task in dag} | {*shared}
    for name, dag in pipelines.items():
        clash = sorted(names & dag.base_context.keys())
        if clash:
            raise GraphError(
                f"pipeline {name!r} has a value {clash[0]!r} in its context, and there is a task of that "
                "name: name one of them otherwise"
            )


@dataclass(frozen=True)
class _Apart:
    """A task's function that is given the context as its own pipeline would have it. It can be pickled."""

    name: str
    run: Callable[[Context], Any]
    base: Context

    def __call__(self, context: Context) -> Any:
        return self.run(_View(self.name, self.base, context))  # type: ignore[arg-type]  # acts as that dict


class _View(MutableMapping[str, Any]):
    """The context of all, read and written as that of one: no copy, so many tasks cost nothing."""

    def __init__(self, name: str, base: Context, all_of_them: Context) -> None:
        self._start, self._base, self._all = f"{name}.", base, all_of_them

    def __getitem__(self, key: str) -> Any:
        own = self._start + key
        if own in self._all:
            return self._all[own]
        return self._all[key] if key in self._all else self._base[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._all[self._start + key] = value

    def __delitem__(self, key: str) -> None:
        del self._all[self._start + key]

    def __iter__(self) -> Iterator[str]:
        own = (key.removeprefix(self._start) for key in self._all if key.startswith(self._start))
        return iter({**dict.fromkeys(own), **dict.fromkeys(self._all), **self._base})

    def __len__(self) -> int:
        return len(list(iter(self)))

    def copy(self) -> Context:
        """What is in it now, as a dict."""
        return dict(self)
