"""One task as a job of a GitHub Actions workflow.

Every job fetches the receipts of all jobs before it, runs its task, and keeps the one receipt that it made:
a job that is run again replaces its own, and never brings back what others left before.
"""

from __future__ import annotations

import json
from math import ceil
from typing import TYPE_CHECKING

from mlops_core.exporters.command import command_of
from mlops_core.exporters.github_actions.text import (
    command_line,
    comment,
    expression,
    literal,
    meant,
    scalar,
    script,
)
from mlops_core.run_folder import receipt_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_core.domain.pipeline import Parameter, PipelineDocument, TaskEntry

__all__ = ["LONGEST", "job_of", "longest"]

# Third-party actions by the digest of what was read, since a tag can be moved.
_CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1  # v7.0.1"
_PYTHON = "actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97  # v7.0.0"
_UPLOAD = "actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a  # v7.0.1"
_DOWNLOAD = "actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c  # v8.0.1"

_NOT_INSTALLED = "vars.MLOPS_INSTALLED != 'true'"
_RAN = "!cancelled() && steps.task.outcome != 'skipped'"
_RUNNER = "vars.MLOPS_RUNNER || 'ubuntu-24.04'"
_RUN = f"{expression('runner.temp')}/run"
_WORDS = f"{expression('runner.temp')}/words"
_BODY = """python3 -c 'import json, sys; print(json.load(sys.stdin)["body"])'"""
_NOBODY_ASKED = 99  # the exit code of `mlops task question`
_TO_SUMMARY = """sed 's/^/    /' "$WORDS" >> "$GITHUB_STEP_SUMMARY\""""
_UNLESS_INSTALLED = f"        if: {expression(_NOT_INSTALLED)}"
_SECRETS = ("MLOPS_LEDGER", "MLOPS_TRACKING_URI")
_UNKNOWN, _SETTING_UP = 360, 15  # minutes: what GitHub gives a job by default; checkout and installation
LONGEST = 7200
"""Minutes that a job may take on a runner of one's own, as GitHub has it (on its own runners 360)."""


def job_of(
    document: PipelineDocument, task: TaskEntry, form: Sequence[Parameter], ids: Mapping[str, str]
) -> list[str]:
    """The lines of a task's job; `ids` are those of all jobs by the names of their tasks."""
    asks = document.consent is not None and document.consent.task == task.name
    needed = {name for one in document.tasks for name in one.upstream}
    needs = ", ".join(scalar(ids[name]) for name in task.upstream)
    return [
        *_about(task),
        f"  {scalar(ids[task.name])}:",
        f"    name: {scalar(literal(task.name))}",
        *([f"    needs: [{needs}]"] if task.upstream else []),
        f"    runs-on: {expression(_RUNNER)}",
        f"    timeout-minutes: {min(longest(task), LONGEST)}",
        "    permissions:",
        "      contents: read",
        "    steps:",
        *([] if task.upstream else _check()),
        *_set_up(),
        *(_fetch() if task.upstream else []),
        *_attempt(document, task, form, words=task.name not in needed),
        *(_ask(document) if asks else []),  # before the receipt is kept: it looks whether somebody answered
        *_keep(task, ids[task.name]),
        *([] if task.name in needed else _tell()),
    ]


def longest(task: TaskEntry) -> int:
    """Minutes that all attempts of a task may take with their waits, and the job around them."""
    if task.timeout_seconds is None:
        return _UNKNOWN
    retry = task.retry
    waits, wait = 0.0, retry.delay_seconds
    for _ in range(retry.attempts - 1):
        waits += min(wait, retry.max_delay_seconds)
        wait = min(wait * retry.backoff, retry.max_delay_seconds)
    return ceil((retry.attempts * task.timeout_seconds + waits) / 60) + _SETTING_UP


def _about(task: TaskEntry) -> list[str]:
    lines = [f"  # {comment(task.description)}"] if task.description else []
    return [*lines, f"  # Tags: {', '.join(scalar(tag) for tag in task.tags)}"] if task.tags else lines


def _check() -> list[str]:
    return [
        "      - name: Look for the state folder",
        "        run: |",
        '          if [ -z "$MLOPS_HOME" ]; then',
        "            echo '::error::The repository variable MLOPS_HOME is not set. Give it the path of a"
        " folder that all runners of this workflow share, or run everything in one job: mlops run.'",
        "            exit 2",
        "          fi",
    ]


