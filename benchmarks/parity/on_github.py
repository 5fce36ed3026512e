"""The exported GitHub workflow, its jobs run on this machine by `act`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks.parity.exports import exported
from benchmarks.parity.result import Ran
from tests.live.actions.act import run_workflow

if TYPE_CHECKING:
    from benchmarks.parity.result import State
    from benchmarks.parity.way import Job

__all__ = ["GitHub"]

_STATES: dict[str, State] = {"success": "finished", "failure": "failed", "skipped": "skipped"}


class GitHub:
    """The file of `mlops export --to github-actions`: each job is `mlops task run`, with all its attempts."""

    name = "exported GitHub workflow"

    def run(self, job: Job) -> Ran:
        """Export it, and run what was written; the states are those of the jobs."""
        into = job.home.parent / f"{job.subject.key}-github"
        workflow = exported(job.subject, "github-actions", into, f"{job.subject.name}.yml").read_text()
        start = time.perf_counter()
        ended = run_workflow(
            workflow,
            job.folder / "act",
            environment=job.variables,
            inputs=job.told,
            variables={"MLOPS_HOME": str(job.home), "MLOPS_INSTALLED": "true"},
        )
        seconds = time.perf_counter() - start
        states = {task: _STATES[state] for task, state in ended.states.items()}
        return Ran(states, ended.exit_code, seconds, "\n".join(ended.logs.values()))
