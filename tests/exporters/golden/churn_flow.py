"""Pipeline churn for Prefect 3.8 and later, made by

    mlops export churn --to prefect

Change the use case and export again, not this file. Every task is a process of its own, `mlops task run`: a
worker needs prefect and `mlops` on its PATH, and nothing else. All tasks share the state folder that
MLOPS_HOME names, by default .mlops where the flow starts; workers on several machines need the same one. A
run's receipts and failures lie there in prefect/<id of the flow run>: tried again, it goes on from them.

    python churn_flow.py

runs it here and now, with the defaults of the flow's parameters; the entry in prefect.yaml makes it a
deployment.

What this file leaves to others, or Prefect does not do:
- Which errors are worth another attempt `mlops task run` decides, and says so by exit code 75.
- Progress, plots, tables of the gate's checks, notices, the schedule's name as who started a run, and the
  watch over lost runs are of the flows in the repository of mlops_core alone.
- A flow process that is killed outright (SIGKILL) leaves its tasks' processes to end by themselves.
"""

from __future__ import annotations

import json
import os
import random
import re
import shlex
import signal
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if __name__ == "__main__":  # Prefect gives the server that it then starts 20 s, which can be too few
    os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.futures import wait
from prefect.runtime import flow_run
from prefect.states import Completed, Failed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prefect import Task
    from prefect.client.schemas.objects import State, TaskRun
    from prefect.futures import PrefectFuture

USE_CASE = "churn"
AT_ONCE = 4  # processes at the same time
AGAIN, REJECTED = 75, 3  # exit codes of `mlops task run`: worth another attempt; done, but turned down
PATIENCE = 20  # seconds for a process to end by itself once it is told to


@dataclass(frozen=True)
class Retry:
    """How often a task is attempted, and how long the waits in between are, in seconds."""

    attempts: int = 1
    delay_seconds: float = 0.0
    backoff: float = 1.0
    max_delay_seconds: float = 0.0
    jitter: float = 0.0

    def waits(self) -> Iterator[float]:
        """The wait before each further attempt. Jitter shortens it, where Prefect's own would lengthen it."""
        delay = min(self.delay_seconds, self.max_delay_seconds)
        for _ in range(min(self.attempts - 1, 50)):  # Prefect takes no more, and repeats the last
            yield delay * (1 - self.jitter * random.random())  # noqa: S311 - no secret
            delay = min(delay * self.backoff, self.max_delay_seconds)


@dataclass(frozen=True)
class Stage:
    """A task: the command that runs it, and the tasks that it comes after."""

    name: str
    command: Sequence[str]
    after: Sequence[str] = ()
    retry: Retry = Retry()
    tags: Sequence[str] = ()
    description: str = ""


PIPELINE: list[Stage] = [
    Stage(
        name="feature_store",
        command=["mlops", "task", "run", "churn", "feature_store"],
        retry=Retry(attempts=4, delay_seconds=1.0, backoff=2.0, max_delay_seconds=60.0, jitter=0.2),
    ),
    Stage(
        name="training_set",
        command=["mlops", "task", "run", "churn", "training_set"],
        after=["feature_store"],
        retry=Retry(attempts=4, delay_seconds=1.0, backoff=2.0, max_delay_seconds=60.0, jitter=0.2),
    ),
    Stage(
        name="model_training.logistic",
        command=["mlops", "task", "run", "churn", "model_training.logistic"],
        after=["training_set"],
        retry=Retry(attempts=4, delay_seconds=1.0, backoff=2.0, max_delay_seconds=60.0, jitter=0.2),
    ),
    Stage(
        name="model_training.boosting",
        command=["mlops", "task", "run", "churn", "model_training.boosting"],
        after=["training_set"],
        retry=Retry(attempts=4, delay_seconds=1.0, backoff=2.0, max_delay_seconds=60.0, jitter=0.2),
    ),
    Stage(
        name="model_evaluation",
        command=["mlops", "task", "run", "churn", "model_evaluation"],
        after=["training_set", "model_training.logistic", "model_training.boosting"],
        retry=Retry(attempts=4, delay_seconds=1.0, backoff=2.0, max_delay_seconds=60.0, jitter=0.2),
    ),
    Stage(
        name="model_registry",
        command=["mlops", "task", "run", "churn", "model_registry"],
        after=["feature_store", "training_set", "model_evaluation"],
        retry=Retry(attempts=4, delay_seconds=1.0, backoff=2.0, max_delay_seconds=60.0, jitter=0.2),
    ),
    Stage(
        name="gate",
        command=["mlops", "task", "run", "churn", "gate"],
        after=["feature_store", "training_set", "model_evaluation", "model_registry"],
        retry=Retry(attempts=4, delay_seconds=1.0, backoff=2.0, max_delay_seconds=60.0, jitter=0.2),
    ),
    Stage(
        name="approval",
        command=["mlops", "task", "run", "churn", "approval"],
        after=["model_registry", "gate"],
        retry=Retry(attempts=4, delay_seconds=1.0, backoff=2.0, max_delay_seconds=60.0, jitter=0.2),
    ),
    Stage(
        name="feature_verification",
        command=["mlops", "task", "run", "churn", "feature_verification"],
        after=["feature_store"],
        retry=Retry(attempts=4, delay_seconds=1.0, backoff=2.0, max_delay_seconds=60.0, jitter=0.2),
    ),
    Stage(
        name="deployment",
        command=["mlops", "task", "run", "churn", "deployment"],
        after=["feature_verification", "model_registry", "gate", "approval"],
        retry=Retry(attempts=4, delay_seconds=1.0, backoff=2.0, max_delay_seconds=60.0, jitter=0.2),
    ),
]


