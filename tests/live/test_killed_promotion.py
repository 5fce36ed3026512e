"""Killed at any write, a registration, promotion, rollback or deployment is finished by doing it again.

Real SQLite under the ledger and under MLflow, real releases, a real scikit-learn model, real SIGKILL: strace
delivers it just before the nth call of a kind. Every call that changes a folder or brings bytes to the disk
below the state folder is a point, and every one that only writes bytes; in a sample (`tests/every_point.py`)
every second of the former and every sixth of the latter, other ones a step. Of the hundreds that MLflow makes
some are, spread evenly (all calls of its client are killed in `tests/registry`).
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from mlops_core.promotion import lost, strays
from mlops_core.settings import Settings
from mlops_core.wiring import ConfiguredEngines
from tests.every_point import one_in, sample
from tests.live.promotion_steps import CALLS, LAST
from tests.promotion.desk import NAME, Desk, submission

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.live.conftest import Environment

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(shutil.which("strace") is None, reason="strace kills; it is not installed"),
]

SOME = 6 // one_in(2)  # points of MLflow's, a step
BYTES = ("pwrite64", "write")
ARTIFACTS = "mlflow/artifacts/"  # named at random; those of what was deleted stay until `mlflow gc`
UNDER_WAY = "SELECT count(*) FROM runs WHERE status = 'RUNNING' AND lifecycle_stage = 'active'"
MODELS = "SELECT count(*) FROM logged_models WHERE lifecycle_stage = 'active'"


class Step(NamedTuple):
    """What is done, and the state that it begins from."""

    name: str
    argument: str
    begin: str = "judged"
    production: int = 2  # before it
    then: int = 2  # after it


STEPS = [
    Step("register", "4.json"),
    Step("promote", "3", then=3),
    Step("roll back", "1", then=1),
    Step("deploy", "", begin="promoted", production=3, then=3),
]


class Actors:
    """A process whose children take steps on the state folder."""

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.live.promotion_steps"],
            cwd=Path(__file__).parents[2],
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._strace: subprocess.Popen[str] | None = None
        self.log = folder / "log"

    def trace(self) -> None:
        """Let strace note, from here on, who writes, and kill."""
        calls = ",".join(CALLS)
        words = f"strace -f -y -s 0 -o {self.log} -e trace={calls} -e inject={calls}:signal=KILL:when={LAST}"
        self._strace = subprocess.Popen(  # noqa: S603 - our own words
            [*words.split(), "-p", str(self._process.pid)], stderr=subprocess.PIPE, text=True
        )
        assert self._strace.stderr is not None
        said = self._strace.stderr.readline()
        assert "attached" in said, said

    def act(self, *steps: tuple[str, str], kill: tuple[str, int] | None = None) -> tuple[int, int]:
        """Process id and exit code of a child that takes these steps."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"steps": steps, "kill": kill}) + "\n")
        self._process.stdin.flush()
        process, code = json.loads(self._process.stdout.readline())
        return process, code

    def close(self) -> None:
        """End it, and strace with it."""
        self._process.communicate(timeout=60)
        if self._strace is not None:
            self._strace.communicate(timeout=60)


