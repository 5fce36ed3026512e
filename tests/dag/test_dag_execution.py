"""What a run does with context, results, failures and interruptions, one by one and in parallel."""

from __future__ import annotations

import pickle
import re
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_core.dag import PipelineDAG, RunFailed, Task
from mlops_core.errors import DataError, DefinitionError, TaskFailed

if TYPE_CHECKING:
    from collections.abc import Callable

Context = dict[str, Any]
Edges = dict[str, tuple[str, ...]]

WORKERS = pytest.mark.parametrize("workers", [1, 2, 5])


def fail_with(error: BaseException) -> Callable[[Context], None]:
    """A task's function that raises."""

    def run(_context: Context) -> None:
        raise error

    return run


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Edges, set[str]]:
    """Up to ten tasks, and those of them that fail."""
    names = [f"t{index}" for index in range(draw(st.integers(0, 10)))]
    edges = {
        name: tuple(draw(st.lists(st.sampled_from(names[:index]), max_size=4))) if index else ()
        for index, name in enumerate(names)
    }
    return edges, draw(st.sets(st.sampled_from(names), max_size=3)) if names else set()


@WORKERS
def test_results_are_stored_in_the_shared_context(workers: int) -> None:
    """Each under its task's name, with `execution_order`, in the very dict that was given."""
    dag = PipelineDAG(
        [
            Task("double", lambda context: context["seed"] * 2),
            Task("text", lambda context: f"{context['double']}!", ("double",)),
        ]
    )
    given_context: Context = {"seed": 21}
    returned = dag.execute(given_context, max_workers=workers)
    assert returned is given_context
    assert returned == {"seed": 21, "double": 42, "text": "42!", "execution_order": ["double", "text"]}


def test_an_empty_context_that_was_given_is_used() -> None:
    """An empty dict is a dict, and not a wish for the DAG's own context."""
    mine: Context = {}
    assert PipelineDAG([], base_context={"x": 1}).execute(mine) is mine
    assert mine == {"execution_order": []}


def test_the_dags_own_context_is_copied_for_every_run() -> None:
    """A run leaves nothing behind in the DAG, nor in the mapping the DAG was made from."""
    mine = {"seed": 1}
    dag = PipelineDAG([Task("a", lambda context: context["seed"])], base_context=mine)
    mine["seed"] = 2
    assert dag.execute() == dag.execute() == {"seed": 1, "a": 1, "execution_order": ["a"]}
    assert dag.base_context == {"seed": 1}


@given(graphs(), st.integers(1, 4))
def test_only_what_depends_on_a_failure_is_skipped(graph: tuple[Edges, set[str]], workers: int) -> None:
    """In any graph, however many run at a time, each task is finished, failed or skipped as it must be."""
    edges, failing = graph
    seen: list[str] = []

    def run_of(name: str) -> Callable[[Context], str]:
        def run(context: Context) -> str:
            assert all(context[above] == above for above in edges[name])
            if name in failing:
                raise OSError(name)
            seen.append(name)
            return name

        return run

    dag = PipelineDAG([Task(name, run_of(name), upstream) for name, upstream in edges.items()])
    context: Context = {}
    report = dag.run(context, max_workers=workers)

    expected: dict[str, str] = {}
    for name in dag.topological_order():
        above = {expected[other] for other in edges[name]}
        clear = above <= {"finished"}
        expected[name] = ("failed" if name in failing else "finished") if clear else "skipped"
    assert {task.name: task.state.value for task in report.tasks} == expected
    finished = [name for name in dag.topological_order() if expected[name] == "finished"]
    assert context == {"execution_order": finished, **{name: name for name in finished}}
    assert sorted(seen) == sorted(finished)
    assert report.ok == (not report.failed)


@WORKERS
def test_execute_raises_a_task_failure_after_all_else_has_run(workers: int) -> None:
    """It names the failed task and the skipped ones, and carries the cause and the report."""
    error = DataError("row 3 has no date")
    dag = PipelineDAG(
        [
            Task("ingest", fail_with(error)),
            Task("train", lambda _: 1, ("ingest",)),
            Task("register", lambda _: 1, ("train",)),
            Task("unrelated", lambda _: "done"),
        ]
    )
    context: Context = {}
    with pytest.raises(TaskFailed) as caught:
        dag.execute(context, max_workers=workers)
    said = "task 'ingest' failed: DataError: row 3 has no date; skipped: 'train', 'register'"
    assert str(caught.value) == said
    assert caught.value.task == "ingest"
    assert caught.value.__cause__ is error
    assert error.__notes__ == ["in task 'ingest', attempt 1"]
    assert isinstance(caught.value, RunFailed)
    assert caught.value.report.skipped == ("train", "register")
    assert context == {"unrelated": "done", "execution_order": ["unrelated"]}


@WORKERS
def test_several_failures_are_all_named(workers: int) -> None:
    """The cause is the first in topological order, whichever came first in time."""
    late = threading.Event()

    def first(_context: Context) -> None:
        if workers > 1:
            late.wait(30)
        raise OSError("one")

    def second(_context: Context) -> None:
        late.set()
        raise OSError("two")

    dag = PipelineDAG([Task("b", second), Task("a", first)])
    with pytest.raises(
        TaskFailed, match=re.escape("2 tasks failed: 'a', 'b'; the first with OSError: one")
    ) as caught:
        dag.execute(max_workers=workers)
    assert str(caught.value.__cause__) == "one"


@WORKERS
@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_an_interruption_ends_the_run_at_once(workers: int, stop: type[BaseException]) -> None:
    """It is raised as it is, no task begins after it, and what had finished is in the context."""
    begun: list[str] = []

    def note(_context: Context) -> str:
        begun.append("late")
        return "late"

    dag = PipelineDAG(
        [Task("a", lambda _: 1), Task("b", fail_with(stop()), ("a",)), Task("c", note, ("a", "b"))]
        + [Task(f"d{index}", note, ("c",)) for index in range(20)]
    )
    context: Context = {}
    with pytest.raises(stop):
        dag.execute(context, max_workers=workers)
    assert begun == []
    assert context == {"a": 1, "execution_order": ["a"]}


@pytest.mark.parametrize("workers", [0, -1, True, 1.5, None])
def test_a_number_of_workers_that_cannot_be_meant_is_refused(workers: Any) -> None:
    """Before anything runs."""
    context: Context = {}
    with pytest.raises(DefinitionError, match="max_workers must be a whole number from 1"):
        PipelineDAG([]).execute(context, max_workers=workers)
    assert context == {}


def test_a_context_that_is_no_dict_is_refused() -> None:
    """It is the caller's mistake, not the first task's failure."""
    with pytest.raises(DefinitionError, match="the context must be a dict, not list"):
        PipelineDAG([Task("a", lambda _: 1)]).execute([])  # type: ignore[arg-type] # the mistake


def test_a_run_failure_survives_pickling() -> None:
    """It crosses processes with its task, its report and its notes."""
    dag = PipelineDAG([Task("a", fail_with(OSError("gone"))), Task("b", lambda _: 1, ("a",))])
    with pytest.raises(RunFailed) as caught:
        dag.execute()
    caught.value.add_note("seen")
    copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own bytes
    assert (str(copy), copy.task, copy.__notes__) == (str(caught.value), "a", ["seen"])
    assert copy.report.as_dict() == caught.value.report.as_dict()
