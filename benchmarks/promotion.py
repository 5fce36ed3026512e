"""Promotion and rollback: what they cost over moving an alias of MLflow, which promises nothing.

Run from the repository's root, where nothing else runs::

    python -m benchmarks.promotion    # under a minute

Two versions of a small scikit-learn model go to Production in turn, in a state folder of their own with the
default engines (ledger and MLflow in SQLite, releases in folders); both releases lie ready. Beside it, on the
same MLflow store, in turn with the others: `set_registered_model_alias`, and nothing else. Medians of the
calls, in a process that has MLflow imported; the last lines are whole processes of `mlops rollback`. What is
timed for the pointer is when callers get the other version.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import sqlite3
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version as version_of
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from mlops_core.domain.candidates import LogisticRegression
from mlops_core.domain.digest import digest_of
from mlops_core.domain.gates import Check, GateDecision, GatePolicy
from mlops_core.domain.ledger import Archived, Draft
from mlops_core.domain.profiles import Distribution, FeatureProfile
from mlops_core.domain.registry import Lineage, Submission
from mlops_core.domain.release import Probes
from mlops_core.promotion import decide, enter, promote, put_into_production, roll_back, serve, standing_of
from mlops_core.settings import Settings
from mlops_core.wiring import ConfiguredEngines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mlops_core.domain.registry import ModelVersion

__all__ = ["LINES", "main"]

ROOT = Path(__file__).parents[1]
NAME = "churn"
POLICY = GatePolicy(floor=0.5)
ACTOR, REASON = "benchmark", "to measure it"
WORDS: dict[str, Any] = {"actor": ACTOR, "reason": REASON}
ALIAS = "alias of MLflow moved, nothing else"
LINES = (
    ALIAS,
    "one entry appended to the ledger",
    "promoted and served",
    "promoted, served and shown by MLflow",
    "rolled back, until callers get it",
    "rolled back, until it returns",
    "`mlops rollback`, until callers get it",
    "`mlops rollback`, until the process ends",
)
_LIBRARIES = ("mlflow-skinny", "scikit-learn", "sqlalchemy")


class Bench:
    """A state folder with two versions, of which one is in Production."""

    def __init__(self, home: Path) -> None:
        home.mkdir()
        self.home = home
        self.engines = ConfiguredEngines(Settings(home=home, actor=ACTOR))
        self.versions = [enter(self.engines, self._submission(seed)) for seed in (1, 2)]
        for version in self.versions:
            self.judge(version)
            put_into_production(self.engines, version, POLICY, **WORDS)
        self.seconds: dict[str, list[float]] = {line: [] for line in LINES}

    @property
    def other(self) -> ModelVersion:
        """The version that is not in Production."""
        production = standing_of(self.engines, NAME).production
        return next(version for version in self.versions if version.number != production)

    def judge(self, version: ModelVersion) -> None:
        """Enter what the gate would say, so that it can be promoted."""
        standing = standing_of(self.engines, NAME)
        decision = GateDecision(
            verdict="passed",
            version=version.number,
            model_digest=version.digest,
            champion=standing.production,
            champion_digest=standing.champion,
            checks=(Check(name="floor", outcome="passed", sentence="roc_auc is 0.81"),),
            policy=POLICY,
            code=self.engines.code.whole,
        )
        decide(self.engines, version, decision)

    def timed(self, line: str, call: Callable[..., object], *words: Any, **options: Any) -> None:
        """Note what a call takes."""
        begun = time.perf_counter()
        call(*words, **options)
        self.seconds[line].append(time.perf_counter() - begun)

    def move_alias(self, client: Any, number: int) -> None:
        """What is compared with: callers who ask MLflow get the other version."""
        self.timed(ALIAS, client.set_registered_model_alias, NAME, "benchmark", str(number))

    def append(self) -> None:
        """An entry of another name, so that the ledger of this one stays what it was."""
        ledger, model = self.engines.ledger, self.versions[0].digest
        draft = Draft(version=1, model=model, event=Archived(successor=2), **WORDS)
        head = len(ledger.entries("benchmark"))
        self.timed(LINES[1], ledger.append, "benchmark", [draft], after=head)

    def promote(self, *, shown: bool) -> None:
        """The other version, with MLflow told or not."""
        version = self.other
        self.judge(version)
        if shown:
            call, line = put_into_production, LINES[3]
            self.timed(line, call, self.engines, version, POLICY, named=True, **WORDS)
        else:
            self.timed(LINES[2], self._promote, version)
        self._check(version)

    def roll_back(self) -> None:
        """To the other version, in this process."""
        version, begun = self.other, time.time_ns()
        self.timed(LINES[5], roll_back, self.engines, NAME, to=version.number, **WORDS)
        self.seconds[LINES[4]].append(self._moved(begun))
        self._check(version)

    def roll_back_by_command(self) -> None:
        """To the other version, by the command line."""
        version, begun = self.other, time.time_ns()
        words = ["rollback", NAME, "--to", str(version.number), "--reason", REASON]
        environment = {**os.environ, "MLOPS_HOME": str(self.home), "MLOPS_ACTOR": ACTOR}
        command = [
            sys.executable,
            "-c",
            "import sys; from mlops_core.cli import main; sys.exit(main())",
            *words,
        ]
        self.timed(LINES[7], subprocess.run, command, env=environment, check=True, capture_output=True)
        self.seconds[LINES[6]].append(self._moved(begun))
        self._check(version)

    def _promote(self, version: ModelVersion) -> None:
        promote(self.engines, version, POLICY, named=True, **WORDS)
        serve(self.engines, NAME, **WORDS)

    def _moved(self, begun: int) -> float:
        """Seconds from an instant of the clock until the pointer was replaced."""
        pointer = self.home / "releases" / NAME / "current.json"
        return (pointer.stat().st_mtime_ns - begun) / 1e9

    def _check(self, version: ModelVersion) -> None:
        release = self.engines.deployer.current(NAME)
        assert release is not None
        assert release.version == version.number

    def _submission(self, seed: int) -> Submission:
        import numpy as np

        random = np.random.default_rng(seed)
        rows = random.normal(size=(500, 8))
        labels = (rows[:, 0] + random.normal(size=500) > 0).astype(np.int8)
        model = self.engines.trainer.fit(LogisticRegression(), rows, labels)
        folder = self.home / "models" / str(seed)
        folder.mkdir(parents=True)
        model.save(folder)
        names = tuple(f"f{number}" for number in range(rows.shape[1]))
        flat = Distribution(edges=(0.0,), shares=(0.5, 0.5), missing=0.0)
        return Submission(
            name=NAME,
            digest=digest_of([model.digest(), seed]),
            candidate="logistic",
            folder=str(folder),
            feature_names=names,
            threshold=0.5,
            metrics={"roc_auc": 0.81},
            parameters={},
            use_case='{"name": "churn"}',
            lineage=_lineage(seed),
            probes=Probes(
                rows=tuple(tuple(map(float, row)) for row in rows[:32]),
                expected=tuple(map(float, model.predict(rows[:32]))),
            ),
            profile=FeatureProfile(rows=500, features=dict.fromkeys(names, flat)),
        )


def _lineage(seed: int) -> Lineage:
    from datetime import UTC, datetime

    parts = {name: digest_of([name, seed]) for name in ("definitions", "training_set", "candidate")}
    return Lineage(
        use_case=NAME,
        data={"purchases": digest_of(["data", seed])},
        code=digest_of("code"),
        as_of=datetime(2024, 5, 31, tzinfo=UTC),
        **parts,
    )


def measure(bench: Bench, rounds: int, commands: int) -> None:
    """Everything in turn, so that what else the machine does falls on all alike."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{bench.home / 'mlflow' / 'mlflow.db'}")
    client.set_registered_model_alias(NAME, "benchmark", "1")  # opened before anything is timed
    for number in range(rounds):
        bench.move_alias(client, 2 - number % 2)
        bench.append()
        bench.promote(shown=False)
        bench.promote(shown=True)
        bench.roll_back()
    for _ in range(commands):
        bench.roll_back_by_command()


