"""Pipelines side by side: each as it would be alone, whatever the names."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_core.dag import PipelineDAG, Task, part_of, side_by_side
from mlops_core.errors import GraphError

NAMES = st.text("ab.", min_size=1, max_size=4)


class Adds:
    """A task's function that can be pickled: a number of its own, what came before and what is given."""

    def __init__(self, number: int, upstream: tuple[str, ...], wants: tuple[str, ...]) -> None:
        self.number, self.found = number, (*upstream, *wants)

    def __call__(self, context: dict[str, Any]) -> tuple[Any, ...]:
        return (self.number, *(context[name] for name in self.found))


@st.composite
def pipelines(draw: st.DrawFn) -> PipelineDAG:
    """Up to five tasks that count on each other's results, and on values of the pipeline's own context."""
    names = draw(st.lists(NAMES, unique=True, max_size=5))
    values = draw(st.dictionaries(NAMES.filter(lambda name: name not in names), st.integers(), max_size=2))
    tasks = []
    for index, name in enumerate(names):
        upstream = draw(st.sets(st.sampled_from(names[:index]), max_size=2)) if index else set()
        tasks.append(Task(name, Adds(index, (*upstream,), (*values,)), (*upstream,)))
    return PipelineDAG(tasks, base_context=values)


@given(given=st.dictionaries(NAMES, pipelines(), max_size=4))
def test_each_gives_what_it_gives_alone(given: dict[str, PipelineDAG]) -> None:
    """Or is refused, where a name could be read in two ways; and so does a copy that was pickled."""
    try:
        together = side_by_side(given)
    except GraphError:
        assert any("." in name for dag in given.values() for name in (*given, *dag.tasks, *dag.base_context))
        return
    for one in (together, pickle.loads(pickle.dumps(together))):  # noqa: S301 - our own, made here
        context = one.execute()
        for name, dag in given.items():
            alone = dag.execute()
            assert part_of(name, context) == {task: alone[task] for task in dag.tasks}


def test_all_begin_after_what_is_shared_and_find_its_result() -> None:
    dag = side_by_side(
        {name: PipelineDAG([Task("x", Adds(1, (), ("events",)))]) for name in ("a", "b")},
        shared=[Task("events", lambda _: "e")],
    )
    assert dag.upstream("a.x") == dag.upstream("b.x") == ("events",)
    assert part_of("b", dag.execute()) == {"x": (1, "e")}


def test_a_pipeline_that_fails_leaves_the_others_alone() -> None:
    def fails(_: object) -> None:
        raise ValueError

    dag = side_by_side({"a": PipelineDAG([Task("x", fails)]), "b": PipelineDAG([Task("x", lambda _: 1)])})
    context: dict[str, Any] = {}
    assert not dag.run(context, max_workers=2).ok
    assert (part_of("a", context), part_of("b", context)) == ({}, {"x": 1})


ONE = PipelineDAG([Task("x", lambda _: 1)])


@pytest.mark.parametrize(
    ("given", "shared", "said"),
    [
        ({"a": ONE}, "a.x", "'a.x' would be taken for a task 'x' of the pipeline 'a'"),
        ({"a": ONE, "a.b": ONE}, "s", "'a.b' would be taken for a task 'b' of the pipeline 'a'"),
        ({"a": PipelineDAG([], base_context={"s": 1})}, "s", "a value 's' in its context"),
        ({"a": PipelineDAG([], base_context={"b.x": 1}), "b": ONE}, "s", "a value 'b.x' in its context"),
    ],
    ids=["shared", "nested", "value as a shared task", "value as another's task"],
)
def test_a_name_that_could_be_read_in_two_ways_is_refused(
    given: dict[str, PipelineDAG], shared: str, said: str
) -> None:
    with pytest.raises(GraphError, match=said):
        side_by_side(given, shared=[Task(shared, lambda _: 0)])


def test_two_tasks_of_one_name_are_refused() -> None:
    with pytest.raises(GraphError, match="duplicate task names: 's'"):
        side_by_side({"a": ONE}, shared=[Task("s", lambda _: 0), Task("s", lambda _: 1)])


def test_a_task_s_context_is_used_as_a_dict_is() -> None:
    """Read, asked, counted, copied, written and cleared, with what is written staying its own."""
    seen: dict[str, Any] = {}

    def looks(context: dict[str, Any]) -> int:
        context["note"] = "mine"
        seen.update(copy=context.copy(), length=len(context), default=context.get("nothing", 0))
        seen["in"] = ("first" in context, "given" in context, "nothing" in context)
        with pytest.raises(KeyError, match="nothing"):
            context["nothing"]
        context["gone"] = 1
        del context["gone"]
        return 2

    alone = PipelineDAG(
        [Task("first", lambda _: 1), Task("then", looks, ("first",))], base_context={"own": 3}
    )
    context = side_by_side({"a": alone}).execute({"given": 4})
    assert {"first": 1, "note": "mine", "own": 3, "given": 4}.items() <= seen["copy"].items()
    assert seen["length"] == len(seen["copy"])
    assert (seen["default"], seen["in"]) == (0, (True, True, False))
    assert part_of("a", context) == {"first": 1, "note": "mine", "then": 2}
