"""The exported DAG file in a real Airflow, in an environment of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.parity.exports import exported
from benchmarks.parity.processes import environment
from benchmarks.parity.result import Ran

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.parity.result import State
    from benchmarks.parity.way import Job

__all__ = ["Airflow", "airflow"]

_SCRIPT = Path(__file__).with_name("airflow_runs.py")
_MARK = "PARITY "
_STATES: dict[str, State] = {"success": "finished", "failed": "failed", "upstream_failed": "skipped"}


class Airflow:
    """`dag.test()` of the file of `mlops export --to airflow`: each task is `mlops task run`.

    Airflow is started once, and its DAG loaded once, for all runs.
    """

    name = "exported Airflow DAG"

    def __init__(self, process: subprocess.Popen[str], dags: Path, log: Path) -> None:
        self._process, self._dags, self._log = process, dags, log

    def run(self, job: Job) -> Ran:
        """Export it, and have it run; the states are those of the task instances."""
        exported(job.subject, "airflow", self._dags, f"{job.subject.name}_dag.py")
        begun = self._log.stat().st_size
        start = time.perf_counter()
        variables = job.variables | {"RUNS_FOLDER": str(job.folder / "runs")}
        conf = {
            name: value if isinstance(value, (bool, float)) else str(value)
            for name, value in job.told.items()
        }
        self._tell({"dag": job.subject.name, "conf": conf, "variables": variables})
        answer = json.loads(self._heard())
        seconds = time.perf_counter() - start
        states = {task: _STATES[state] for task, state in answer["tasks"].items()}
        with self._log.open() as log:
            log.seek(begun)
            return Ran(states, 0 if answer["run"] == "success" else 1, seconds, log.read())

    def _tell(self, job: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()

    def _heard(self) -> str:
        """What the script says next; Airflow says much else, which goes to the log."""
        assert self._process.stdout is not None
        with self._log.open("a") as log:
            for line in self._process.stdout:
                if line.startswith(_MARK):
                    return line.removeprefix(_MARK)
                log.write(line)
        raise RuntimeError(f"Airflow ended:\n{self._log.read_text()[-4000:]}")

    def wait(self) -> None:
        """Until it is ready."""
        self._heard()


@contextmanager
def airflow(python: Path, folder: Path) -> Iterator[Airflow]:
    """An Airflow of the environment of `python`, with a database of its own, ready to run DAGs."""
    (dags := folder / "dags").mkdir(parents=True)
    log = folder / "airflow.log"
    variables = environment(
        folder,
        AIRFLOW_HOME=str(folder),
        AIRFLOW__CORE__DAGS_FOLDER=str(dags),
        AIRFLOW__CORE__LOAD_EXAMPLES="false",
        AIRFLOW__USAGE_DATA_COLLECTION__ENABLED="false",
    )
    with log.open("ab") as errors:
        process = subprocess.Popen(  # noqa: S603 - our own words
            [python, "-P", _SCRIPT],
            env=variables,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    try:
        started = Airflow(process, dags, log)
        started.wait()
        yield started
    finally:
        with suppress(ProcessLookupError):  # it ended by itself
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
