"""Retries and time-outs, in the calling thread and in workers."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from mlops_core.dag import PipelineDAG, RetryPolicy, RunFailed, RunTimedOut, Task, TaskState
from mlops_core.errors import DataError, TaskTimedOut, Unavailable

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


def fail_first(times: int, error: Exception) -> Callable[[Context], int]:
    """A task's function that raises at its first calls and then returns their number."""
    calls: list[int] = []

    def run(_context: Context) -> int:
        calls.append(1)
        if len(calls) <= times:
            raise error
        return len(calls)

    return run


@WORKERS
def test_a_task_is_attempted_again_as_its_policy_says(workers: int) -> None:
    """Two errors that may pass, and the third attempt's result counts."""
    policy = RetryPolicy(attempts=3, delay_seconds=0)
    context: Context = {}
    dag = PipelineDAG([Task("a", fail_first(2, Unavailable("locked")), retry=policy)])
    report = dag.run(context, max_workers=workers)
    assert context["a"] == 3
    assert report.tasks[0].attempts == 3
    assert report.tasks[0].state is TaskState.FINISHED


@WORKERS
def test_when_attempts_run_out_the_last_error_counts(workers: int) -> None:
    """The note says which attempt it was."""
    error = Unavailable("locked")
    dag = PipelineDAG([Task("a", fail_first(9, error), retry=RetryPolicy(attempts=3, delay_seconds=0))])
    report = dag.run({}, max_workers=workers)
    assert report.errors == {"a": error}
    assert report.tasks[0].attempts == 3
    assert error.__notes__ == ["in task 'a', attempt 3"]


@WORKERS
def test_bad_input_is_not_attempted_again(workers: int) -> None:
    """Not even under a policy that retries everything."""
    policy = RetryPolicy(attempts=3, delay_seconds=0, retry_on=(Exception,))
    dag = PipelineDAG([Task("a", fail_first(1, DataError("wrong")), retry=policy)])
    assert dag.run({}, max_workers=workers).tasks[0].attempts == 1


@WORKERS
def test_an_attempt_that_takes_too_long_is_given_up(workers: int) -> None:
    """What it returns in the end does not come into the context, and it is not retried unasked."""
    release = threading.Event()

    def slow(_context: Context) -> str:
        release.wait(30)
        return "too late"

    policy = RetryPolicy(attempts=3, delay_seconds=0)
    dag = PipelineDAG([Task("slow", slow, timeout_seconds=0.01, retry=policy), Task("next", slow, ("slow",))])
    context: Context = {}
    with pytest.raises(TaskTimedOut, match=r"'slow' took longer than its time-out of 0\.01 s") as caught:
        dag.execute(context, max_workers=workers)
    release.set()
    assert isinstance(caught.value, RunTimedOut)
    assert caught.value.report.tasks[0].attempts == 1
    assert caught.value.report.skipped == ("next",)
    assert "slow" not in context


@WORKERS
def test_a_time_out_is_retried_when_the_policy_names_it(workers: int) -> None:
    """Each attempt has the whole time to itself."""
    release = threading.Event()
    calls: list[int] = []

    def slow_once(_context: Context) -> str:
        calls.append(1)
        if len(calls) == 1:
            release.wait(30)
        return "done"

    policy = RetryPolicy(attempts=2, delay_seconds=0, retry_on=(TaskTimedOut,))
    dag = PipelineDAG([Task("a", slow_once, timeout_seconds=1, retry=policy)])
    assert dag.execute(max_workers=workers)["a"] == "done"
    release.set()
    assert len(calls) == 2


@WORKERS
def test_a_task_within_its_time_out_behaves_as_any_other(workers: int) -> None:
    """Its result is stored, its error is its own, and an interruption passes through."""
    dag = PipelineDAG([Task("a", lambda _: 1, timeout_seconds=30)])
    assert dag.execute(max_workers=workers)["a"] == 1
    error = OSError("own")
    dag = PipelineDAG([Task("a", fail_with(error), timeout_seconds=30)])
    assert dag.run({}, max_workers=workers).errors == {"a": error}
    dag = PipelineDAG([Task("a", fail_with(SystemExit(3)), timeout_seconds=30)])
    with pytest.raises(SystemExit):
        dag.execute(max_workers=workers)


def test_the_time_out_of_a_run_inside_a_task_is_that_tasks_failure() -> None:
    """The outer task did not take too long itself."""
    release = threading.Event()
    inner = PipelineDAG([Task("a", lambda _: release.wait(30), timeout_seconds=0.01)])
    with pytest.raises(RunFailed) as caught:
        PipelineDAG([Task("a", lambda _: inner.execute())]).execute()
    release.set()
    assert not isinstance(caught.value, TaskTimedOut)
    assert isinstance(caught.value.__cause__, RunTimedOut)
