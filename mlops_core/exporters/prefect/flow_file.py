"""A pipeline as a Prefect flow that stands alone, and its entry in prefect.yaml.

The flow's machinery is flow.py.j2: the pipeline, the signature and the notes are filled in here.
"""

from __future__ import annotations

import builtins
import keyword
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import yaml
from jinja2 import Environment, StrictUndefined

from mlops_core.errors import BadInput
from mlops_core.exporters.command import command_of, export_command
from mlops_core.exporters.prefect.form import described, signature_of, told_of
from mlops_core.exporters.prefect.notes import head_of
from mlops_core.exporters.prefect.source import call, docstring
from mlops_core.exporters.python_source import WIDTH, Code, literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_core.domain.pipeline import Parameter, PipelineDocument, TaskEntry

__all__ = ["PrefectFiles", "to_prefect"]

POOL = "mlops-process"
"""The work pool that is named, as in the project's own prefect.yaml."""
_HEAD = """\
# Made by: {made}
# Its entry goes into your prefect.yaml, if there is one. The pool has to be there before the first
#   prefect --no-prompt deploy --all
# and a worker to serve it, where `mlops` is on the PATH and MLOPS_HOME names the state folder:
#   prefect work-pool create {pool} --type process
#   prefect worker start --pool {pool}
# Prefect keeps schedules that leave this file: remove those in its UI.
"""
BANNED = "/%&<>"
"""What no flow of Prefect 3.8 may have in its name (prefect/types/names.py)."""
# Names that the file gives to something else, but for those in capitals; a test compares the two
TAKEN = frozenset(
    {
        *("annotations", "create_markdown_artifact", "dataclass", "date", "datetime", "flow", "flow_run"),
        *("get_run_logger", "json", "os", "random", "re", "shlex", "signal", "subprocess", "task"),
        *("tempfile", "threading", "wait"),
    }
)


@dataclass(frozen=True)
class PrefectFiles:
    """Text of a flow's file, and of a prefect.yaml whose only entry deploys it."""

    flow: str
    deployment: str


def to_prefect(document: PipelineDocument, form: Sequence[Parameter]) -> PrefectFiles:
    """The files; the same document and form give the same text.

    The flow's file is to be named as the entrypoint in the other says: `<name>_flow.py`.

    Raises `BadInput` for a name or a default that Prefect, Python or a command line cannot hold.
    """
    if not document.name or any(sign in BANNED or not sign.isprintable() for sign in document.name):
        raise BadInput(
            f"pipeline {document.name!r}: Prefect takes no flow whose name is empty or has one of "
            f"{' '.join(BANNED)} or a control character: name it otherwise"
        )
    for what, text in [("its name", document.name), *_told(document, form).items()]:
        if isinstance(text, str) and "{{" in text:
            raise BadInput(
                f"pipeline {document.name!r}, {what}: prefect.yaml would take {text!r} for a template: "
                "leave {{ out of it"
            )
    function = _function(document.name)
    return PrefectFiles(_flow(document, form, function), _deployment(document, form, function))


def _function(name: str) -> str:
    found = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_").lower() or "pipeline"
    used = found in TAKEN or hasattr(builtins, found) or keyword.iskeyword(found)
    if found[0].isdigit() or used or keyword.issoftkeyword(found):
        found = f"pipeline_{found}"
    return found


def _file(name: str) -> str:
    return f"{name if re.fullmatch('[A-Za-z0-9_]+', name) else _function(name)}_flow.py"


def _flow(document: PipelineDocument, form: Sequence[Parameter], function: str) -> str:
    environment = Environment(  # noqa: S701 - it is Python that is made, not HTML
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    template = files("mlops_core.exporters.prefect").joinpath("flow.py.j2").read_text(encoding="utf-8")
    head = docstring(head_of(document, form, _file(document.name)), 0)
    return environment.from_string(template).render(
        head=head,
        wide=any(len(line) > WIDTH for line in head.split("\n")),
        use_case=literal(document.use_case),
        stages=[call("Stage", _stage(document, task, form), 4) for task in document.tasks],
        flow_name=literal(document.name),
        function=function,
        signature=signature_of(form),
        docstring=_closed(docstring(described(document, form), 4)),
        told=told_of(form),
        dated=any(one.kind == "date" for one in form),
    )


def _closed(text: str) -> str:
    """A docstring's closing quotes stand alone when it has several lines."""
    return f"{text}\n    " if "\n" in text else text


def _stage(document: PipelineDocument, task: TaskEntry, form: Sequence[Parameter]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": task.name,
        "command": command_of(document, task, form, retries=False),
    }
    if task.upstream:
        told["after"] = list(task.upstream)
    if task.retry.attempts > 1:
        policy = task.retry.model_dump(exclude={"retry_on"})
        arguments = ", ".join(f"{name}={value!r}" for name, value in policy.items())
        told["retry"] = Code(f"Retry({arguments})")
    if task.tags:
        told["tags"] = list(task.tags)
    if task.description:
        told["description"] = task.description
    return told


def _told(document: PipelineDocument, form: Sequence[Parameter]) -> dict[str, Any]:
    """What the export was told of what each run may be told anew."""
    found = {one.name: document.parameters.get(one.name) for one in form}
    return {name: value for name, value in found.items() if value is not None}


def _deployment(document: PipelineDocument, form: Sequence[Parameter], function: str) -> str:
    entry: dict[str, Any] = {
        "name": "exported",
        "description": f"Pipeline {document.name}: every task is a process of its own.",
        "entrypoint": f"{_file(document.name)}:{function}",
        "tags": ["mlops-core", document.name],
    }
    if told := _told(document, form):
        entry["parameters"] = told
    if document.schedule is not None:
        entry["schedules"] = [{"slug": "exported", **document.schedule.model_dump()}]
    entry["work_pool"] = {"name": POOL, "work_queue_name": "default"}
    entry["concurrency_limit"] = {"limit": 1, "collision_strategy": "ENQUEUE", "grace_period_seconds": 120}
    made = export_command(document, "prefect")
    body = yaml.safe_dump({"deployments": [entry]}, sort_keys=False, allow_unicode=True, width=110)
    return f"{_HEAD.format(made=made, pool=POOL)}{body}"
