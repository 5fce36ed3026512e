"""The scenarios that `python -m benchmarks.workflows` plays by act, and the table of their outcomes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.workflows.__main__ import scenarios
from benchmarks.workflows.scenario import Run, Scenario
from benchmarks.workflows.table import BEGIN, END, Outcome, completed, difference, placed, table
from tests.live.actions.act import WorkflowRun

WORKFLOWS = Path(__file__).parents[2] / ".github" / "workflows"
SCENARIOS = list(scenarios())
SCENARIO = Scenario("a failing test", (Run("ci", failed=frozenset({"test"})),), {})


def outcome(**states: str) -> Outcome:
    """Of the scenario in which `test` has to fail, and nothing else."""
    ended = WorkflowRun(1, Path(), states, {}, {})
    return Outcome(SCENARIO, ((SCENARIO.runs[0], ended),), {"says which": True}, 1.0)


def jobs_of(workflow: str) -> set[str]:
    """Its jobs, and those of the workflows that it calls."""
    jobs: dict[str, Any] = yaml.safe_load((WORKFLOWS / f"{workflow}.yml").read_text())["jobs"]
    called = [Path(job["uses"]).stem for job in jobs.values() if "uses" in job]
    return {name for name, job in jobs.items() if "steps" in job}.union(*map(jobs_of, called))


def test_every_workflow_has_scenarios_and_every_target_too() -> None:
    assert {run.workflow for one in SCENARIOS for run in one.runs} == {
        file.stem for file in WORKFLOWS.glob("*.yml")
    }
    inputs = yaml.safe_load((WORKFLOWS / "deliver.yml").read_text())[True]["workflow_dispatch"]["inputs"]
    names = [one.name for one in SCENARIOS if one.workflow == "deliver"]
    for target in inputs["target"]["options"]:
        assert any(f"target {target}" in name for name in names), target
    assert len({one.title for one in SCENARIOS}) == len(SCENARIOS)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.title)
def test_jobs_that_a_scenario_names_are_those_of_its_workflow(scenario: Scenario) -> None:
    for run in scenario.runs:
        named = {job.partition(" ")[0] for job in run.failed | run.skipped}
        assert named <= jobs_of(run.workflow)


def test_a_job_that_ends_otherwise_than_it_has_to_is_told() -> None:
    assert outcome(lint="success", test="failure").as_expected
    for states in ({"lint": "success", "test": "success"}, {"lint": "skipped", "test": "failure"}):
        assert not outcome(**states).as_expected
        assert "UNEXPECTED" in list(table([outcome(**states)]))[-1]


def test_what_a_machine_cannot_play_says_nothing_against_the_page() -> None:
    page = placed(f"{BEGIN}\n{END}\n", list(table([outcome(lint="success", test="failure")])))
    lacking = replace(outcome(), runs=(), held={}, lacking="there is no Python 3.13")
    lines = list(table([lacking]))
    assert lines[-1] == "| ci | a failing test | not played: there is no Python 3.13 |"
    assert lacking.as_expected
    assert difference(page, lines)
    assert not difference(page, completed(lines, [lacking], page))


def test_a_page_with_another_table_differs_and_one_with_this_table_does_not() -> None:
    lines = list(table([outcome(lint="success", test="failure")]))
    page = f"before\n\n{BEGIN}\n{END}\n\nafter\n"
    assert difference(page, lines)
    written = placed(page, lines)
    assert not difference(written, lines)
    assert placed(written, lines) == written
    assert "| ci | a failing test | lint | test | - | says which |" in written
    with pytest.raises(SystemExit, match="no place for the table"):
        placed("before\n", lines)
