"""Runs DAGs by `dag.test()`, one after another in one process; started by Airflow's own Python.

Each line on standard input is a job: {"dag": …, "conf": {…}, "variables": {…}}. For each comes a line on
standard output that begins with "PARITY ": the state of the run and of every task instance.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def main() -> None:
    """Make the database, then run what is asked for until there is no more."""
    from airflow.utils.cli import get_bagged_dag  # type: ignore[import-not-found]  # of its own environment
    from airflow.utils.db import initdb  # type: ignore[import-not-found]  # the same

    initdb()
    dags: dict[str, Any] = {}
    before = dict(os.environ)
    print("PARITY ready", flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        os.environ.clear()
        os.environ.update(before | job["variables"])
        name = job["dag"]
        if name not in dags:
            dags[name] = get_bagged_dag(bundle_names=None, dag_id=name)
        run = dags[name].test(run_conf=job["conf"])
        states = {one.task_id: str(one.state) for one in run.get_task_instances()}
        print("PARITY", json.dumps({"run": str(run.state), "tasks": states}), flush=True)


if __name__ == "__main__":
    main()
