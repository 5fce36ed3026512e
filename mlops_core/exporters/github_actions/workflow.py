"""A pipeline as a GitHub Actions workflow: a job for each task, receipts as artifacts.

Retries are the process's own (`mlops task run --retry`), since GitHub has none. What a workflow cannot say
is refused, or stands in the comment at the file's head.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

from mlops_core.errors import BadInput
from mlops_core.exporters.github_actions.jobs import job_of
from mlops_core.exporters.github_actions.notes import header
from mlops_core.exporters.github_actions.schedule import schedule_of
from mlops_core.exporters.github_actions.text import broken, expression, job_ids, literal, scalar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_core.domain.pipeline import Parameter, PipelineDocument

__all__ = ["to_github_actions"]

_MOST_INPUTS = 25
"""https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax, workflow_dispatch"""


def to_github_actions(document: PipelineDocument, form: Sequence[Parameter]) -> str:
    """The workflow's text; equal arguments give the same text.

    `form` becomes the inputs of a run that is started by hand; a scheduled one is told their defaults.

    Raises `BadInput` for a pipeline without tasks, for more inputs than GitHub takes, for a default or a
    schedule that it cannot hold, and for a name that no command line can.
    """
    if not document.tasks:
        raise BadInput(f"{document.name!r}: a workflow needs a job, and this pipeline has no task")
    ids = job_ids(task.name for task in document.tasks)
    jobs = [line for task in document.tasks for line in ["", *job_of(document, task, form, ids)]]
    lines = [
        *header(document),
        f"name: {scalar(broken(document.name))}",
        *_triggers(document, form),
        "permissions: {}",
        "concurrency:  # one run of a use case at a time",
        f"  group: {scalar(literal(f'mlops-{document.use_case}'))}",
        "  cancel-in-progress: false",
        "defaults:",
        "  run:",
        "    shell: bash",
        "env:",
        f"  MLOPS_HOME: {expression('vars.MLOPS_HOME')}",
        f"  MLOPS_ACTOR: {expression('github.actor')}",
        "jobs:",
        *jobs[1:],
    ]
    return "\n".join([*lines, ""])


def _triggers(document: PipelineDocument, form: Sequence[Parameter]) -> list[str]:
    if len(form) > _MOST_INPUTS:
        raise BadInput(
            f"{document.name!r}: GitHub takes {_MOST_INPUTS} inputs of a workflow at most, and a run may be "
            f"told {len(form)} things: fix {', '.join(one.name for one in form[_MOST_INPUTS:])} at export"
        )
    lines = ["on:", "  workflow_dispatch:"]
    if form:
        lines += ["    inputs:", *(line for one in form for line in _input(one))]
    if document.schedule is not None:
        lines += schedule_of(document.schedule)
    return lines


def _input(parameter: Parameter) -> list[str]:
    """An input. What has no default is asked for as text: an empty one says nothing, but GitHub may fill
    a number that was left out with 0, and a flag with false."""
    default = parameter.default
    typed = {"number": "number", "integer": "number", "flag": "boolean"}
    kind = typed.get(parameter.kind, "string") if default is not None else "string"
    if "${{" in str(default):
        raise BadInput(f"parameter {parameter.name}: GitHub takes the default {default!r} for an expression")
    lines = [f"      {scalar(parameter.name)}:"]
    if parameter.description:
        lines.append(f"        description: {scalar(broken(parameter.description))}")
    lines += ["        required: false", f"        type: {kind}"]
    return lines if default is None else [*lines, f"        default: {_default(default)}"]


def _default(value: object) -> str:
    if isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int | float):
        return f"{Decimal(repr(value)):f}"  # 1e-05 is text to some readers of YAML
    return scalar(str(value))