@flow(name="churn")
def churn(
    data: str | None = None,
    as_of: date | None = None,
    floor: float | None = None,
    fail_on_rejection: bool = False,
    actor: str | None = None,
) -> Any:
    """Pipeline churn: 10 tasks, each in a process of its own.

    Args:
        data: Events: a Parquet or CSV file, a folder of them or a glob. Default: what the use case names.
        as_of: Last day the run may know of, like 1998-06-30; labels must have closed by then. Default: the
            day of the last event.
        floor: Floor of the gate's metric for this run. Default: the use case's.
        fail_on_rejection: End with exit code 3 (in Prefect: as failed) when the gate, or a person, says no.
        actor: Who runs this, for the ledger. Default: MLOPS_ACTOR, or the user of the process.
    """
    told: dict[str, Any] = {
        "data": data,
        "as_of": as_of,
        "floor": floor,
        "fail_on_rejection": fail_on_rejection,
        "actor": actor,
    }
    return _delivered(told)


class TaskFailed(RuntimeError):
    """A task's process failed. The message is its own last sentence."""


class WorthAnotherAttempt(TaskFailed):
    """The same, and the task's policy says that the next attempt may succeed."""


class Done(NamedTuple):
    """What a task's process left: its receipt, and whether that says no where the run asked to be told."""

    receipt: dict[str, Any]
    turned_down: bool


class Processes:
    """The processes of a flow run: so many at the same time, none once it is to stop."""

    def __init__(self) -> None:
        self._room = threading.BoundedSemaphore(AT_ONCE)
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._stopped = False

    def run(self, command: Sequence[str], log: Any) -> tuple[int, str, str]:
        """The exit code, what it printed, and the last line that it said, as all of them go to the log."""
        last = ""
        with self._room, tempfile.TemporaryFile("w+", encoding="utf-8") as printed:
            process = self._begun(command, printed)
            with process:
                for line in process.stderr or ():
                    log.info("%s", line.rstrip())
                    last = line.strip() or last
            with self._lock:
                self._running.discard(process)
            printed.seek(0)
            return process.returncode, printed.read(), last

    def stop(self) -> None:
        """End those that run, the hard way if they do not hear; no other begins."""
        with self._lock:
            self._stopped = True
            running = list(self._running)
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()

    def _begun(self, command: Sequence[str], printed: Any) -> subprocess.Popen[str]:
        with self._lock:
            if self._stopped:
                raise TaskFailed("not begun: the flow run was told to stop")
            try:
                process = subprocess.Popen(  # noqa: S603 - words as they are, no shell
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=printed,
                    stderr=subprocess.PIPE,
                    encoding="utf-8",
                    errors="replace",
                )
            except FileNotFoundError as error:
                raise TaskFailed(
                    f"{command[0]} is not on the PATH of this worker: install mlops-core where it runs"
                ) from error
            self._running.add(process)
            return process


def _again(task: object, run: TaskRun, state: State[Any]) -> bool:  # noqa: ARG001 - Prefect's signature
    return isinstance(state.result(raise_on_failure=False), WorthAnotherAttempt)


