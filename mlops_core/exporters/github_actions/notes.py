"""The comment at the head of a GitHub Actions workflow: what it needs, and what it says in another way."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from mlops_core.exporters.command import export_command
from mlops_core.exporters.github_actions.jobs import LONGEST, longest
from mlops_core.exporters.github_actions.text import comment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_core.domain.pipeline import PipelineDocument

__all__ = ["header"]


def header(document: PipelineDocument) -> list[str]:
    """The lines of the comment."""
    return [
        f"# {comment(document.name)}: a job for each task of the pipeline, receipts as artifacts.",
        f"# Made by: {export_command(document, 'github-actions')}",
        "# Make it anew to change it.",
        "#",
        "# It needs:",
        *_listed(_needs()),
        "#",
        "# Said in another way:",
        *_listed(_differs(document)),
        "#",
        "# Not said:",
        *_listed(_lacks(document)),
    ]


def _needs() -> list[str]:
    return [
        "The repository variable MLOPS_HOME: the state folder, on a disk that all runners share. "
        "GitHub's own runners share none: there, run everything in one job with `mlops run`.",
        "The repository variable MLOPS_RUNNER: the label of these runners (otherwise ubuntu-24.04).",
        "The project in this repository, installed by the step Install; the repository variable "
        "MLOPS_INSTALLED, set to true, says that the runners have `mlops` on their PATH.",
        "Secrets, where they are not the state folder's own databases: MLOPS_LEDGER, MLOPS_TRACKING_URI.",
    ]


def _differs(document: PipelineDocument) -> list[str]:
    said = [
        "Retries: GitHub has none, so a job's process makes all attempts itself (--retry).",
        "Time-outs: the process ends an attempt that takes too long (--timeout). A job ends after the time "
        "of all its attempts, or 360 minutes where the pipeline sets none.",
        "Skipped tasks: a job that fails leaves those that need it skipped, and no others.",
        "Results: artifacts named receipts-<job>, kept for 30 days; fetched by every later job.",
        "Who runs it: the person who started the workflow, unless the input says another.",
    ]
    if document.consent is not None:
        asks = comment(document.consent.task)
        said.append(
            "Approval: no job waits for a person, and an environment's required reviewers would not be "
            f"bound to what was shown. {asks} puts the question into the run's summary; it stands for "
            f"{document.consent.span}; the version waits, and `mlops approve` puts it into Production."
        )
    if document.schedule is not None:
        said.append(
            "Schedule: on the default branch only; GitHub may begin late, leaves runs out under load, and "
            "in a public repository stops after 60 days without activity."
        )
    return said


def _lacks(document: PipelineDocument) -> list[str]:
    lacking = [
        "A queue: one run is at work, the newest of the others waits, those before it are cancelled.",
    ]
    return lacking + [
        f"Time-outs of {comment(task.name)}: its attempts may take {longest(task)} minutes, and GitHub ends "
        f"a job after {LONGEST}."
        for task in document.tasks
        if longest(task) > LONGEST
    ]


def _listed(items: Iterable[str]) -> list[str]:
    return [
        f"# {mark} {line}"
        for item in items
        for mark, line in zip(
            "-" + " " * len(item),
            wrap(item, 100, break_long_words=False, break_on_hyphens=False),
            strict=False,
        )
    ]
