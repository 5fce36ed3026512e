"""deliver.yml: which jobs run for each way that the ones before can end, and who may do what.

benchmarks/workflows runs it; this goes through all combinations.
"""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

WORKFLOWS = Path(__file__).parents[2] / ".github" / "workflows"
WORKFLOW: dict[Any, Any] = yaml.safe_load((WORKFLOWS / "deliver.yml").read_text())
JOBS: dict[str, dict[str, Any]] = WORKFLOW["jobs"]
TRIGGERS = WORKFLOW[True]  # YAML reads `on` as true
CONSENT = ("not-wanted", "waiting", "approved", "refused", "expired")
ENDS = ("success", "failure")


def truth(expression: str, needs: dict[str, Any], *, cancelled: bool, deployment: str = "5") -> Any:
    """What GitHub makes of an expression of this workflow: the operators mean the same in Python."""
    text = re.sub(r"\$\{\{(.*)\}\}", r"\1", expression, flags=re.DOTALL)
    known = {
        "!cancelled()": str(not cancelled),
        "always()": "True",
        "inputs.deployment": repr(deployment),
        "!github.event.repository.private": "True",
    }
    for name, value in known.items():
        text = text.replace(name, value)
    text = re.sub(r"needs\.(\w+)\.result", lambda found: repr(needs[found[1]]["result"]), text)
    text = re.sub(
        r"needs\.(\w+)\.outputs\.(\w+)",
        lambda found: repr(needs[found[1]].get("outputs", {}).get(found[2], "")),
        text,
    )
    text = re.sub(r"vars\.\w+", "''", text).replace("&&", " and ").replace("||", " or ")
    return eval(text.strip(), {"__builtins__": {}})  # noqa: S307 - an expression of our own file


def played(ends: dict[str, str], consent: str, serves: str, *, cancelled: bool) -> dict[str, dict[str, Any]]:
    """How each job ends, when those that run end as `ends` says."""
    needs: dict[str, dict[str, Any]] = {}
    for name, job in JOBS.items():
        runs = "if" not in job or truth(job["if"], needs, cancelled=cancelled)
        needs[name] = {"result": ends.get(name, "success") if runs else "skipped"}
        if name == "gate":
            needs[name]["outputs"] = {"approval": consent}
        if name == "watch" and runs:
            needs[name]["outputs"] = {"serves": serves}
    return needs


def combinations() -> Any:
    """Every way that the jobs can end; the answer of the watch may be lost, as with its runner."""
    jobs = ("gate", "review", "approval", "canary", "promote", "watch")
    for ends in product(ENDS, repeat=len(jobs)):
        for consent, serves, cancelled in product(
            CONSENT, ("success", "failure", "skipped", ""), (False, True)
        ):
            yield dict(zip(jobs, ends, strict=True)), consent, serves, cancelled


def test_only_what_passed_gate_consent_and_canary_is_promoted() -> None:
    reached = set()
    for ends, consent, serves, cancelled in combinations():
        found = {
            name: one["result"] for name, one in played(ends, consent, serves, cancelled=cancelled).items()
        }
        wanted = "skipped" if consent == "not-wanted" else "success"
        consented = found["review"] == found["approval"] == wanted
        may = found["gate"] == found["canary"] == "success" and consented and not cancelled
        assert (found["promote"] != "skipped") == may, (ends, consent, cancelled)
        assert found["watch"] == "skipped" or found["promote"] == "success"
        reached.add((consent, found["promote"]))
    assert {consent for consent, promoted in reached if promoted == "success"} == set(CONSENT)


def test_our_record_is_kept_also_of_a_review_that_rejected() -> None:
    needs = played({"review": "failure"}, "waiting", "success", cancelled=False)
    assert needs["approval"]["result"] == "success"
    assert needs["canary"]["result"] == "skipped"
    assert [name for name, job in JOBS.items() if "environment" in job] == ["review"]


def test_what_was_promoted_is_rolled_back_unless_the_watch_saw_it_serve() -> None:
    for ends, consent, serves, cancelled in combinations():
        needs = played(ends, consent, serves, cancelled=cancelled)
        saw = needs["watch"].get("outputs", {}).get("serves") == "success"
        watched = needs["watch"]["result"] == "success" or saw
        expected = needs["promote"]["result"] == "success" and not watched and not cancelled
        assert (needs["roll_back"]["result"] != "skipped") == expected, (ends, serves)
        assert needs["attest"]["result"] == "skipped" or needs["watch"]["result"] == "success"


def test_the_deployment_is_told_success_only_where_the_version_was_seen_to_serve() -> None:
    (said,) = (step["env"]["STATE"] for step in JOBS["report"]["steps"] if "STATE" in step.get("env", {}))
    for ends, consent, serves, cancelled in combinations():
        needs = played(ends, consent, serves, cancelled=cancelled)
        assert needs["report"]["result"] == "success"
        good = needs["promote"]["result"] == "success" and needs["watch"]["outputs"]["serves"] == "success"
        assert truth(said, needs, cancelled=cancelled) == ("success" if good else "failure")


@pytest.mark.parametrize("name", [name for name, job in JOBS.items() if "needs" in job])
def test_a_job_says_itself_whether_it_runs_after_a_skipped_one(name: str) -> None:
    assert re.search(r"!cancelled\(\)|always\(\)", JOBS[name]["if"])


def test_a_caller_gives_the_same_inputs_as_a_person() -> None:
    assert TRIGGERS["workflow_call"]["inputs"].keys() == TRIGGERS["workflow_dispatch"]["inputs"].keys()


def test_the_targets_of_the_list_are_those_that_the_first_step_lets_through() -> None:
    look = JOBS["gate"]["steps"][0]["run"]
    let_through = re.findall(r"^\s*(\w+)\) ;;$", look, re.MULTILINE)
    assert let_through == TRIGGERS["workflow_dispatch"]["inputs"]["target"]["options"]


def test_tokens_for_clouds_are_given_to_jobs_that_sign_in_and_to_no_other() -> None:
    for name, job in JOBS.items():
        actions = {step.get("uses", "").partition("@")[0] for step in job["steps"]}
        signs_in = bool(actions & {"aws-actions/configure-aws-credentials", "actions/attest"})
        assert ("id-token" in job["permissions"]) == signs_in, name
        assert ("deployments" in job["permissions"]) == (name in ("gate", "report"))


def test_it_shares_its_queue_with_rollbacks_and_is_never_cut_off() -> None:
    other = yaml.safe_load((WORKFLOWS / "rollback.yml").read_text())
    assert WORKFLOW["concurrency"] == other["concurrency"]
    assert WORKFLOW["concurrency"]["cancel-in-progress"] is False


def test_its_title_tells_who_dispatches_which_deployment_a_run_is_of() -> None:
    assert WORKFLOW["run-name"] == (
        "deliver ${{ inputs.use_case }} ${{ inputs.version }} (deployment ${{ inputs.deployment }})"
    )
