"""The ways that need no orchestrator: in one process, in one from a file, and a process for each stage."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from benchmarks.parity.exports import exported
from benchmarks.parity.processes import script, to_end
from benchmarks.parity.result import Ran
from mlops_core.commands.task_attempt import EXIT_RETRY
from mlops_core.summary import EXIT_REJECTED

if TYPE_CHECKING:
    from benchmarks.parity.result import State
    from benchmarks.parity.way import Job

__all__ = ["FromFile", "InProcess", "TaskChain"]

_PROGRESS = re.compile(r"^(\S+): (finished|failed|skipped) in [\d.]+ s$", re.MULTILINE)


class InProcess:
    """`mlops run`: all stages in one process, by the runner of `mlops_core.dag`."""

    name = "in process"

    def run(self, job: Job) -> Ran:
        """Run it; the states are those that the runner reports as it goes on."""
        return self._run(job, ["run", job.subject.use_case])

    def _run(self, job: Job, words: list[str]) -> Ran:
        done = to_end([script("mlops"), *words, *job.options], job.variables, job.folder)
        states = {task: cast("State", state) for task, state in _PROGRESS.findall(done.errors)}
        return Ran(states, done.code, done.seconds, done.said + done.errors)


class FromFile(InProcess):
    """`mlops run --from`: the same, with the pipeline read from the YAML that was exported."""

    name = "from YAML"

    def run(self, job: Job) -> Ran:
        """Export it, and run what was written."""
        into = job.home.parent / f"{job.subject.key}-yaml"
        file = exported(job.subject, "yaml", into, f"{job.subject.name}.yaml")
        return self._run(job, ["run", "--from", str(file)])


class TaskChain:
    """`mlops task run` for one task after another, as a person or a shell script would."""

    name = "a process a stage"

    def run(self, job: Job) -> Ran:
        """Run every task whose upstream finished; one that wants another attempt gets it."""
        states: dict[str, State] = {}
        seconds, code, said = 0.0, 0, ""
        for task in job.subject.dag():
            if any(states[name] != "finished" for name in task.upstream):
                states[task.name] = "skipped"
                continue
            words = ["task", "run", job.subject.use_case, task.name, "--run", str(job.folder / "run")]
            told = [] if task.upstream else job.options
            for _ in range(task.retry.attempts):
                done = to_end([script("mlops"), *words, *told], job.variables, job.folder)
                seconds, said = seconds + done.seconds, said + done.said + done.errors
                if done.code != EXIT_RETRY:
                    break
            states[task.name] = "finished" if done.code in (0, EXIT_REJECTED) else "failed"
            code = code or done.code
        return Ran(states, code, seconds, said)
