"""The exported workflow, run by `act`: its jobs are processes of this machine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from mlops_core.commands.export import exported
from mlops_core.domain.pipeline import PipelineDocument, TaskEntry
from mlops_core.exporters.github_actions import to_github_actions
from mlops_core.usecases.churn import CHURN
from tests.live.actions.act import run_workflow
from tests.live.parity_held import HELD

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.live.actions.act import WorkflowRun

    Run = Callable[..., WorkflowRun]

pytestmark = pytest.mark.live

CHURN_WORKFLOW = exported(CHURN)


def workflow() -> str:
    return to_github_actions(CHURN_WORKFLOW.document, CHURN_WORKFLOW.form)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, environment: Any, purchases: Path, project: Path) -> Run:
    """Runs a workflow on the small shop; runs of this module share a state folder."""
    home = tmp_path_factory.mktemp("state")
    made = environment(home, tmp_path_factory.mktemp("home"), PYTHONPATH=str(project))

    def ran(text: str, *, inputs: Any = None, **told: Any) -> WorkflowRun:
        shared = {"MLOPS_HOME": str(home), "MLOPS_INSTALLED": "true"}
        return run_workflow(
            text,
            tmp_path_factory.mktemp("run") / "act",
            environment=made.variables,
            inputs={"data": purchases} | (inputs or {}),
            **{"variables": shared} | told,
        )

    return ran


def test_inputs_reach_the_run_and_a_rejection_fails_its_last_job(run: Run) -> None:
    told = {"floor": 0.999, "fail_on_rejection": True, "actor": "ann"}
    ended = run(workflow(), inputs=told)
    assert ended.exit_code != 0
    assert _not(ended, "success") == {"deployment"}
    assert "exit status 3" in ended.logs["deployment"]
    assert "rejected" in ended.summaries["deployment"]
    begun = json.loads((ended.artifacts / "receipts-feature_store" / "run.json").read_text())
    assert begun["parameters"].items() >= told.items()


def test_every_job_hands_its_receipt_on_and_the_question_stands_in_the_summary(run: Run) -> None:
    made = exported(HELD, known_as="tests.live.parity_held:HELD")
    ended = run(to_github_actions(made.document, made.form))
    assert ended.exit_code == 0, ended.logs
    assert _not(ended, "success") == set()
    kept = {file.stem for file in ended.artifacts.glob("*/receipts/*.json")}
    assert kept == {task.name for task in made.document.tasks}
    receipt = _receipt(ended, "approval")
    assert receipt["status"] == "waiting"
    assert receipt["request"][:12] in ended.summaries["approval"]
    assert "mlops approve" in ended.summaries["deployment"]


def test_a_job_that_fails_after_its_attempts_leaves_those_that_need_it_skipped(run: Run) -> None:
    document = CHURN_WORKFLOW.document
    twice = [task.retry.model_copy(update={"attempts": 2, "delay_seconds": 0.0}) for task in document.tasks]
    tasks = tuple(
        task.model_copy(update={"retry": retry}) for task, retry in zip(document.tasks, twice, strict=True)
    )
    text = to_github_actions(document.model_copy(update={"tasks": tasks}), CHURN_WORKFLOW.form)
    ended = run(text, secrets={"MLOPS_TRACKING_URI": "http://127.0.0.1:9"})  # where nobody answers
    assert ended.exit_code != 0
    assert _not(ended, "success") == {"model_registry", *CHURN_WORKFLOW.dag.descendants("model_registry")}
    assert _not(ended, "skipped") >= {"model_registry", "feature_verification"}
    assert ended.states["model_registry"] == "failure"
    assert "attempt 1 of 2 failed" in ended.logs["model_registry"]


def test_without_a_state_folder_the_first_job_says_what_is_missing(run: Run) -> None:
    ended = run(workflow(), variables={})
    assert ended.exit_code != 0
    assert "The repository variable MLOPS_HOME is not set" in ended.logs["feature_store"]
    assert set(ended.states.values()) == {"failure", "skipped"}


def test_odd_names_reach_the_command_as_they_are(run: Run) -> None:
    name = """it's ${{ github.actor }} "$HOME" `x` é"""
    document = PipelineDocument(name=name, use_case=name, tasks=(TaskEntry(name=name),))
    ended = run(to_github_actions(document, CHURN_WORKFLOW.form))
    assert [*ended.states.values()] == ["failure"]
    assert f"no use case {name!r}" in next(iter(ended.logs.values()))


def _not(ended: WorkflowRun, state: str) -> set[str]:
    return {name for name, found in ended.states.items() if found != state}


def _receipt(ended: WorkflowRun, task: str) -> Any:
    file = ended.artifacts / f"receipts-{task}" / "receipts" / f"{task}.json"
    return json.loads(file.read_text())["receipt"]
