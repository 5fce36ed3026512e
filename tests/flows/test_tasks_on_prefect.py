"""A DAG on Prefect: each task a task run, the same results, the tasks' own retry policy, and failures."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.runners import Threads
from flows.tasks import _prefect_task
from mlops_core.adapters.ledger.sqlite import SQLiteLedger
from mlops_core.adapters.online_store import sqlite_file
from mlops_core.adapters.online_store.sqlite import SQLiteOnlineStore
from mlops_core.dag import PipelineDAG, RetryPolicy, Task
from mlops_core.domain.inputs import Inputs
from mlops_core.domain.value import Value
from mlops_core.errors import BadInput, DataError, TaskTimedOut, Unavailable
from mlops_core.workspace import Workspace
from tests.ledger.drafts import promoted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_core.dag import Context
    from tests.flows.conftest import Ran

AT_ONCE = RetryPolicy(attempts=3, delay_seconds=0)

pytestmark = pytest.mark.live


class Fails:
    """A task's function that raises `error` at its first calls, and then returns their number."""

    def __init__(self, error: Exception, times: int = 1_000) -> None:
        self.error, self.times, self.called = error, times, list[float]()

    def __call__(self, _context: Context) -> int:
        self.called.append(time.monotonic())
        if len(self.called) <= self.times:
            raise self.error
        return len(self.called)


def diamond() -> PipelineDAG:
    """Four tasks that add up what came before, and the caller's `start`."""
    return PipelineDAG(
        [
            Task("first", lambda context: context["start"] + 1, tags=("data",), description="Adds one."),
            Task("left", lambda context: context["first"] * 2, ("first",), tags=("model", "fast")),
            Task("right", lambda context: context["first"] * 3, ("first",)),
            Task("last", lambda context: context["left"] + context["right"], ("left", "right")),
        ],
        base_context={"start": 1},
    )


def test_results_and_context_are_those_of_execute(walk: Callable[..., Ran]) -> None:
    """The caller's values, each result by its task's name, and the order."""
    assert walk(diamond()).result == diamond().execute()
    assert walk(diamond(), {"start": 5, "more": None}).result == diamond().execute({"start": 5, "more": None})


def test_the_api_knows_tasks_tags_and_dependencies(walk: Callable[..., Ran]) -> None:
    """Task runs carry the tasks' names and tags, and name those they waited for and took results from."""
    dag = diamond()
    runs = walk(dag).task_runs(len(dag))
    assert set(runs) == set(dag.topological_order())
    name_of = {run.id: name for name, run in runs.items()}
    for task in dag:
        run = runs[task.name]
        assert set(run.tags) == set(task.tags)
        assert run.state is not None
        assert run.state.is_completed()
        waited = [name_of[found.id] for found in run.task_inputs.get("wait_for", [])]  # type: ignore[union-attr]  # task runs, not constants
        taken = [name_of[found.id] for found in run.task_inputs["upstream"]]  # type: ignore[union-attr]  # ours are all task runs
        assert sorted(waited) == sorted(taken) == sorted(task.upstream)


def test_a_name_with_braces_is_no_template(walk: Callable[..., Ran]) -> None:
    """Prefect formats the names of task runs."""
    ran = walk(PipelineDAG([Task("{day} {}", lambda _: 1)]))
    assert ran.result["{day} {}"] == 1
    assert list(ran.task_runs(1)) == ["{day} {}"]


def test_what_an_engine_finds_busy_is_tried_again(walk: Callable[..., Ran]) -> None:
    """Unavailable twice, then the result: three attempts in all, one task run."""
    work = Fails(Unavailable("locked"), times=2)
    ran = walk(PipelineDAG([Task("busy", work, retry=AT_ONCE)]))
    assert ran.result["busy"] == 3
    run = ran.task_runs(1)["busy"]
    assert run.run_count == 3
    assert run.empirical_policy.retries == 2


def test_attempts_are_not_multiplied(walk: Callable[..., Ran]) -> None:
    """Only Prefect tries again: a task that stays unavailable is called as often as its policy says."""
    work = Fails(Unavailable("locked"))
    ran = walk(PipelineDAG([Task("busy", work, retry=AT_ONCE)]))
    assert ran.result is work.error
    assert len(work.called) == AT_ONCE.attempts