class Theatre:
    """A state folder that is put back between the acts: by `mortal` actors, and by those who mend."""

    def __init__(self, folder: Path, environment: type[Environment]) -> None:
        self.folder, self.home = folder, folder / "home"
        variables = environment(self.home, folder, MLOPS_ACTOR="ana").variables
        self.mortal, self.menders = (Actors(folder, variables) for _ in range(2))

    @property
    def desk(self) -> Desk:
        """The state folder, looked at anew."""
        return Desk(ConfiguredEngines(Settings(home=self.home, actor="ana")))

    def begin(self, state: str) -> None:
        """Put the state folder back."""
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.copytree(self.folder / state, self.home)

    def points(self, process: int, begin: int) -> list[tuple[str, int]]:
        """The calls by which a child wrote below the state folder, by kind and number; or a sample."""
        counts = dict.fromkeys(CALLS, 0)
        ours: list[tuple[str, int]] = []
        of_mlflow: list[tuple[str, int]] = []
        for line in self.mortal.log.read_text().splitlines():
            match = re.match(rf"{process} +(\w+)\(", line)
            if match is None:
                continue
            call = match[1]
            counts[call] += 1
            if str(self.home) in line:
                (of_mlflow if f"{self.home}/mlflow/" in line else ours).append((call, counts[call]))
        chosen = of_mlflow[:: max(1, len(of_mlflow) // SOME)]
        for kind in CALLS:
            of_kind = [point for point in ours if point[0] == kind]
            chosen += sample(of_kind, 6 if kind in BYTES else 2, begin)
        return chosen

    def files(self) -> list[str]:
        """Everything in the state folder but MLflow's artifacts."""
        places = (path.relative_to(self.home).as_posix() for path in self.home.rglob("*"))
        return sorted(place for place in places if not place.startswith(ARTIFACTS))

    def close(self) -> None:
        """End all processes."""
        self.mortal.close()
        self.menders.close()


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory, environment: type[Environment]) -> Iterator[Theatre]:
    """Versions 1 and 2 were delivered one after the other; 3 has passed; a fourth is trained."""
    theatre = Theatre(tmp_path_factory.mktemp("killed"), environment)
    try:
        desk = theatre.desk
        theatre.home.mkdir()
        models = theatre.folder / "models"
        for seed in (1, 2, 3, 4):
            file = theatre.home / f"{seed}.json"
            file.write_text(submission(models, seed, desk.engines.trainer).model_dump_json())
        for seed in (1, 2):
            assert theatre.menders.act(("register", f"{seed}.json"), ("promote", str(seed)))[1] == 0
        assert theatre.menders.act(("register", "3.json"))[1] == 0
        shutil.copytree(theatre.home, theatre.folder / "judged")
        assert theatre.menders.act(("promote unserved", "3"))[1] == 0
        shutil.copytree(theatre.home, theatre.folder / "promoted")
        theatre.mortal.trace()
        yield theatre
    finally:
        theatre.close()


@pytest.mark.parametrize("step", STEPS, ids=[step.name for step in STEPS])
def test_killed_at_any_write_it_is_finished_by_doing_it_again(
    step: Step, theatre: Theatre, tmp_path: Path
) -> None:
    theatre.begin(step.begin)
    process, code = theatre.mortal.act((step.name, step.argument))
    assert code == 0
    points = theatre.points(process, STEPS.index(step))
    assert {"pwrite64", "fdatasync", "unlink"} <= {call for call, _ in points}  # the ledger's at the least
    assert theatre.menders.act(("repair", ""))[1] == 0
    undisturbed = (theatre.desk.kinds, theatre.files())
    survived = 0
    for point in points:
        theatre.begin(step.begin)
        _, code = theatre.mortal.act((step.name, step.argument), kill=point)
        assert code in (0, -signal.SIGKILL), point
        survived += code == 0
        _check_unmended(theatre.desk, step)
        assert theatre.menders.act((step.name, step.argument), ("repair", ""))[1] == 0, point
        assert theatre.desk.kinds == undisturbed[0], point
        assert theatre.files() == undisturbed[1], point
        _check_mended(theatre.desk, step, tmp_path)
    assert survived <= len(points) // 10  # their numbers are those of another run, which may vary a little


def _check_unmended(desk: Desk, step: Step) -> None:
    """What readers see right after the kill is what was before, or what is after."""
    stages = list(desk.stages.values())
    assert stages.count("Production") == 1
    assert desk.standing.production in (step.production, step.then)
    release = desk.engines.deployer.current(NAME)  # compared with its digests
    served = release.version if release else None
    assert served in (2, step.then)


def _check_mended(desk: Desk, step: Step, folder: Path) -> None:
    """One in Production, which serves and which MLflow shows; every version is whole, and no attempt left."""
    assert list(desk.stages.values()).count("Production") == 1
    assert desk.standing.production == desk.served == step.then
    assert strays(desk.engines, NAME) == []
    assert lost(desk.engines, NAME) == []
    for version in desk.engines.registry.versions(NAME):
        into = folder / "fetched"
        into.mkdir()
        desk.engines.registry.fetch(version, into)
        shutil.rmtree(into)
    with closing(sqlite3.connect(desk.engines.workspace.home / "mlflow" / "mlflow.db")) as store:
        assert store.execute(UNDER_WAY).fetchone() == (0,)
        assert store.execute(MODELS).fetchone() == (len(desk.stages),)
