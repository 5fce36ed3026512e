"""What a run tells: its report afterwards, and its hooks meanwhile."""

from __future__ import annotations

import json
import logging
import threading
from datetime import UTC, datetime
from typing import Any

import pytest

from mlops_core.dag import Hooks, PipelineDAG, RetryPolicy, RunReport, Task, TaskRun, TaskState
from mlops_core.errors import Unavailable

Context = dict[str, Any]
WORKERS = pytest.mark.parametrize("workers", [1, 3])


class Unspeakable(Exception):
    """An error whose text cannot be had."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def raising(error: Exception) -> Any:
    """A task's function that raises."""

    def run(_context: Context) -> None:
        raise error

    return run


def flaky_and_failing() -> PipelineDAG:
    """One task that needs a second attempt, one that fails, one that is skipped for it."""
    attempts: list[int] = []

    def flaky(_context: Context) -> str:
        attempts.append(1)
        if len(attempts) == 1:
            raise Unavailable("busy")
        return "ok"

    policy = RetryPolicy(attempts=2, delay_seconds=0)
    return PipelineDAG(
        [
            Task("flaky", flaky, retry=policy),
            Task("wrong", raising(OSError("gone")), ("flaky",)),
            Task("z", lambda _: 1, ("wrong",)),
        ]
    )


@WORKERS
def test_the_report_says_what_came_of_each_task(workers: int) -> None:
    """State, attempts and error of each, in topological order, and the names by state."""
    report = flaky_and_failing().run({}, max_workers=workers)
    assert [(task.name, task.state, task.attempts, task.error) for task in report.tasks] == [
        ("flaky", TaskState.FINISHED, 2, None),
        ("wrong", TaskState.FAILED, 1, "OSError: gone"),
        ("z", TaskState.SKIPPED, 0, None),
    ]
    assert (report.finished, report.failed, report.skipped) == (("flaky",), ("wrong",), ("z",))
    assert not report.ok


@WORKERS
def test_times_lie_within_the_run(workers: int) -> None:
    """Starts are in UTC and between the run's begin and end; only a skipped task has none."""
    before = datetime.now(UTC)
    report = flaky_and_failing().run({}, max_workers=workers)
    assert before <= report.started <= datetime.now(UTC)
    for task in report.tasks:
        if task.state is TaskState.SKIPPED:
            assert (task.started, task.seconds) == (None, 0)
        else:
            assert task.started is not None
            assert task.started >= report.started
            after_begin = (task.started - report.started).total_seconds()
            assert (
                0 <= after_begin + task.seconds <= report.seconds + 1e-6
            )  # started counts whole microseconds


def test_the_report_can_be_written_as_json() -> None:
    """And says the same when it is read again."""
    told = flaky_and_failing().run({}).as_dict()
    assert json.loads(json.dumps(told)) == told
    assert told["tasks"][1]["state"] == "failed"
    assert told["tasks"][2]["started"] is None


def test_errors_are_named_even_when_their_text_is_missing_or_huge() -> None:
    """A report never fails on, nor drowns in, the text of an error."""
    dag = PipelineDAG(
        [
            Task("a", raising(Unspeakable())),
            Task("b", raising(OSError("x" * 10**6))),
            Task("c", raising(OSError())),
        ]
    )
    texts = [task.error or "" for task in dag.run({}).tasks]
    assert texts[0] == "Unspeakable: (its text cannot be shown)"
    assert texts[1].startswith("OSError: xxx")
    assert len(texts[1]) == 2000
    assert texts[2] == "OSError"


def test_an_empty_run_is_a_good_one() -> None:
    """No task, no failure."""
    report = PipelineDAG([]).run({})
    assert (report.ok, report.tasks) == (True, ())
    assert isinstance(report, RunReport)


@WORKERS
def test_hooks_are_told_in_the_calling_thread(workers: int) -> None:
    """Start, retry and end of each task, with what came of it."""
    told: list[tuple[Any, ...]] = []
    threads: set[int] = set()

    def tell(*what: Any) -> None:
        told.append(what)
        threads.add(threading.get_ident())

    hooks = Hooks(
        on_start=lambda task: tell("start", task.name),
        on_retry=lambda task, attempt, error, delay: tell("retry", task.name, attempt, str(error), delay),
        on_finish=lambda run: tell("finish", run.name, run.state.value),
    )
    flaky_and_failing().run({}, max_workers=workers, hooks=hooks)
    assert told == [
        ("start", "flaky"),
        ("retry", "flaky", 1, "busy", 0.0),
        ("finish", "flaky", "finished"),
        ("start", "wrong"),
        ("finish", "wrong", "failed"),
        ("finish", "z", "skipped"),
    ]
    assert threads == {threading.get_ident()}


@WORKERS
def test_an_error_in_a_hook_is_logged_and_changes_nothing(
    workers: int, caplog: pytest.LogCaptureFixture
) -> None:
    """It is not taken for a failure of the task."""

    def broken(*_what: Any) -> None:
        raise OSError("no terminal")

    hooks = Hooks(on_start=broken, on_retry=broken, on_finish=broken)
    with caplog.at_level(logging.ERROR, logger="mlops_core.dag"):
        report = flaky_and_failing().run({}, max_workers=workers, hooks=hooks)
    assert (report.finished, report.failed, report.skipped) == (("flaky",), ("wrong",), ("z",))
    assert len(caplog.records) == 6
    assert "no terminal" in caplog.text


@WORKERS
def test_an_interruption_in_a_hook_ends_the_run(workers: int) -> None:
    """Ctrl-C may come while a hook is printing."""

    def interrupted(_run: TaskRun) -> None:
        raise KeyboardInterrupt

    context: Context = {}
    dag = PipelineDAG([Task("a", lambda _: 1), Task("b", lambda _: 2, ("a",))])
    with pytest.raises(KeyboardInterrupt):
        dag.run(context, max_workers=workers, hooks=Hooks(on_finish=interrupted))
    assert context == {"a": 1, "execution_order": ["a"]}