def test_it_waits_between_attempts_as_the_policy_says(walk: Callable[..., Ran]) -> None:
    """Longer each time."""
    work = Fails(Unavailable("locked"), times=2)
    policy = RetryPolicy(attempts=3, delay_seconds=0.2, backoff=2.0)
    walk(PipelineDAG([Task("busy", work, retry=policy)]))
    first, second, third = work.called
    assert second - first >= 0.2
    assert third - second >= 0.4


@pytest.mark.parametrize(
    ("error", "retry_on"),
    [
        (BadInput("no such column"), (Exception,)),
        (DataError("no such column"), (Unavailable,)),
        (RuntimeError("a bug"), (Unavailable,)),
    ],
    ids=["bad input, whatever is named", "bad data", "not named"],
)
def test_other_errors_are_not_tried_again(
    walk: Callable[..., Ran], error: Exception, retry_on: tuple[type[Exception], ...]
) -> None:
    """The same input gives the same answer."""
    work = Fails(error)
    policy = RetryPolicy(attempts=3, delay_seconds=0, retry_on=retry_on)
    ran = walk(PipelineDAG([Task("bad", work, retry=policy)]))
    assert ran.state.is_failed()
    assert ran.result is error
    assert len(work.called) == 1


def test_a_failure_stops_what_depends_on_it_and_nothing_else(walk: Callable[..., Ran]) -> None:
    """Descendants are NotReady, the rest has finished, and the error is raised."""
    error, called = DataError("row 7 has no key"), list[str]()

    def note(name: str) -> Callable[[Context], None]:
        return lambda _context: called.append(name)

    dag = PipelineDAG(
        [
            Task("apart", note("apart")),
            Task("bad", Fails(error)),
            Task("child", note("child"), ("bad", "apart")),
            Task("grandchild", note("grandchild"), ("child",)),
            Task("beside", note("beside"), ("apart",)),
        ]
    )
    ran = walk(dag)
    assert ran.state.is_failed()
    assert ran.result is error
    assert sorted(called) == ["apart", "beside"]
    assert {name: run.state_name for name, run in ran.task_runs(len(dag)).items()} == {
        "apart": "Completed",
        "bad": "Failed",
        "beside": "Completed",
        "child": "NotReady",
        "grandchild": "NotReady",
    }


def test_independent_tasks_run_at_the_same_time(walk: Callable[..., Ran]) -> None:
    """Two that wait for each other both end."""
    barrier = threading.Barrier(2, timeout=60)
    tasks = [Task(name, lambda _context: barrier.wait()) for name in ("one", "two")]
    context = walk(PipelineDAG(tasks)).result
    assert {context["one"], context["two"]} == {0, 1}


def test_a_task_that_waits_holds_no_thread(walk: Callable[..., Ran]) -> None:
    """Two threads run the two tasks that meet, though one that waits comes between them in the DAG."""
    barrier = threading.Barrier(2, timeout=30)
    dag = PipelineDAG(
        [
            Task("one", lambda _context: barrier.wait()),
            Task("one_after", lambda _context: None, ("one",)),
            Task("two", lambda _context: barrier.wait()),
        ]
    )
    assert dag.topological_order() == ["one", "one_after", "two"]
    ran = walk(dag, runner=Threads(max_workers=2))
    assert {ran.result["one"], ran.result["two"]} == {0, 1}


def test_what_is_first_in_the_dag_runs_first(walk: Callable[..., Ran]) -> None:
    """On one thread, the order is that of `execute`: a branch is done before the next begins."""
    called: list[str] = []

    def note(name: str) -> Callable[[Context], None]:
        return lambda _context: called.append(name)

    names = ("day", "day_end", "next", "next_end")
    tasks = [Task(name, note(name), (name.removesuffix("_end"),) if "_end" in name else ()) for name in names]
    dag = PipelineDAG(tasks)
    walk(dag, runner=Threads(max_workers=1))
    assert called == dag.topological_order() == list(names)


def test_a_task_that_takes_too_long_is_given_up(walk: Callable[..., Ran]) -> None:
    """Its run has failed, under the name that Prefect gives to time-outs, and in our words."""
    dag = PipelineDAG([Task("slow", lambda _context: time.sleep(0.6), timeout_seconds=0.1)])
    ran = walk(dag)
    assert ran.state.is_failed()
    assert ran.task_runs(1)["slow"].state_name == "TimedOut"
    assert isinstance(ran.result, TaskTimedOut)
    assert str(ran.result).startswith("task 'slow' took longer than its time-out of 0.1 s and was given up")