def _set_up() -> list[str]:
    return [
        "      - name: Check out",
        f"        uses: {_CHECKOUT}",
        "        with:",
        "          persist-credentials: false",
        "      - name: Set up Python",
        _UNLESS_INSTALLED,
        f"        uses: {_PYTHON}",
        "        with:",
        '          python-version: "3.11"',
        "      - name: Install  # the same in every job: what makes the command mlops",
        _UNLESS_INSTALLED,
        "        run: pip install -c constraints.txt -e .",
    ]


def _fetch() -> list[str]:
    return [
        "      - name: Fetch receipts",
        f"        uses: {_DOWNLOAD}",
        "        with:",
        "          pattern: receipts-*",
        f"          path: {_RUN}",
        "          merge-multiple: true",
    ]


def _attempt(
    document: PipelineDocument, task: TaskEntry, form: Sequence[Parameter], *, words: bool
) -> list[str]:
    """The step that runs the task. `words`: keep what it says, for the summary."""
    command, env = command_of(document, task, form, retries=True), {"RUN": _RUN}
    line = command_line(command) + ' --run "$RUN"'
    defaults = {one.name: one.default for one in form if one.default is not None}
    if not task.upstream and defaults:
        env["DEFAULTS"] = scalar(literal(json.dumps(defaults, ensure_ascii=False)))
        line += ' --parameters "$DEFAULTS"'
    if not task.upstream and form:
        env["INPUTS"] = expression("toJSON(inputs)")
        line += ' --parameters "$INPUTS"'
    if words:
        env["WORDS"] = _WORDS
        line += ' 2>&1 | tee "$WORDS"'
    return _step("Run the task", [*meant(command), line], env, settings=True, id="task")


def _keep(task: TaskEntry, job: str) -> list[str]:
    """The receipt as an artifact. Why a task failed is told by the log alone, where secrets are masked."""
    file = receipt_file(task.name).rpartition("/")[2]
    lines = [
        "      - name: Keep the receipt",
        f"        uses: {_UPLOAD}",
        "        with:",
        f"          name: receipts-{job}",
        "          path: |",
        *([] if task.upstream else [f"            {_RUN}/run.json"]),
        f"            {_RUN}/*/{file}",  # the artifact has the folders from the wildcard on
        "          if-no-files-found: error",
        "          overwrite: true",
        "          retention-days: 30",
    ]
    return [*lines, "          include-hidden-files: true"] if file.startswith(".") else lines


def _ask(document: PipelineDocument) -> list[str]:
    command = ["mlops", "task", "question", document.use_case]
    lines = [
        "code=0",
        *meant(command),
        f'{command_line(command)} --run "$RUN" > "$WORDS" || code=$?',
        'case "$code" in',
        f'  0) {_BODY} < "$WORDS" >> "$GITHUB_STEP_SUMMARY" ;;',
        f"  {_NOBODY_ASKED}) ;; # nobody is asked",
        '  *) exit "$code" ;;',
        "esac",
    ]
    return _step("Show the question", lines, {"RUN": _RUN, "WORDS": _WORDS}, settings=True)


def _tell() -> list[str]:
    return _step("Tell how it ended", [_TO_SUMMARY], {"WORDS": _WORDS}, condition=_RAN)


def _step(
    name: str,
    lines: Sequence[str],
    env: Mapping[str, str],
    *,
    settings: bool = False,
    id: str | None = None,  # noqa: A002 - the workflow's own word
    condition: str | None = None,
) -> list[str]:
    """A step that runs a shell script; `env` as YAML. `settings`: with those that are secrets, if set."""
    secrets = _SECRETS if settings else ()
    values = {**env, **{name: expression(f"secrets.{name}") for name in secrets}}
    return [
        f"      - name: {name}",
        *([f"        id: {id}"] if id else []),
        *([f"        if: {expression(condition)}"] if condition else []),
        "        env:",
        *(f"          {name}: {value}" for name, value in values.items()),
        # A secret that is not set comes as an empty text, which is no setting.
        *script([*(f'[ -n "${name}" ] || unset {name}' for name in secrets), *lines], " " * 8),
    ]
