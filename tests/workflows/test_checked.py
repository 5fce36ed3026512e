"""Every workflow and every script of CI, as checkers and our own rules see them."""

from __future__ import annotations

import functools
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TOOLS = Path(sys.executable).parent
RIGHT = """\
name: right
on: push
permissions: {}
concurrency:
  group: right
  cancel-in-progress: false
jobs:
  only:
    name: only
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions:
      contents: read
    steps:
      - name: Check out
        uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          persist-credentials: false
      - name: Say
        env:
          WORD: ${{ github.ref_name }}
        run: echo "$WORD"
"""


def test_checkers_find_nothing() -> None:
    assert _findings(ROOT, ".github") == ""


def test_nothing_breaks_our_rules() -> None:
    assert {file.name: found for file in WORKFLOWS if (found := _broken_rules(file.read_text()))} == {}


@pytest.mark.parametrize(
    ("right", "wrong", "rule"),
    [
        ("needs-nothing", "", ""),
        ("    timeout-minutes: 5\n", "", "only: no timeout-minutes"),
        ("    permissions:\n      contents: read\n", "", "only: no permissions of its own"),
        ("permissions: {}\n", "permissions: read-all\n", "the workflow's permissions are not {}"),
        ("@3d3c42e5aac5ba805825da76410c181273ba90b1", "@v7", "actions/checkout@v7: no commit"),
        ("          persist-credentials: false\n", "          path: x\n", "checkout keeps its credentials"),
        ('echo "$WORD"', "echo ${{ github.ref_name }}", "only: an expression in run"),
        ("on: push", "on: pull_request_target", "pull_request_target"),
        ("on: push", "on: [workflow_run]", "workflow_run"),
        ("# v7.0.1", "# v7.0.1, zizmor: ignore[self-repository]", "an ignore without a reason"),
    ],
)
def test_each_rule_finds_what_breaks_it(right: str, wrong: str, rule: str) -> None:
    assert _broken_rules(RIGHT.replace(right, wrong)) == ([rule] if rule else [])


def test_the_checkers_find_what_is_wrong(tmp_path: Path) -> None:
    """And nothing where nothing is."""
    (tmp_path / ".github" / "workflows").mkdir(parents=True)
    file = tmp_path / ".github" / "workflows" / "one.yml"
    file.write_text(RIGHT)
    assert _findings(tmp_path, ".github") == ""
    wrong = {
        "    name: only\n": "    needs: nobody\n",
        '"$WORD"': "$WORD ${{ github.head_ref }}",
        "          persist-credentials: false\n": "          path: x\n",
    }
    file.write_text(functools.reduce(lambda text, right: text.replace(right, wrong[right]), wrong, RIGHT))
    said = _findings(tmp_path, ".github")
    assert all(found in said for found in ("nobody", "SC2086", "template-injection", "artipacked"))


def test_each_script_of_ci_is_called_by_all_of_ci() -> None:
    """But for itself, one that a person calls, one that measures what another runs, and one of a workflow."""
    called = (ROOT / ".ci" / "run").read_text()
    scripts = {script.name for script in (ROOT / ".ci").iterdir() if script.stat().st_mode & 0o100}
    uncalled = {script for script in scripts if f".ci/{script}\n" not in called}
    assert uncalled == {"run", "lock", "coverage", "train"}


def test_workflows_call_scripts_that_are_there() -> None:
    for file in WORKFLOWS:
        for script in re.findall(r"(?<![\w/])\.ci/(\w+)", file.read_text()):
            assert (ROOT / ".ci" / script).is_file(), f"{file.name}: .ci/{script}"


def _broken_rules(text: str) -> list[str]:
    """What a workflow does that none of ours may."""
    read = yaml.safe_load(text)
    events = read[True]  # YAML takes the key `on` for a truth value
    broken = [event for event in ("pull_request_target", "workflow_run") if event in events]
    if read.get("permissions") != {}:
        broken.append("the workflow's permissions are not {}")
    if re.search(r"zizmor: ignore\[[^]]*\] *$", text, re.MULTILINE):
        broken.append("an ignore without a reason")
    for name, job in read["jobs"].items():
        broken += _broken_by_job(name, job)
    return broken


def _broken_by_job(name: str, job: dict[str, Any]) -> list[str]:
    called = "uses" in job  # another workflow, which has its own time-outs
    broken = [] if called or "timeout-minutes" in job else [f"{name}: no timeout-minutes"]
    if "permissions" not in job:
        broken.append(f"{name}: no permissions of its own")
    for step in [job, *job.get("steps", [])]:
        uses = step.get("uses", "./")
        if not uses.startswith("./") and not re.fullmatch(r"[^@]+@[0-9a-f]{40}", uses):
            broken.append(f"{uses}: no commit")
        if uses.startswith("actions/checkout@") and step["with"].get("persist-credentials") is not False:
            broken.append("checkout keeps its credentials")
        if "${{" in step.get("run", ""):
            broken.append(f"{name}: an expression in run")
    return broken


def _findings(folder: Path, part: str) -> str:
    """What actionlint, with shellcheck, and zizmor say of the workflows there; as .ci/lint asks them."""
    files = [str(file) for file in sorted((folder / part / "workflows").glob("*.yml"))]
    shellcheck = f"-shellcheck={TOOLS / 'shellcheck'}"
    words = ["--offline", "--no-progress", "--quiet", "--strict-collection", "--persona=auditor"]
    return _said(folder, TOOLS / "actionlint", "-no-color", shellcheck, *files) + _said(
        folder, TOOLS / "zizmor", *words, part
    )


def _said(folder: Path, *words: str | Path) -> str:
    """What a checker found: what it printed, where it ended as having found something."""
    ended = subprocess.run(  # noqa: S603 - the checkers, on our files
        words, cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    return ended.stdout + ended.stderr if ended.returncode else ""
