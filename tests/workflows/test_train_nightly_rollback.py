"""What train.yml, nightly.yml and rollback.yml must never come to say."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = ROOT / ".github" / "workflows"


def read(name: str) -> dict[Any, Any]:
    """A workflow; YAML takes the key `on` for a truth value, so its events are under True."""
    found: dict[Any, Any] = yaml.safe_load((WORKFLOWS / f"{name}.yml").read_text())
    return found


TRAIN, NIGHTLY, ROLLBACK, DELIVER = map(read, ("train", "nightly", "rollback", "deliver"))
FOR_PULL_REQUESTS = ("scratch", "comment")


@pytest.mark.parametrize("job", FOR_PULL_REQUESTS)
def test_code_of_a_pull_request_reaches_neither_a_runner_of_ours_nor_the_shared_state(job: str) -> None:
    found = TRAIN["jobs"][job]
    text = yaml.safe_dump(found)
    assert found["runs-on"] == "ubuntu-24.04"
    assert not re.search(r"vars\.MLOPS_(HOME|RUNNER)\b|secrets\.", text)


def test_every_other_job_of_training_is_closed_to_pull_requests() -> None:
    """Also where the workflow is called by one that a pull request started."""
    for name in TRAIN["jobs"].keys() - set(FOR_PULL_REQUESTS):
        assert TRAIN["jobs"][name]["if"].startswith("github.event_name != 'pull_request' && "), name


def test_a_token_that_writes_is_given_to_the_job_alone_that_needs_it() -> None:
    writes = {
        (name, what)
        for name, job in TRAIN["jobs"].items()
        for what, how in job["permissions"].items()
        if how == "write"
    }
    assert writes == {
        ("shared", "deployments"),
        ("shared", "actions"),
        ("comment", "pull-requests"),
        ("attest", "id-token"),
        ("attest", "attestations"),
    }


def test_the_token_that_comments_is_given_to_code_of_the_base_commit() -> None:
    """And never on a pull request whose token only reads."""
    job = TRAIN["jobs"]["comment"]
    assert job["steps"][0]["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"
    assert "github.event.pull_request.head.repo.full_name == github.repository" in job["if"]
    assert "dependabot[bot]" in job["if"]


def test_a_caller_and_a_person_can_say_the_same() -> None:
    events = TRAIN[True]
    asked, called = events["workflow_dispatch"]["inputs"], events["workflow_call"]["inputs"]
    assert asked.keys() == called.keys()
    assert {name: one["type"].replace("choice", "string") for name, one in asked.items()} == {
        name: one["type"] for name, one in called.items()
    }


def test_a_nightly_retrain_grants_what_the_jobs_of_training_ask_for() -> None:
    """GitHub refuses the whole run otherwise, whichever of them would be skipped."""
    asked: dict[str, str] = {}
    for job in TRAIN["jobs"].values():
        for what, how in job["permissions"].items():
            asked[what] = "write" if "write" in (how, asked.get(what)) else how
    assert NIGHTLY["jobs"]["retrain"]["permissions"] == asked


def test_a_nightly_retrain_says_what_training_takes() -> None:
    called = TRAIN[True]["workflow_call"]
    assert NIGHTLY["jobs"]["retrain"]["with"].keys() <= called["inputs"].keys()
    assert NIGHTLY["jobs"]["retrain"]["secrets"].keys() == called["secrets"].keys()


def test_a_rollback_waits_for_a_delivery_of_the_same_use_case_and_cuts_none_off() -> None:
    assert ROLLBACK["concurrency"] == DELIVER["concurrency"]
    assert ROLLBACK["concurrency"]["cancel-in-progress"] is False


def test_a_rollback_is_looked_at_whatever_the_registry_said() -> None:
    steps = {step["name"]: step for step in ROLLBACK["jobs"]["rollback"]["steps"]}
    looked = steps["Ask what serves now"]
    assert looked["if"] == "${{ !cancelled() && steps.rollback.outcome == 'success' }}"
    assert "--served" in looked["run"]


@pytest.mark.parametrize("workflow", [TRAIN, ROLLBACK], ids=["train", "rollback"])
def test_a_secret_that_is_not_set_is_no_setting(workflow: dict[Any, Any]) -> None:
    """GitHub hands it over as an empty text, which the settings refuse."""
    handed_over = [
        (name, step["run"])
        for job in workflow["jobs"].values()
        for step in job["steps"]
        if re.search(r"\bmlops |\.ci/train", step.get("run", ""))
        for name, value in {**job.get("env", {}), **step.get("env", {})}.items()
        if "secrets." in value
    ]
    stores = {"MLOPS_LEDGER", "MLOPS_TRACKING_URI"}
    assert {name for name, _ in handed_over} - {"MLOPS_TOKEN"} == stores
    for name, script in handed_over:
        assert f'[ -n "${name}" ] || unset {name}\n' in script


TOLD = """\
#!/usr/bin/env python
import json, os, sys
with open(os.environ["TOLD"], "a") as told:
    told.write(json.dumps(sys.argv[1:]) + "\\n")
sys.exit(1)
"""


def test_what_a_run_is_told_reaches_it_word_for_word(tmp_path: Path) -> None:
    """Blanks, quotes and signs of the shell included; what is empty is not told."""
    command = tmp_path / "mlops"
    command.write_text(TOLD)
    command.chmod(0o755)
    done = subprocess.run(  # noqa: S603 - our own script
        [ROOT / ".ci" / "train", "my.shop:SHOP"],
        env={
            **os.environ,
            "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
            "TOLD": str(tmp_path / "told"),
            "OUT": str(tmp_path / "out"),
            "DATA": "it's $(here) `x` *.csv",
            "AS_OF": "",
            "CANDIDATES": "logistic boosting",
            "FAIL_ON_REJECTION": "true",
        },
        check=False,
    )
    assert done.returncode == 1  # what the run ended with
    (told,) = (tmp_path / "told").read_text().splitlines()
    assert json.loads(told) == [
        *("run", "my.shop:SHOP", "--data", "it's $(here) `x` *.csv", "--fail-on-rejection"),
        *("--candidates", "logistic", "boosting", "--json"),
    ]
