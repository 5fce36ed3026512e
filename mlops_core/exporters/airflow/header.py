"""What stands at the head of an Airflow file: what it needs, what differs, what it cannot say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.exporters.airflow.source import Verbatim, docstring
from mlops_core.exporters.command import export_command
from mlops_core.exporters.python_source import literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlops_core.domain.pipeline import Parameter, PipelineDocument

__all__ = ["header"]


def header(document: PipelineDocument, form: Sequence[Parameter]) -> str:
    """The module's docstring."""
    return docstring(
        [
            f"Pipeline {literal(document.name)} for Airflow 3.3 and later, made by",
            "",
            Verbatim(f"    {export_command(document, 'airflow')}"),
            "",
            "Change the use case and export again, not this file. Every task is a command of `mlops` in a "
            "process of its own, so Airflow's environment needs nothing but Airflow. Each worker needs",
            "",
            *_needs(),
            "",
            "Said otherwise here:",
            "",
            *_differs(document, form),
            *_unsaid(document, form),
        ]
    )


def _needs() -> Iterator[str]:
    yield "- `mlops` on its PATH (and its settings, such as MLOPS_LEDGER, in its environment),"
    yield "- MLOPS_HOME: the absolute path of the state folder, which all workers share,"
    yield (
        "- optionally RUNS_FOLDER: where receipts go, a folder that all workers share or a URL such as "
        "s3://bucket/runs. Default: airflow in the state folder. A run's folder there is dag_id/run_id."
    )


def _differs(document: PipelineDocument, form: Sequence[Parameter]) -> Iterator[str]:
    yield "- One run at a time (max_active_runs): a run that waits for a person holds up those after it."
    if any(one.name == "actor" for one in form):
        yield "- Who runs it: the user who triggered the run, unless its form names another."
    if any(task.retry.attempts > 1 for task in document.tasks):
        yield (
            "- Retries: the command tells by exit code 75 whether another attempt is worth it. Airflow's "
            "scheduler begins it when it next looks, so waits may be a few seconds longer. A command whose "
            "worker was lost cannot tell: that is tried again as well."
        )
    if any(task.timeout_seconds is not None for task in document.tasks):
        yield "- Time-outs are the commands' own (--timeout), so that they can still tell why they failed."
    if document.consent is not None:
        yield (
            "- Consent: Airflow asks, and its user and their reason go into the ledger; `mlops approve` and "
            "`reject` of the same question count too, what is said here then only confirms it. Without an "
            f"answer within {document.consent.span} the run fails and nothing is deployed."
        )


def _unsaid(document: PipelineDocument, form: Sequence[Parameter]) -> Iterator[str]:
    tags = [
        f"{literal(task.name)} ({', '.join(map(literal, task.tags))})" for task in document.tasks if task.tags
    ]
    names = sorted(set(document.parameters) - {one.name for one in form})
    fixed = ", ".join(name if name.isidentifier() else literal(name) for name in names)
    if tags or fixed:
        yield from ("", "Not said here:", "")
    if tags:
        yield f"- Tags of tasks, which Airflow does not have: {'; '.join(tags)}."
    if fixed:
        yield f"- A form for {fixed}: fixed when this was exported."