def table(seconds: dict[str, list[float]]) -> Iterable[str]:
    """Lines of Markdown."""
    bare = median(seconds[ALIAS])
    yield "| | calls | median, ms | nine in ten under, ms | times the bare alias |"
    yield "| --- | --: | --: | --: | --: |"
    for line, taken in seconds.items():
        worst = quantiles(taken, n=10, method="inclusive")[-1]
        middle = median(taken)
        yield f"| {line} | {len(taken)} | {middle * 1e3:,.1f} | {worst * 1e3:,.1f} | {middle / bare:,.2f} |"


def main(words: list[str]) -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.promotion", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--rounds", type=int, default=30, help="calls of each kind (30)")
    parser.add_argument("--commands", type=int, default=7, help="processes of `mlops rollback` (7)")
    options = parser.parse_args(words)
    print(_machine(), f"\nCommand: `{shlex.join(['python', '-m', 'benchmarks.promotion', *words])}`\n")
    with tempfile.TemporaryDirectory(prefix="promotion-") as folder:
        bench = Bench(Path(folder) / "home")
        first = standing_of(bench.engines, NAME).head
        measure(bench, options.rounds, options.commands)
        last = standing_of(bench.engines, NAME).head
    print(*table(bench.seconds), sep="\n")
    print(f"\nThe ledger of the model had {first} entries before and {last} after.")


def _machine() -> str:
    found = ", ".join(f"{name} {version_of(name)}" for name in _LIBRARIES)
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"Machine: {os.cpu_count()} processors, {platform.machine()}, load {load} at the start, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {found}"
    )


if __name__ == "__main__":
    os.chdir(ROOT)
    main(sys.argv[1:])
