"""Runs of deliver.yml: started, and found again by the title that it gives itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.adapters.github.answers import Dispatched, Runs, parsed
from mlops_core.adapters.github.errors import SEE_REF, Purpose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_core.adapters.github.answers import Run
    from mlops_core.adapters.github.client import Client

__all__ = ["WORKFLOW", "run_of", "runs_of", "start"]

WORKFLOW = "deliver.yml"
_PATH = f"/actions/workflows/{WORKFLOW}"
_PURPOSE = Purpose(f"the workflow {WORKFLOW}", "actions: write", SEE_REF)
_NEWEST = 100  # runs that are looked at


def start(github: Client, ref: str, inputs: Mapping[str, str]) -> str | None:
    """Start a run; returns where it is looked at, None where GitHub does not say (before February 2026)."""
    body = {"ref": ref, "inputs": dict(inputs), "return_run_details": True}
    answer = github.write("POST", f"{_PATH}/dispatches", _PURPOSE, body)
    return None if answer is None else parsed(Dispatched, answer, _PURPOSE.what).html_url


def runs_of(github: Client, deployment: int) -> list[Run]:
    """The runs for a deployment, newest first: one, as a rule; none where GitHub lists none yet."""
    answer = github.read(f"{_PATH}/runs", _PURPOSE, event="workflow_dispatch", per_page=_NEWEST)
    found = parsed(Runs, answer, _PURPOSE.what).workflow_runs
    return [run for run in found if run.display_title.endswith(f"(deployment {deployment})")]


def run_of(github: Client, deployment: int) -> str | None:
    """Where the run for a deployment is looked at; None where there is none that goes on, or none yet."""
    going = [run.html_url for run in runs_of(github, deployment) if not run.ended]
    return going[0] if going else None
