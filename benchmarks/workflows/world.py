"""Where a scenario takes place: a repository, a state folder and a GitHub of its own."""

from __future__ import annotations

import json
import os
import shutil
import stat
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from benchmarks.parity.processes import environment, script, to_end
from benchmarks.workflows.checkout import head_of
from benchmarks.workflows.states import SHOP
from mlops_core.settings import Settings
from mlops_core.wiring import ConfiguredEngines
from tests.live.actions.act import run_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from benchmarks.workflows.scenario import Run
    from mlops_core.domain.standing import Standing
    from tests.github.fake import FakeGitHub
    from tests.kubernetes.fake_api import FakeApi
    from tests.live.actions.act import WorkflowRun

__all__ = ["World"]


@dataclass
class World:
    """`folder` holds all of it: the repository, the state folder `home`, the user's home, artifacts.

    `ended` are the runs so far, `base` is the copy of the checkout. `cluster` is the fake API server of
    Kubernetes, where a scenario has one.
    """

    folder: Path
    home: Path
    base: Path
    github: FakeGitHub
    ended: list[WorkflowRun]
    cluster: FakeApi | None = None

    @cached_property
    def repository(self) -> Path:
        """A copy of the checkout that this scenario may change."""
        return shutil.copytree(self.base, self.folder / "repository", symlinks=True)

    @cached_property
    def base_commit(self) -> str:
        """The commit that the checkout is."""
        return head_of(self.base)

    def play(self, run: Run) -> WorkflowRun:
        """Run it to its end."""
        if run.before is not None:
            run.before(self)
        if run.disturbing:
            self._disturb(run.disturbing)
        number = len(self.ended)
        payload = self.folder / f"event-{number}.json"
        if run.payload is not None:
            payload.write_text(json.dumps(run.payload(self)))
        inputs = run.inputs(self) if callable(run.inputs) else run.inputs
        variables = run.variables(self) if callable(run.variables) else run.variables
        shared = {"MLOPS_HOME": str(self.home), "MLOPS_INSTALLED": "true", "MLOPS_USE_CASE": SHOP}
        done = run_in(
            self.repository,
            f".github/workflows/{run.workflow}.yml",
            self.folder / f"run-{number}",
            environment=self._environment() | dict(run.environment(self) if run.environment else {}),
            inputs=inputs,
            variables=shared | dict(variables),
            secrets={"GITHUB_TOKEN": self.github.token, **run.secrets},
            event=run.event,
            payload=payload if run.payload is not None else None,
        )
        self.ended.append(done)
        return done

    def mlops(self, *words: str, **more: str) -> str:
        """What a person does in a shell; returns what it said."""
        told = self._environment() | {"GITHUB_TOKEN": self.github.token} | more
        done = to_end([script("mlops"), *words], told, self.base)
        if done.code:
            raise AssertionError(f"mlops {' '.join(words)}: {done.code}\n{done.said}{done.errors}")
        return done.said

    @property
    def standing(self) -> Standing:
        """What the ledger says of the model."""
        from mlops_core.promotion import standing_of

        return standing_of(ConfiguredEngines(Settings(home=self.home)), "shop")

    def in_production(self) -> int | None:
        """The version in Production by the ledger, if what serves is the same; otherwise -1."""
        current = self.home / "releases" / "shop" / "current.json"
        serves = (
            int(json.loads(current.read_text())["release"].partition("-")[0]) if current.exists() else None
        )
        return serves if serves == self.standing.production else -1

    def promotions(self) -> int:
        """How often a version was promoted."""
        from mlops_core.domain.ledger import Promoted

        engines = ConfiguredEngines(Settings(home=self.home))
        return sum(isinstance(entry.event, Promoted) for entry in engines.ledger.entries("shop"))

    def statuses(self) -> list[str]:
        """The states of the only GitHub deployment, oldest first; the first is that of who dispatched."""
        (statuses,) = self.github.state()["statuses"].values()
        return [one["state"] for one in statuses]

    def dispatched(self) -> dict[str, str]:
        """What the newest run that was dispatched is told."""
        inputs: dict[str, str] = self.github.state()["runs"][-1]["inputs"]
        return inputs

    def said(self, job: str, run: int = -1) -> str:
        """What a job said."""
        return self.ended[run].logs[job]

    def _environment(self) -> dict[str, str]:
        """The code is that of the working directory: each job's checkout, as if it were installed from it."""
        user = self.folder / "user"
        user.mkdir(exist_ok=True)
        made = environment(
            user,
            MLOPS_HOME=str(self.home),
            MLOPS_GITHUB_API=self.github.url,
            MLOPS_GITHUB_REPOSITORY=self.github.repository,
            PYTHONPATH=".",
        )
        made["PATH"] = f"{self._commands}{os.pathsep}{made['PATH']}"
        made.pop("MLOPS_ACTOR")  # the workflows say who acts
        return made

    def command(self, name: str, script: str) -> None:
        """Put a command on the PATH of the jobs, before any other of this name."""
        self._commands.mkdir(exist_ok=True)
        file = self._commands / name
        file.write_text(f"#!/usr/bin/env bash\n{script}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)

    @property
    def _commands(self) -> Path:
        return self.folder / "bin"

    def _disturb(self, disturbing: Mapping[str, str]) -> None:
        """Have a command `mlops` add words to the calls that match a pattern."""
        cases = "\n".join(f'  {pattern}) set -- "$@" {words} ;;' for pattern, words in disturbing.items())
        self.command("mlops", f'case "$*" in\n{cases}\nesac\nexec {script("mlops")} "$@"')
