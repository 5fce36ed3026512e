"""Which graphs are refused, with which words, and the order the others get."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mlops_core.dag
from mlops_core.dag import PipelineDAG, Task
from mlops_core.errors import GraphError, NotFound

Edges = dict[str, tuple[str, ...]]


def nothing(context: dict[str, Any]) -> None:
    """A task that does nothing."""


def dag_of(edges: Edges) -> PipelineDAG:
    """A DAG from `{name: upstream}`."""
    return PipelineDAG([Task(name, nothing, upstream) for name, upstream in edges.items()])


@st.composite
def acyclic(draw: st.DrawFn) -> Edges:
    """Up to twelve tasks whose names say nothing about their order, given in any order."""
    names = draw(st.lists(st.text(min_size=1, max_size=3), unique=True, max_size=12))
    edges = {
        name: tuple(draw(st.lists(st.sampled_from(names[:index]), max_size=4))) if index else ()
        for index, name in enumerate(names)
    }
    return {name: edges[name] for name in draw(st.permutations(names))}


def order_by_recursion(edges: Edges) -> list[str]:
    """The specification, said the simple way."""
    order: list[str] = []

    def visit(name: str) -> None:
        if name not in order:
            for above in edges[name]:
                visit(above)
            order.append(name)

    for name in sorted(edges):
        visit(name)
    return order


@given(acyclic())
def test_the_order_is_depth_first_from_the_sorted_names(edges: Edges) -> None:
    """The loop with its own stack gives what the recursion gives."""
    assert dag_of(edges).topological_order() == order_by_recursion(edges)


@given(acyclic(), st.randoms())
def test_the_order_does_not_depend_on_how_the_tasks_were_given(edges: Edges, random: Any) -> None:
    """The same definitions, shuffled, have the same order."""
    names = list(edges)
    random.shuffle(names)
    assert (
        dag_of({name: edges[name] for name in names}).topological_order() == dag_of(edges).topological_order()
    )


@given(acyclic())
def test_descendants_are_all_that_is_reached(edges: Edges) -> None:
    """Against the closure of the children, computed until nothing is added."""
    dag = dag_of(edges)
    for name in edges:
        reached = {name}
        while more := {below for below in edges if reached & set(edges[below])} - reached:
            reached |= more
        expected = [other for other in dag.topological_order() if other in reached - {name}]
        assert list(dag.descendants(name)) == expected


def test_a_chain_far_longer_than_the_recursion_limit_is_ordered() -> None:
    """The chain is given from its last task, so all of it is on the stack at once."""
    count = 50_000
    edges: Edges = {f"t{i:06}": (f"t{i + 1:06}",) for i in range(count - 1)} | {f"t{count - 1:06}": ()}
    assert dag_of(edges).topological_order() == sorted(edges, reverse=True)


def test_duplicate_names_are_refused_and_named() -> None:
    """All of them, each once."""
    tasks = [Task(name, nothing) for name in ("a", "b", "a", "c", "b", "a")]
    with pytest.raises(ValueError, match=re.escape("duplicate task names: 'a', 'b'")):
        PipelineDAG(tasks)


def test_unknown_dependencies_are_refused_with_who_wants_them() -> None:
    """All of them, each with all that want it."""
    with pytest.raises(GraphError) as caught:
        dag_of({"a": ("x",), "b": ("a", "x", "y")})
    assert "unknown dependency 'x', wanted by 'a', 'b'" in str(caught.value)
    assert "unknown dependency 'y', wanted by 'b'" in str(caught.value)


def test_all_kinds_of_problems_are_told_at_once() -> None:
    """A caller mends the whole graph in one go."""
    tasks = [
        Task("a", nothing),
        Task("a", nothing),
        Task("b", nothing, ("z",)),
        Task("execution_order", nothing),
    ]
    with pytest.raises(GraphError, match=r"duplicate .*'a'.*'z', wanted by 'b'.*'execution_order' is kept"):
        PipelineDAG(tasks)


@pytest.mark.parametrize(
    ("edges", "path"),
    [
        ({"a": ("a",)}, "a -> a"),
        ({"b": ("a",), "a": ("b",)}, "a -> b -> a"),
        ({"a": ("c",), "b": ("a",), "c": ("b",)}, "a -> b -> c -> a"),
        ({"first": (), "z": ("y", "first"), "y": ("x",), "x": ("z",)}, "x -> y -> z -> x"),
    ],
)
def test_a_cycle_is_refused_with_its_path(edges: Edges, path: str) -> None:
    """In the direction of the data, beginning with the smallest name, without what only leads to it."""
    with pytest.raises(ValueError, match=re.escape(f": {path};")):
        dag_of(edges)


@given(acyclic().filter(lambda edges: len(edges) > 1), st.data())
def test_closing_any_path_makes_a_cycle_whose_every_arrow_is_a_dependency(
    edges: Edges, data: st.DataObject
) -> None:
    """Whatever else the graph holds, the printed path is a real one."""
    dag = dag_of(edges)
    below = data.draw(st.sampled_from(sorted(edges)))
    above = data.draw(st.sampled_from([below, *dag.descendants(below)]))
    renamed = {name: f"n{index}" for index, name in enumerate(edges)}
    closed = {renamed[name]: tuple(renamed[other] for other in upstream) for name, upstream in edges.items()}
    closed[renamed[below]] += (renamed[above],)
    with pytest.raises(GraphError) as caught:
        dag_of(closed)
    path = str(caught.value).split(": ")[1].split(";")[0].split(" -> ")
    assert path[0] == path[-1]
    assert all(before in closed[after] for before, after in pairwise(path))


def test_a_refusal_stays_readable_with_very_many_offenders() -> None:
    """A cycle, duplicates and unknown names by the thousand do not make a message of a megabyte."""
    count = 5000
    ring: Edges = {f"t{i:04}": (f"t{(i - 1) % count:04}",) for i in range(count)}
    lost: Edges = {f"t{i:04}": (f"x{i}",) for i in range(count)}
    for edges, left_out in ((ring, "(4,900 more)"), (lost, "and 4,900 more unknown dependencies")):
        with pytest.raises(GraphError, match=re.escape(left_out)) as caught:
            dag_of(edges)
        assert len(str(caught.value)) < 10_000


def test_something_that_is_not_a_task_is_refused_by_its_position() -> None:
    """Such as a function handed over without its Task."""
    with pytest.raises(GraphError, match="number 2 is a function"):
        PipelineDAG([Task("a", nothing), nothing])  # type: ignore[list-item] # the mistake itself


def test_a_dependency_named_twice_counts_once() -> None:
    """It is harmless, in order and in parallel."""
    dag = dag_of({"a": (), "b": ("a", "a")})
    assert dag.execute(max_workers=2)["execution_order"] == ["a", "b"]


def test_a_dag_is_read_like_a_collection_of_its_tasks() -> None:
    """Iteration is in topological order; `in` takes names and tasks; `tasks` is in the order given."""
    dag = dag_of({"z": ("b",), "b": (), "a": ("z",)})
    assert [task.name for task in dag] == ["b", "z", "a"]
    assert all(task in dag and task.name in dag for task in dag)
    assert "x" not in dag
    assert Task("b", nothing, ("z",)) not in dag
    assert len(dag) == 3
    assert list(dag.tasks) == ["z", "b", "a"]
    assert dag["z"] is dag.tasks["z"]
    assert dag.upstream("z") == ("b",)


def test_an_unknown_task_is_told_with_the_known_ones() -> None:
    """By every way of asking."""
    dag = dag_of({"a": ()})
    for ask in (dag.__getitem__, dag.upstream, dag.descendants):
        with pytest.raises(NotFound, match=re.escape("no task 'x'; there are 'a'")):
            ask("x")


def test_the_tasks_of_a_dag_cannot_be_changed_from_outside() -> None:
    """Neither by the mapping nor by the list it hands out."""
    dag = dag_of({"a": ()})
    with pytest.raises(TypeError):
        dag.tasks["b"] = Task("b", nothing)  # type: ignore[index] # must fail
    dag.topological_order().append("b")
    assert dag.topological_order() == ["a"]


def test_the_public_names_exist() -> None:
    """`__all__` is sorted and every name in it can be imported."""
    assert list(mlops_core.dag.__all__) == sorted(mlops_core.dag.__all__)
    assert all(hasattr(mlops_core.dag, name) for name in mlops_core.dag.__all__)


def test_a_task_is_exchanged_for_another_of_its_name_and_others_are_added() -> None:
    """In another pipeline, with the same base context; this one stays as it was."""
    dag = PipelineDAG([Task("a", lambda _: 1), Task("b", nothing, ("a",))], base_context={"seen": 0})
    other = dag.with_tasks(Task("a", lambda _: 2), Task("c", nothing, ("b",)))
    assert other.topological_order() == ["a", "b", "c"]
    assert (other.execute()["a"], dag.execute()["a"], other.base_context) == (2, 1, {"seen": 0})
    assert dag.topological_order() == ["a", "b"]


def test_exchanged_tasks_are_refused_as_in_any_pipeline() -> None:
    """Unknown dependencies, cycles, two of one name."""
    dag = dag_of({"a": (), "b": ("a",)})
    for tasks in (
        [Task("b", nothing, ("gone",))],
        [Task("a", nothing, ("b",))],
        [Task("c", nothing), Task("c", nothing)],
    ):
        with pytest.raises(GraphError):
            dag.with_tasks(*tasks)
