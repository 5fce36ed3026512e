"""A pipeline as a DAG file for Airflow 3.3: each task is `mlops task`, in a process of its own.

The file is static and imports nothing of ours, so that Airflow's environment needs nothing but Airflow.

- A time-out is the command's own (`--timeout`), never an `execution_timeout` as well: Airflow would end the
  process before it could write down why the attempt failed, and say whether another is worth it.
- Values reach commands as environment variables alone. Airflow renders templates in commands: what someone
  types into the form would be part of a shell's command line.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from mlops_core.exporters.airflow.approval import Approval
from mlops_core.exporters.airflow.header import header
from mlops_core.exporters.airflow.names import named, safe_id
from mlops_core.exporters.airflow.retries import POLICY, retries_of
from mlops_core.exporters.airflow.source import call, command_source
from mlops_core.exporters.command import command_of
from mlops_core.exporters.python_source import Code, literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlops_core.domain.pipeline import Parameter, PipelineDocument, TaskEntry
    from mlops_core.exporters.airflow.names import Named

__all__ = ["to_airflow"]

_TYPES: dict[str, dict[str, Any]] = {
    "text": {"type": ["null", "string"]},
    "path": {"type": ["null", "string"]},
    "date": {"type": ["null", "string"], "format": "date"},
    "number": {"type": ["null", "number"]},
    "integer": {"type": ["null", "integer"]},
    "flag": {"type": ["null", "boolean"]},
}
_BEGIN = '''
# Every command begins with this: it runs in an empty folder, where a relative path would lead nowhere.
BEGIN = """\\
if [[ $MLOPS_HOME != /* ]]; then
    echo "MLOPS_HOME: expected the absolute path of the workers' state folder, not '$MLOPS_HOME'"
    exit 2
fi
RUN="${RUNS_FOLDER:-$MLOPS_HOME/airflow}/$RUN"
"""
# Templates stand here alone, never in a command: what a form was told is data, not part of a shell's words.
'''
_PARAMETERS = "{{ params | tojson }}"
# Who may not approve their own run must not hide behind the worker's user
_BY_WHOM = "{{ dict(params, actor=params.actor or dag_run.triggering_user_name) | tojson }}"


def to_airflow(document: PipelineDocument, form: Sequence[Parameter]) -> str:
    """The DAG file's text; the same document and form give the same text.

    Raises `BadInput` for a name that no command can be told, and for consent that no task asks for.
    """
    approval = Approval.of(document)
    steps = approval.steps.values() if approval else ()
    names = named([*(task.name for task in document.tasks), *steps])
    body: list[str] = []
    for task in document.tasks:
        body += _task(document, form, task, names)
        body += approval.tasks(names) if approval and approval.consent.task == task.name else []
    edges = list(_edges(document, names))
    body += ["", *edges] if edges else []
    parts = [
        header(document, form),
        "\n".join(_imports(document, form)),
        _BEGIN + "\n".join(_environment(form)) + "\n",
        *([approval.said(names)] if approval else []),
        *(["\n" + POLICY.strip("\n") + "\n"] if _retried(document) else []),
        *_dag(document, form),
        *(f"    {line}" if line else "" for line in body or ["pass"]),
        "",
    ]
    return "\n".join(parts)


def _retried(document: PipelineDocument) -> bool:
    return any(task.retry.attempts > 1 for task in document.tasks)


def _imports(document: PipelineDocument, form: Sequence[Parameter]) -> Iterator[str]:
    retried, asks = _retried(document), document.consent is not None
    yield from ("", "from __future__ import annotations", "", "import json")
    if retried:
        yield from ("import random", "from dataclasses import dataclass")
    if retried or asks:
        yield from ("from datetime import timedelta", "from typing import Any")
    yield from ("", "from airflow.providers.standard.operators.bash import BashOperator")
    if asks:
        yield "from airflow.providers.standard.operators.hitl import ApprovalOperator"
    words = [
        "DAG",
        *(["CronTriggerTimetable"] if document.schedule else []),
        *(["Param"] if form or asks else []),
        *(["RetryDecision", "RetryPolicy"] if retried else []),
    ]
    yield f"from airflow.sdk import {', '.join(words)}"


def _environment(form: Sequence[Parameter]) -> Iterator[str]:
    told = _BY_WHOM if any(one.name == "actor" for one in form) else _PARAMETERS
    yield "ENV = {"
    yield f'    "RUN": {literal("{{ dag.dag_id }}/{{ run_id }}")},'
    yield f'    "PARAMETERS": {literal(told)},'
    yield "}"


def _dag(document: PipelineDocument, form: Sequence[Parameter]) -> Iterator[str]:
    name, schedule = safe_id(document.name), document.schedule
    arguments: dict[str, Any] = {"dag_id": name}
    if name != document.name:
        arguments["dag_display_name"] = document.name
    arguments["doc_md"] = Code("__doc__")
    arguments["schedule"] = None
    if schedule is not None:
        zone = f"timezone={literal(schedule.timezone)}"
        arguments["schedule"] = Code(f"CronTriggerTimetable({literal(schedule.cron)}, {zone})")
    arguments |= {"catchup": False, "max_active_runs": 1, "tags": ["mlops"]}
    if form:
        arguments["params"] = Code("\n".join(_params(form)))
    arguments["default_args"] = Code(
        '{"env": ENV, "append_env": True, "output_processor": json.loads, "retries": 0}'
    )
    *lines, _ = call("with DAG", arguments)
    yield from ("", *lines, "):")


def _params(form: Sequence[Parameter]) -> Iterator[str]:
    yield "{"
    for one in form:
        described = {"description": one.description} if one.description else {}
        first, *lines, last = call("Param", _TYPES[one.kind] | described, one.default)
        yield f"        {literal(one.name)}: {first}"
        yield from (f"        {line}" for line in lines)
        yield f"        {last},"
    yield "    }"


def _task(
    document: PipelineDocument, form: Sequence[Parameter], task: TaskEntry, names: Mapping[str, Named]
) -> Iterator[str]:
    one = names[task.name]
    told = "" if task.upstream or not form else ' --parameters "$PARAMETERS"'
    command = f'{shlex.join(command_of(document, task, form, retries=False))} --run "$RUN"{told} --json'
    arguments: dict[str, Any] = {"task_id": one.id}
    if one.id != one.name:
        arguments["task_display_name"] = one.name
    arguments["bash_command"] = command_source(command)
    arguments |= retries_of(task.retry)
    if document.consent is not None and document.consent.task in task.upstream:
        arguments["trigger_rule"] = "none_failed"
    if task.description:
        arguments["doc_md"] = task.description
    yield from call(f"{one.variable} = BashOperator", arguments)


def _edges(document: PipelineDocument, names: Mapping[str, Named]) -> Iterator[str]:
    approval = Approval.of(document)
    if approval is not None:
        yield approval.chain(names)
    for task in document.tasks:
        above = [names[name].variable for name in task.upstream]
        if approval is not None and approval.holds(task):
            above.append(names[approval.steps["answer"]].variable)
        if above:
            first = above[0] if len(above) == 1 else f"[{', '.join(above)}]"
            yield f"{first} >> {names[task.name].variable}"
