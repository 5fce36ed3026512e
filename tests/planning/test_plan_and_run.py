"""The run does exactly what the plan says, whatever happened before."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

from mlops_core.dag import RunFailed
from mlops_core.errors import MlopsError
from tests.planning.bench import Bench
from tests.planning.edits import EDITS, edits

if TYPE_CHECKING:
    from mlops_core.planning import Plan


def lived(steps: list[list[str]]) -> None:
    """One run, and one after each step: planned, run, and compared."""
    with TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        for step in [[], *steps]:
            for name in step:
                EDITS[name](bench)
            _once(bench)


def _once(bench: Bench) -> None:
    standing, kept = bench.standing, {stage: set(keys) for stage, keys in bench.made.items()}
    plan = _planned(bench)
    if isinstance(plan, MlopsError):
        assert bench.fails() == str(plan)
        return
    try:
        context, worked = bench.run()
    except RunFailed as failed:
        cause = str(failed.__cause__)
    else:
        cause = ""
    if cause:
        assert "one class" in cause  # what only rows can tell
        return
    said = {one.task: one.status for one in plan.tasks}
    assert {name for name in worked if said[name] == "reuse"} == set()
    assert {name for name, status in said.items() if status == "run"} <= worked
    _check_dependent(bench, plan, worked, kept, standing, context)
    after = bench.plan()
    assert [one.task for one in after.tasks if one.status != "reuse"] == []


def _planned(bench: Bench) -> Plan | MlopsError:
    try:
        return bench.plan()
    except MlopsError as error:
        return error


def _check_dependent(
    bench: Bench, plan: Plan, worked: set[str], kept: dict[str, set[str]], standing: Any, context: Any
) -> None:
    """What depends worked exactly if what came out before it was nothing that a result is kept of."""
    status = {one.task: one.status for one in plan.tasks}
    for one in plan.of("depends"):
        assert one.after
        assert all(status[name] != "reuse" for name in one.after)
        last = bench.workspace.journal.last("shop", one.task)
        match one.task:
            case "model_registry":
                expected = context["model_registry"].digest not in standing.models.values()
            case "gate":
                decision = context["gate"].decision
                before = standing.decisions.get(decision.version)
                expected = before is None or before.digest != decision.digest
                expected |= last is not None and last.inputs.key in _new(bench, kept, "gate")
            case "approval":
                request = context["approval"].request
                asked = [known.digest for known in standing.requests.values()]
                expected = request is not None and request not in asked
            case "deployment":
                number = context["deployment"].version
                expected = context["deployment"].status == "deployed" and standing.production != number
            case "feature_verification" if context["feature_verification"].skipped:
                expected = False
            case name:
                assert last is not None
                expected = last.inputs.key not in kept.get(name, set())
        assert (one.task in worked) == expected, one


def _new(bench: Bench, kept: dict[str, set[str]], stage: str) -> set[str]:
    return bench.made.get(stage, set()) - kept.get(stage, set())


@pytest.mark.parametrize(
    "steps",
    [
        [["an event corrected"], ["the same data in another file"]],
        [["a high floor", "a feature less"], ["model_training.logistic removed", "a low floor"]],
        [["as of 2021-03-31"], ["events until 2021-06-12", "as of None"]],
        [["a person wanted", "another parameter"], ["a person consents"]],
        [["events until 2021-03-31", "common at version 2"], ["training_set damaged"]],
        [["other customers"], ["rolled back", "model_evaluation removed"]],
    ],
    ids=lambda steps: steps[0][0],
)
def test_the_run_does_what_the_plan_says(steps: list[list[str]]) -> None:
    """Some of what can happen, in little time."""
    lived(steps)


@pytest.mark.live
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(edits())
def test_the_run_does_what_the_plan_says_whatever_was_edited(steps: list[list[str]]) -> None:
    """Or removed, damaged, answered or rolled back."""
    lived(steps)
