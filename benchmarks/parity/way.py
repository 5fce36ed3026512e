"""A way to run a use case: the same call for each of them."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from benchmarks.parity.found import found_in
from benchmarks.parity.processes import ROOT, WATCH, environment
from benchmarks.parity.result import Result, Watched

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.parity.result import Fault, Ran
    from mlops_core.dag import PipelineDAG

__all__ = ["CHURN", "Job", "Subject", "Way", "run"]


@dataclass(frozen=True)
class Subject:
    """What is run: how commands find the use case, its own name, and how Python is told to run its flow.

    `key` tells it from others of the same name.
    """

    key: str
    use_case: str
    name: str
    flow: tuple[str, ...]

    def dag(self) -> PipelineDAG:
        """Its tasks and what they wait for."""
        from mlops_core.pipeline import build_pipeline
        from mlops_core.settings import Settings
        from mlops_core.usecases import find
        from mlops_core.wiring import ConfiguredEngines

        return build_pipeline(find(self.use_case), ConfiguredEngines(Settings(home=Path("unused"))), data={})


CHURN = Subject("churn", "churn", "churn", ("flows/churn.py",))


@dataclass(frozen=True)
class Job:
    """One run: of what, told what, on which state folder, and what fails in it.

    `folder` is the run's own, for what it writes beside the state folder.
    """

    subject: Subject
    folder: Path
    home: Path
    told: Mapping[str, Any] = field(default_factory=dict)
    fault: Fault | None = None

    @property
    def variables(self) -> dict[str, str]:
        """The environment of the processes that run stages."""
        fault = {"PARITY_FAULT": str(self.fault)} if self.fault else {}
        return environment(
            self.folder,
            MLOPS_HOME=str(self.home),
            PYTHONPATH=f"{WATCH}:{ROOT}",
            PARITY_LOG=str(self.folder / "stages.log"),
            **fault,
        )

    @property
    def options(self) -> list[str]:
        """What it is told, as the options of a command."""
        told = {f"--{name.replace('_', '-')}": value for name, value in self.told.items()}
        return [
            word
            for option, value in told.items()
            for word in ([option] if value is True else [option, str(value)])
        ]


class Way(Protocol):
    """Runs a job and says how it ended; never raises because a stage failed."""

    name: str

    def run(self, job: Job) -> Ran:
        """Run it to its end."""
        ...


def run(
    way: Way,
    home: Path,
    *,
    subject: Subject = CHURN,
    told: Mapping[str, Any] | None = None,
    fault: Fault | None = None,
) -> Result:
    """Run `subject` this way on the state folder `home`, by all accounts."""
    folder = Path(tempfile.mkdtemp(prefix=f"{home.name}-run-", dir=home.parent))
    job = Job(subject, folder, home, told or {}, fault)
    ran = way.run(job)
    return Result(ran, Watched.read(folder / "stages.log"), found_in(home, subject.name))