@task(cache_policy=NO_CACHE, retry_condition_fn=_again)
def _attempt(command: Sequence[str], processes: Processes) -> Done:
    code, printed, last = processes.run(command, get_run_logger())
    if code in (0, REJECTED):
        return Done(json.loads((printed.splitlines() or ["{}"])[-1]), code == REJECTED)
    sentence = last.removeprefix("mlops: ")
    if code < 0:
        sentence = f"{shlex.join(command)} was ended by {signal.Signals(-code).name}"
    elif not sentence:
        sentence = f"{shlex.join(command)} ended with exit code {code} and said nothing"
    raise (WorthAnotherAttempt if code == AGAIN else TaskFailed)(sentence)


def _prefect_task(stage: Stage) -> Task[..., Any]:
    return _attempt.with_options(
        name=stage.name,
        task_run_name=stage.name.replace("{", "{" * 2).replace("}", "}" * 2),  # Prefect formats it
        description=stage.description or None,
        tags=set(stage.tags),
        retries=stage.retry.attempts - 1,
        retry_delay_seconds=list(stage.retry.waits()),
    )


def _delivered(given: dict[str, Any]) -> Any:
    """Run every task, each after those before it; the state says how it ended."""
    folder = Path(os.environ.get("MLOPS_HOME") or ".mlops", "prefect", str(flow_run.id))
    told = {name: value for name, value in given.items() if value is not None}
    parameters = ["--parameters", json.dumps(told, default=str, ensure_ascii=False)] if told else []
    processes = Processes()
    futures: dict[str, PrefectFuture[Any]] = {}
    try:
        for stage in PIPELINE:
            command = [*stage.command, "--run", str(folder), "--json", *([] if stage.after else parameters)]
            futures[stage.name] = _prefect_task(stage).submit(
                command, processes, wait_for=[futures[name] for name in stage.after]
            )
        wait(list(futures.values()))
    except BaseException:  # cancelled, or the worker was told to end: its processes end too
        processes.stop()
        raise
    for future in futures.values():
        state = future.state
        if not state.is_completed() and not state.is_pending():  # those pending never began: NotReady
            error = state.result(raise_on_failure=False)
            return Failed(message=str(error), data=TaskFailed(str(error)))
    return _ending({name: future.result() for name, future in futures.items()}, folder)


def _ending(done: dict[str, Done], folder: Path) -> Any:
    """The verdict as the flow run's state, as its last task's receipt tells it."""
    receipt = done["deployment"].receipt if "deployment" in done else {}
    if "version" not in receipt:
        return Completed(message=f"{len(done)} tasks done")
    status, who = receipt["status"], f"{receipt['name']} version {receipt['version']}"
    match status:
        case "deployed":
            begun = _instant(json.loads((folder / "run.json").read_text(encoding="utf-8"))["begun_at"])
            new = _instant(receipt["released_at"]) >= begun
            return Completed(message=f"{who}: {'delivered' if new else 'already delivered'}")
        case "waiting":
            _show_question(folder)
            answer = f"answer with mlops approve {USE_CASE} {receipt['version']} --reason … (or reject)"
            return Completed(name="AwaitingApproval", message=f"{who}: awaiting approval: {answer}")
        case "held back":
            return Completed(name="HeldBack", message=f"{who}: held back: {receipt['why']}")
    message = f"{who}: {status}: {receipt['why'] or _reasons(done)}"
    if any(one.turned_down for one in done.values()):
        return Failed(name="Rejected", message=message, data=TaskFailed(message))
    return Completed(name="Rejected", message=message)


def _reasons(done: dict[str, Done]) -> str:
    checks = done["gate"].receipt["decision"]["checks"] if "gate" in done else []
    return "; ".join(check["sentence"] for check in checks if check["outcome"] == "failed")


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _show_question(folder: Path) -> None:
    """What the person is asked, with all that the answer rests on, as an artifact of the flow run."""
    command = ["mlops", "task", "question", USE_CASE, "--run", str(folder)]
    asked = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)  # noqa: S603 - no shell
    if asked.returncode == 0:
        question = json.loads(asked.stdout)
        key = re.sub(r"[^a-z0-9]+", "-", f"{question['name']}-question".lower()).strip("-")
        create_markdown_artifact(question["body"], key=key, description=question["subject"])


if __name__ == "__main__":
    churn()
