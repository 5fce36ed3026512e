"""GitHub workflows run by `act` on this machine, without GitHub and without Docker.

Jobs are processes of this machine, in `needs` order, two at a time. Third-party actions are the stubs beside
this file; checkout is act's own, and copies the folder that the workflow lies in; where a commit is named,
it is a stub too. What act does not enforce (concurrency, permissions, time-outs, schedules) is not tested
with it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["WorkflowRun", "run_in", "run_workflow"]

STUBS = Path(__file__).parent
BIN = Path(sys.executable).parent
ACT = (
    "--container-daemon-socket=-",
    "--pull=false",
    "--no-cache-server",
    "--action-offline-mode",
    "--platform=ubuntu-24.04=-self-hosted",
    "--json",
)


@dataclass(frozen=True)
class WorkflowRun:
    """How a workflow ended: by job success, failure or skipped, what it said, its summary.

    `artifacts` has a folder for each artifact.
    """

    exit_code: int
    artifacts: Path
    states: Mapping[str, str]
    logs: Mapping[str, str] = field(repr=False)
    summaries: Mapping[str, str] = field(repr=False)


def run_workflow(
    workflow: str,
    folder: Path,
    *,
    environment: Mapping[str, str],
    seconds: float = 300,
    **told: Any,
) -> WorkflowRun:
    """Run a workflow's text to its end in `folder`, which is made; the result is by the names of its jobs.

    The rest is as for `run_in`, but that `mlops` is put on the PATH.
    """
    repository = folder / "repository"
    repository.mkdir(parents=True)
    (repository / "workflow.yml").write_text(workflow)
    path = f"{BIN}{os.pathsep}{environment['PATH']}"
    whole = {**environment, "PATH": path}
    ended = run_in(repository, "workflow.yml", folder, environment=whole, seconds=seconds, **told)
    names = {key: one.get("name", key) for key, one in yaml.safe_load(workflow)["jobs"].items()}
    states, logs, summaries = (
        {names[key]: value for key, value in of.items()} for of in (ended.states, ended.logs, ended.summaries)
    )
    return replace(ended, states=states, logs=logs, summaries=summaries)


def run_in(
    repository: Path,
    file: str,
    folder: Path,
    *,
    environment: Mapping[str, str],
    inputs: Mapping[str, object] | None = None,
    variables: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
    event: str = "workflow_dispatch",
    payload: Path | None = None,
    seconds: float = 300,
) -> WorkflowRun:
    """Run the workflow `file` of a repository's folder to its end; artifacts and caches go to `folder`.

    `environment` is that of the processes; `variables` and `secrets` are the repository's, `payload` is the
    event's JSON file. The result is by the ids of jobs, those of the workflows that it calls among them; a
    job of a matrix is its id and its values.
    """
    artifacts = folder / "artifacts"
    artifacts.mkdir(parents=True)
    env = {"ARTIFACTS": artifacts, "ORIGIN": repository.absolute()}
    options = {"input": inputs, "var": variables, "secret": secrets, "env": env}
    told = [
        f"--{kind}={name}={_told(value)}"
        for kind, of in options.items()
        for name, value in (of or {}).items()
    ]
    told += [f"--eventpath={payload}"] if payload else []
    texts = list(_called(repository, file))
    files = [f"--workflows={file}", f"--action-cache-path={folder / 'cache'}"]
    labels = [
        f"--platform={label}=-self-hosted" for name, label in (variables or {}).items() if "RUNNER" in name
    ]
    command = [str(BIN / "act"), event, *files, *ACT, *labels, *_stubs(texts), *told]
    ended = _end(command, repository, environment, seconds)
    return _read([job for text in texts for job in _jobs(text)], ended, artifacts)


def _told(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _called(repository: Path, file: str) -> Iterator[str]:
    """The text of a workflow, and of those of its repository that it calls."""
    text = (repository / file).read_text()
    yield text
    for other in sorted(set(re.findall(r"uses: \./(\S+\.ya?ml)", text))):
        yield from _called(repository, other)


def _jobs(text: str) -> Iterator[str]:
    """The ids of its jobs, but for those that are another workflow."""
    return (key for key, job in yaml.safe_load(text)["jobs"].items() if "steps" in job)


def _stubs(texts: Iterable[str]) -> Iterator[str]:
    """Each action that the workflows use, whichever version it is pinned to, from the folder of its name."""
    for used in sorted({one for text in texts for one in re.findall(r"uses: ([\w-]+/[^\s@]+@\S+)", text)}):
        stub = STUBS / used.partition("@")[0].partition("/")[2]
        if stub.is_dir():
            yield f"--local-repository={used}={stub}"


def _end(
    command: list[str], cwd: Path, environment: Mapping[str, str], seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run it to its end; one that takes too long is asked to stop, so that it stops its jobs itself."""
    with subprocess.Popen(  # noqa: S603 - act, with words of our own
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            output, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.terminate()
            output, _ = process.communicate(timeout=30)
            raise AssertionError(f"act took more than {seconds} s:\n{output[-5000:]}") from None
    assert '"jobResult"' in output, f"act ran no job:\n{errors[-3000:]}"
    return subprocess.CompletedProcess(command, process.returncode, output)


def _read(jobs: Iterable[str], ended: subprocess.CompletedProcess[str], artifacts: Path) -> WorkflowRun:
    states: dict[str, str] = {}
    logs: dict[str, str] = {}
    summaries: dict[str, str] = {}
    broken: set[str] = set()
    for line in ended.stdout.splitlines():
        said: dict[str, Any] = json.loads(line)
        if "jobID" not in said:
            continue
        cell = said.get("matrix") or {}
        job = " ".join([said["jobID"], *map(str, cell.values())])
        logs[job] = f"{logs.get(job, '')}{said['msg'].rstrip()}\n"
        summaries[job] = summaries.get(job, "") + (
            said["content"] if said.get("command") == "summary" else ""
        )
        broken |= {job} if said.get("stepResult") == "failure" else set()
        if result := said.get("jobResult"):  # of a whole matrix, as soon as one of its jobs has failed
            states[job] = "success" if cell and job not in broken else result
    for job in jobs:
        if not any(one.partition(" ")[0] == job for one in logs):
            states[job], logs[job], summaries[job] = "skipped", "", ""
    return WorkflowRun(ended.returncode, artifacts, states, logs, summaries)
