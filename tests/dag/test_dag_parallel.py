"""What runs at the same time, in which threads, and what those see."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import Any

import pytest

from mlops_core.dag import PipelineDAG, RetryPolicy, Task
from mlops_core.errors import Unavailable

Context = dict[str, Any]


def test_independent_tasks_run_at_the_same_time() -> None:
    """Three tasks that each wait for the other two can only finish together."""
    barrier = threading.Barrier(3)
    dag = PipelineDAG([Task(name, lambda _: barrier.wait(30)) for name in "abc"])
    assert dag.run({}, max_workers=3).ok


@pytest.mark.parametrize("workers", [2, 3])
def test_all_workers_are_used_and_never_more(workers: int) -> None:
    """The barrier opens only for as many tasks as there are workers, and they count themselves."""
    barrier = threading.Barrier(workers)
    lock = threading.Lock()
    running = [0]
    most = [0]

    def run(_context: Context) -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        barrier.wait(30)
        with lock:
            running[0] -= 1

    dag = PipelineDAG([Task(f"t{index}", run) for index in range(4 * workers)])
    assert dag.run({}, max_workers=workers).ok
    assert most[0] == workers


def test_one_at_a_time_needs_no_thread() -> None:
    """Every task runs in the calling thread, and there is no other one more than before."""
    before = threading.active_count()
    found: list[tuple[bool, int]] = []

    def look(_context: Context) -> None:
        found.append((threading.current_thread() is threading.main_thread(), threading.active_count()))

    PipelineDAG([Task("a", look), Task("b", look)]).execute()
    assert found == [(True, before)] * 2


def test_a_parallel_run_leaves_no_thread_behind() -> None:
    """Its workers have ended when it returns."""
    before = threading.active_count()
    PipelineDAG([Task(name, lambda _: 1) for name in "abcdef"]).execute(max_workers=3)
    assert threading.active_count() == before


@pytest.mark.parametrize(("workers", "timeout"), [(2, None), (1, 30.0), (2, 30.0)])
def test_context_variables_hold_in_threads(workers: int, timeout: float | None) -> None:
    """A task sees the caller's, and not what another task made of them."""
    variable: ContextVar[str] = ContextVar("variable", default="unset")
    variable.set("the caller's")

    def change(_context: Context) -> str:
        found = variable.get()
        variable.set("changed")
        return found

    dag = PipelineDAG(
        [Task("a", change, timeout_seconds=timeout), Task("b", change, ("a",), timeout_seconds=timeout)]
    )
    context = dag.execute(max_workers=workers)
    assert (context["a"], context["b"]) == ("the caller's", "the caller's")


def test_after_an_interruption_waiting_retries_do_not_go_on() -> None:
    """A worker between two attempts makes no further one, though others had been handed out."""
    attempts: list[int] = []
    waiting = threading.Event()

    def unavailable(_context: Context) -> None:
        attempts.append(1)
        waiting.set()
        raise Unavailable("busy")

    def interrupt(_context: Context) -> None:
        waiting.wait(30)
        raise KeyboardInterrupt

    before = set(threading.enumerate())
    policy = RetryPolicy(attempts=1000, delay_seconds=600, max_delay_seconds=600)
    dag = PipelineDAG([Task("a", unavailable, retry=policy), Task("b", interrupt)])
    with pytest.raises(KeyboardInterrupt):
        dag.execute(max_workers=2)
    for thread in set(threading.enumerate()) - before:
        thread.join(30)
        assert not thread.is_alive()
    assert len(attempts) == 1
