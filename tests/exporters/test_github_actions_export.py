"""A workflow says all that the document says, in a way that GitHub's checkers find nothing wrong with."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, reject, settings

from mlops_core.commands.export import exported
from mlops_core.dag import PipelineDAG, Task
from mlops_core.domain.pipeline import Parameter, PipelineDocument, Schedule
from mlops_core.errors import BadInput
from mlops_core.exporters.command import command_of
from mlops_core.exporters.document import document_of
from mlops_core.exporters.github_actions import to_github_actions
from mlops_core.usecases.churn import CHURN
from tests.exporters.documents import documents
from tests.exporters.pipelines import forms, nothing
from tests.exporters.test_text_export import ASKING

GOLDEN = Path(__file__).parent / "golden"
TOOLS = Path(sys.executable).parent
many = settings(deadline=None, max_examples=10)
Form = tuple[Parameter, ...]


def churn() -> str:
    made = exported(CHURN)
    return to_github_actions(made.document, made.form)


def held() -> str:
    """Churn with all that an export can be told."""
    told = {"candidates": ["logistic"], "as_of": "1998-06-30", "floor": "0.8", "fail_on_rejection": True}
    made = exported(ASKING, told, known_as="shop:CHURN", cron="0 6 * * MON", timezone="Europe/Berlin")
    return to_github_actions(made.document, made.form)


def test_churn_reads_as_the_golden_file_does() -> None:
    assert churn() == (GOLDEN / "churn.yml").read_text()


def test_schedule_consent_and_parameters_read_as_the_golden_file_does() -> None:
    assert held() == (GOLDEN / "held_churn.yml").read_text()


@given(documents(), forms())
@many
def test_jobs_are_the_tasks_with_their_edges_and_commands(document: PipelineDocument, form: Form) -> None:
    jobs = _read(document, form)["jobs"]
    named = {key: _said(job["name"]) for key, job in jobs.items()}
    assert list(named.values()) == [task.name for task in document.tasks]
    assert all(re.fullmatch("[A-Za-z_][A-Za-z0-9_-]{0,99}", key) for key in jobs)
    assert len({key.lower() for key in jobs}) == len(jobs)  # which GitHub takes for one
    for task, (key, job) in zip(document.tasks, jobs.items(), strict=True):
        assert [named[one] for one in job.get("needs", [])] == list(task.upstream)
        script, command = _script(job), command_of(document, task, form, retries=True)
        assert "${{" not in script
        assert shlex.split(script.split("\n")[-1])[: len(command)] == command
        kept = [step["with"]["name"] for step in job["steps"] if "upload" in step.get("uses", "")]
        assert kept == [f"receipts-{key}"]


@given(documents(), forms())
@many
def test_inputs_are_the_form_and_defaults_reach_scheduled_runs(
    document: PipelineDocument, form: Form
) -> None:
    workflow = _read(document, form)
    on = workflow["on"]
    inputs = (on["workflow_dispatch"] or {}).get("inputs", {})
    assert list(inputs) == [one.name for one in form]
    for one in form:
        default = inputs[one.name].get("default")
        assert default == one.default or default == pytest.approx(one.default)
        assert inputs[one.name].get("description", "") == one.description.replace("${{", "$ {{")
    defaults = {one.name: one.default for one in form if one.default is not None}
    roots = [
        job for job, task in zip(workflow["jobs"].values(), document.tasks, strict=True) if not task.upstream
    ]
    for job in roots:
        env = next(step["env"] for step in job["steps"] if step.get("id") == "task")
        assert json.loads(_said(env.get("DEFAULTS", "{}"))) == defaults
        assert env.get("INPUTS") == ("${{ toJSON(inputs) }}" if form else None)
        assert '--parameters "$INPUTS"' in _script(job) or not form
    schedule = document.schedule
    assert on.get("schedule", [{}])[0].get("cron") == (schedule and schedule.cron)
    assert on.get("schedule", [{}])[0].get("timezone", "UTC") == (schedule.timezone if schedule else "UTC")


@given(documents(), forms())
@many
def test_what_only_people_read_stands_in_comments(document: PipelineDocument, form: Form) -> None:
    text = _text(document, form)
    assert all(line.isprintable() for line in text.split("\n"))
    comments = [line.strip()[2:] for line in text.split("\n") if line.strip().startswith("# ")]
    said = [_comment(line) for line in comments if not line.startswith("Tags: ")]
    tags = [_loaded(f"[{line.removeprefix('Tags: ')}]") for line in comments if line.startswith("Tags: ")]
    assert all(task.description in said for task in document.tasks if task.description)
    assert tags == [list(task.tags) for task in document.tasks if task.tags]


def test_more_inputs_than_github_takes_are_refused_by_their_names() -> None:
    form = tuple(Parameter(name=f"p{number}", kind="text") for number in range(27))
    with pytest.raises(BadInput, match=r"GitHub takes 25 inputs .* told 27 things: fix p25, p26 at export"):
        to_github_actions(exported(CHURN).document, form)


def test_a_pipeline_without_tasks_is_refused() -> None:
    with pytest.raises(BadInput, match=r"'none'.* has no task"):
        to_github_actions(document_of(PipelineDAG([]), name="none"), ())


def test_a_default_that_github_would_evaluate_is_refused() -> None:
    form = (Parameter(name="data", kind="path", default="${{ secrets.KEY }}"),)
    with pytest.raises(BadInput, match=r"parameter data: .* for an expression"):
        to_github_actions(exported(CHURN).document, form)


@pytest.mark.parametrize("cron", ["*/4 * * * *", "0,3 6 * * *", "2,58 6,7 * * *"])
def test_runs_that_follow_one_another_too_fast_are_refused(cron: str) -> None:
    with pytest.raises(BadInput, match=f"(?s){re.escape(cron)}.* every 5 min at most"):
        _scheduled(cron)


@pytest.mark.parametrize(
    ("cron", "written"),
    [("0 6 * * 7", "0 6 * * 0"), ("0 6 * * 5-7", "0 6 * * 0,5,6"), ("2,58 6,8 * * *", "2,58 6,8 * * *")],
)
def test_sunday_is_the_day_that_github_knows(cron: str, written: str) -> None:
    assert _loaded(_scheduled(cron))[True]["schedule"] == [{"cron": written}]


def test_a_job_may_take_as_long_as_all_its_attempts() -> None:
    task = Task("slow", nothing, timeout_seconds=600)
    document = document_of(PipelineDAG([task]), name="slow")
    retry = document.tasks[0].retry.model_copy(update={"attempts": 3, "delay_seconds": 60.0, "backoff": 1.0})
    told = document.model_copy(update={"tasks": (document.tasks[0].model_copy(update={"retry": retry}),)})
    job = _loaded(to_github_actions(told, ()))["jobs"]["slow"]
    assert job["timeout-minutes"] == 3 * 10 + 2 * 1 + 15  # attempts, waits, and what is around them


@pytest.mark.live
@given(documents(), forms())
@settings(deadline=None, max_examples=10, derandomize=True)
def test_checkers_of_workflows_find_nothing_in_random_ones(
    tmp_path_factory: pytest.TempPathFactory, document: PipelineDocument, form: Form
) -> None:
    assert _findings(tmp_path_factory.mktemp("checked"), _text(document, form)) == ""


def test_checkers_of_workflows_find_nothing_in_the_golden_files(tmp_path: Path) -> None:
    assert _findings(tmp_path, churn(), held()) == ""


def test_checkers_of_workflows_find_what_is_wrong(tmp_path: Path) -> None:
    wrong = (
        churn().replace("needs: [feature_store]", "needs: [nothing]").replace('"$MLOPS_HOME"', "$MLOPS_HOME")
    )
    found = _findings(tmp_path, re.sub("@[0-9a-f]{40}", "@main", wrong))
    assert all(word in found for word in ("job-needs", "shellcheck", "unpinned-uses"))


def _findings(folder: Path, *workflows: str) -> str:
    """What actionlint, with shellcheck, and zizmor find."""
    files = [folder / f"{number}.yml" for number, _ in enumerate(workflows)]
    for file, text in zip(files, workflows, strict=True):
        file.write_text(text)
    found = ""
    shellcheck = f"-shellcheck={TOOLS / 'shellcheck'}"
    for words in (
        ["actionlint", "-no-color", shellcheck],
        ["zizmor", "--offline", "--no-progress", "--quiet"],
    ):
        ended = subprocess.run(  # noqa: S603 - the checkers, on files of this test
            [str(TOOLS / words[0]), *words[1:], *map(str, files)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        found += ended.stdout + ended.stderr if ended.returncode else ""
    return found


def _text(document: PipelineDocument, form: Form) -> str:
    """The workflow of a document that can be one; others are refused by what cannot be said."""
    try:
        return to_github_actions(document, form)
    except BadInput:
        reject()


def _read(document: PipelineDocument, form: Form) -> Any:
    """The workflow as GitHub reads it, in which `on` is no truth value."""
    read = _loaded(_text(document, form))
    return {"on" if key is True else key: value for key, value in read.items()}


def _loaded(text: str) -> Any:
    return yaml.load(text, yaml.CSafeLoader)  # the safe loader, written in C


def _scheduled(cron: str) -> str:
    document = exported(CHURN).document.model_copy(update={"schedule": Schedule(cron=cron)})
    return to_github_actions(document, ())


def _said(text: str) -> str:
    """What GitHub makes of a text: an expression that is a text is that text."""
    return re.sub(r"\$\{\{ '(.*?)' \}\}", r"\1", text)


def _script(job: Any) -> str:
    """The script that runs a job's task."""
    return str(next(step["run"] for step in job["steps"] if step.get("id") == "task")).rstrip("\n")


def _comment(text: str) -> Any:
    """What a comment says: quoted as in YAML where it is more than plain words."""
    return _loaded(text) if text.startswith('"') else text
