"""GitHub workflows run by `act` on this machine, without GitHub and without Docker.

Jobs are processes of this machine, in `needs` order, two at a time. Third-party actions are the stubs beside
this file; checkout is act's own, and copies the folder that the workflow lies in. What act does not enforce
(concurrency, permissions, time-outs, schedules) is not tested with it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["WorkflowRun", "run_workflow"]

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
    """How a workflow ended: by the name of each job success, failure or skipped, what it said, its summary.

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
    inputs: Mapping[str, object] | None = None,
    variables: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
    event: str = "workflow_dispatch",
    seconds: float = 300,
) -> WorkflowRun:
    """Run a workflow's text to its end in `folder`, which is made.

    `environment` is that of the processes, in which `mlops` is put on the PATH; `variables` and `secrets`
    are the repository's.
    """
    repository, artifacts = folder / "repository", folder / "artifacts"
    for one in (repository, artifacts):
        one.mkdir(parents=True)
    (repository / "workflow.yml").write_text(workflow)
    options = {"input": inputs, "var": variables, "secret": secrets, "env": {"ARTIFACTS": artifacts}}
    told = [
        f"--{kind}={name}={_told(value)}"
        for kind, of in options.items()
        for name, value in (of or {}).items()
    ]
    files = ["--workflows=workflow.yml", f"--action-cache-path={folder / 'cache'}"]
    path = f"{BIN}{os.pathsep}{environment['PATH']}"
    command = [str(BIN / "act"), event, *files, *ACT, *_stubs(workflow), *told]
    ended = _end(command, repository, {**environment, "PATH": path}, seconds)
    return _read(workflow, ended, artifacts)


def _told(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _stubs(workflow: str) -> Iterator[str]:
    """Each action that the workflow uses, whichever version it is pinned to, from the folder of its name."""
    for used in sorted(set(re.findall(r"uses: (actions/[^\s@]+@\S+)", workflow))):
        stub = STUBS / used.partition("@")[0].removeprefix("actions/")
        if stub.is_dir():
            yield f"--local-repository={used}={stub}"


def _end(
    command: list[str], cwd: Path, environment: Mapping[str, str], seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run it to its end; one that takes too long is asked to stop, so that it stops its jobs itself."""
    with subprocess.Popen(  # noqa: S603 - act, with words of our own
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.terminate()
            output, _ = process.communicate(timeout=30)
            raise AssertionError(f"act took more than {seconds} s:\n{output[-5000:]}") from None
    return subprocess.CompletedProcess(command, process.returncode, output)


def _read(workflow: str, ended: subprocess.CompletedProcess[str], artifacts: Path) -> WorkflowRun:
    jobs = {key: one.get("name", key) for key, one in yaml.safe_load(workflow)["jobs"].items()}
    states, logs, summaries = (dict.fromkeys(jobs, empty) for empty in ("skipped", "", ""))
    for line in ended.stdout.splitlines():
        said: dict[str, Any] = json.loads(line)
        job = said.get("jobID")
        if job is None:
            continue
        states[job] = said.get("jobResult", states[job])
        logs[job] += f"{said['msg'].rstrip()}\n"
        summaries[job] += said["content"] if said.get("command") == "summary" else ""
    named = ({jobs[key]: value for key, value in of.items()} for of in (states, logs, summaries))
    return WorkflowRun(ended.returncode, artifacts, *named)
