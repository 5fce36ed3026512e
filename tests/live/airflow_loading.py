"""Loads every DAG file of a folder as Airflow's scheduler does, and prints what it found as JSON.

Run by Airflow's own Python.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from airflow.dag_processing.dagbag import DagBag  # type: ignore[import-not-found]  # of its own environment
from airflow.sdk.definitions.param import ParamsDict  # type: ignore[import-not-found]  # the same
from airflow.serialization.serialized_objects import DagSerialization  # type: ignore[import-not-found]  # the same


def told(dag: Any) -> dict[str, Any]:
    """A DAG as it comes back from the database's form."""
    kept = json.loads(json.dumps(DagSerialization.to_dict(dag)))
    DagSerialization.validate_schema(kept)
    again = DagSerialization.from_dict(kept)
    assert set(again.task_ids) == set(dag.task_ids)
    params = ParamsDict({name: dag.params.get_param(name) for name in dag.params})
    params.validate()
    return {
        "shown": again.dag_display_name,
        "tasks": {task.task_id: one(task) for task in again.tasks},
        "params": params.dump(),
        "timetable": again.timetable.summary,
        "max_active_runs": again.max_active_runs,
        "catchup": again.catchup,
    }


def one(task: Any) -> dict[str, Any]:
    """A task of it."""
    return {
        "name": task.task_display_name,
        "upstream": sorted(task.upstream_task_ids),
        "retries": task.retries,
        "has_retry_policy": task.has_retry_policy,
        "trigger_rule": str(getattr(task.trigger_rule, "value", task.trigger_rule)),
        "description": task.doc_md,
        "type": task.task_type,
    }


bag = DagBag(dag_folder=sys.argv[1])
found = {name: told(dag) for name, dag in bag.dags.items()}
sys.stdout.write(f"LOADED {json.dumps({'errors': bag.import_errors, 'dags': found})}\n")
