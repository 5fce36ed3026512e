"""The head of an exported Prefect flow: how it is run, and what it does not say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mlops_core.exporters.command import export_command
from mlops_core.exporters.python_source import Code

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlops_core.domain.pipeline import Consent, Parameter, PipelineDocument

__all__ = ["head_of"]

_MOST_WAITS = 50


def head_of(document: PipelineDocument, form: Sequence[Parameter], file: str) -> list[str]:
    """The paragraphs of the module's docstring."""
    name = " ".join(document.name.split())
    return [
        f"Pipeline {name} for Prefect 3.8 and later, made by",
        "",
        Code(f"    {export_command(document, 'prefect')}"),  # on one line, to be copied
        "",
        "Change the use case and export again, not this file. Every task is a process of its own, "
        "`mlops task run`: a worker needs prefect and `mlops` on its PATH, and nothing else. All tasks share "
        "the state folder that MLOPS_HOME names, by default .mlops where the flow starts; workers on several "
        "machines need the same one. A run's receipts and failures lie there in prefect/<id of the flow "
        "run>: tried again, it goes on from them.",
        "",
        Code(f"    python {file}"),
        "",
        "runs it here and now, with the defaults of the flow's parameters; the entry in prefect.yaml makes "
        "it a deployment.",
        "",
        "What this file leaves to others, or Prefect does not do:",
        *(f"- {note}" for note in _notes(document, form)),
    ]


def _notes(document: PipelineDocument, form: Sequence[Parameter]) -> Iterator[str]:
    """What is not in the file, or otherwise than in the pipeline."""
    module, colon, _ = document.use_case.partition(":")
    if colon:
        yield f"The module {module} is yours: `mlops` has to find it where the flow starts, or on PYTHONPATH."
    named = {one.name for one in form}
    for name, value in document.parameters.items():
        if name not in named:
            told = json.dumps(value, ensure_ascii=False)
            yield f"{name} is fixed to {told}, since it says which tasks there are: export again for another."
    if any(task.retry.attempts > 1 for task in document.tasks):
        yield "Which errors are worth another attempt `mlops task run` decides, and says so by exit code 75."
    if any(task.retry.attempts > _MOST_WAITS + 1 for task in document.tasks):
        yield f"Prefect keeps {_MOST_WAITS} waits a task: those after them are as long as the last of these."
    if any(task.timeout_seconds is not None for task in document.tasks):
        yield "A task's own process keeps its time-out (--timeout): Prefect cannot end a thread that waits."
    if document.schedule is not None:
        yield f"The schedule, {document.schedule.cron} in {document.schedule.timezone}, is in prefect.yaml."
    if document.consent is not None:
        yield _consent(document.use_case, document.consent)
    yield (
        "Progress, plots, tables of the gate's checks, notices, the schedule's name as who started a run, "
        "and the watch over lost runs are of the flows in the repository of mlops_core alone."
    )
    yield "A flow process that is killed outright (SIGKILL) leaves its tasks' processes to end by themselves."


def _consent(use_case: str, consent: Consent) -> str:
    return (
        f"No process waits for a person: where {consent.task} asks one, the run ends Completed as "
        f"AwaitingApproval, with the question as an artifact; it stands for {consent.span}. Answer with "
        f"`mlops approve {use_case} VERSION --reason …` (or reject). The flows of mlops_core park it with a "
        "form instead, at their deployment promote/approval."
    )