def test_what_a_task_was_making_when_its_time_was_over_is_never_seen(
    walk: Callable[..., Ran], tmp_path: Path
) -> None:
    """It is not attempted again, nothing is published, and the next run makes it from the beginning."""
    space = Workspace(tmp_path)
    work = Publishes(space)
    slow = Task("slow", work, timeout_seconds=0.1, retry=AT_ONCE)
    ran = walk(PipelineDAG([slow, Task("after", lambda context: context["slow"], ("slow",))]))
    assert {name: run.state_name for name, run in ran.task_runs(2).items()} == {
        "slow": "TimedOut",
        "after": "NotReady",
    }
    assert work.called == 1
    assert space.find(INPUTS, Made) is None
    assert walk(PipelineDAG([Task("slow", work)])).result["slow"] == Made(number=2)


INPUTS = Inputs(stage="slow", use_case="shop")


class Made(Value):
    """A receipt."""

    number: int


class Publishes:
    """A task's function that publishes what it makes, and counts how often it had to."""

    def __init__(self, space: Workspace) -> None:
        self.space, self.called, self.made = space, 0, 0

    def __call__(self, _context: Context) -> Made:
        self.called += 1
        return self.space.produce(INPUTS, Made, self._make)

    def _make(self, folder: Path) -> Made:
        self.made += 1
        (folder / "rows").write_text("all of them")
        time.sleep(0.6)
        return Made(number=self.made)


class Holder:
    """A process that keeps a SQLite file locked until it is told to let go."""

    SCRIPT = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
print("free", flush=True)
"""

    def __init__(self, file: Path) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - this very Python
            [sys.executable, "-c", self.SCRIPT, str(file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._said() == "locked"

    def let_go(self) -> None:
        """Free the file."""
        self.process.communicate("\n")

    def _said(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


def _in_ledger(home: Path) -> None:
    SQLiteLedger(home / "db", patience=0.1).append("churn", [promoted(1)], after=0)


def _in_store(home: Path) -> None:
    table = pa.table({"id": [1], "spent": [2.0]})
    SQLiteOnlineStore(home / "db").write("set", table, ["id"], datetime(2021, 6, 30, tzinfo=UTC))


@pytest.mark.parametrize("write", [_in_ledger, _in_store], ids=["ledger", "online store"])
def test_a_database_that_another_process_has_locked_is_tried_again(
    write: Callable[[Path], None], walk: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stage waits for its turn as its policy says, and is done when the other has gone."""
    monkeypatch.setattr(sqlite_file, "_BUSY_SECONDS", 0.1)  # not ten
    (tmp_path / "db").touch()
    holder, attempts = Holder(tmp_path / "db"), list[int]()

    def work(_context: Context) -> str:
        attempts.append(len(attempts))
        if len(attempts) == 3:
            holder.let_go()
        write(tmp_path)
        return "written"

    policy = RetryPolicy(attempts=4, delay_seconds=0.1, jitter=0.5)
    ran = walk(PipelineDAG([Task("stage", work, retry=policy)]))
    assert ran.result["stage"] == "written"
    run = ran.task_runs(1)["stage"]
    assert (len(attempts), run.run_count, run.state_name) == (3, 3, "Completed")


@given(
    attempts=st.integers(1, 80),
    delay=st.floats(0, 10),
    backoff=st.floats(1, 4),
    longest=st.floats(0, 60),
    jitter=st.floats(0, 1),
)
def test_waits_are_no_longer_than_the_policy_allows(
    attempts: int, delay: float, backoff: float, longest: float, jitter: float
) -> None:
    """As many as Prefect takes, each its delay or shorter by the jitter at most."""
    policy = RetryPolicy(attempts, delay, backoff, longest, jitter)
    waits = _prefect_task(Task("stage", lambda _context: None, retry=policy)).retry_delay_seconds
    assert isinstance(waits, list)
    assert len(waits) == min(attempts - 1, 50)
    for wait, most in zip(waits, policy.delays(), strict=False):
        assert most * (1 - jitter) - 1e-9 <= wait <= most
