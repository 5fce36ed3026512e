"""Real servers under load while a bad release is on trial: it is taken back, and callers never fail."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest

from mlops_core.adapters.deployer.local import LocalDeployer
from mlops_core.adapters.trainer.memory import MemoryTrainer
from mlops_core.adapters.trainer.sklearn import SklearnTrainer
from mlops_core.domain.candidates import LogisticRegression
from mlops_core.domain.release import Bundle, Probes
from mlops_core.domain.traffic import Bounds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mlops_core.domain.release import Release
    from mlops_core.domain.traffic import Share
    from mlops_core.domain.usecase import UseCase

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("served_wrong.py")


@contextmanager
def server(home: Path, command: Sequence[str], log: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A process that serves; gives its URL."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "MLOPS_HOME": str(home)}
    with (
        log.open("w") as stream,
        subprocess.Popen(  # noqa: S603 - our own program, no shell
            [sys.executable, *command], env=environment, stdout=subprocess.PIPE, stderr=stream, text=True
        ) as process,
    ):
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+?(?=;|\s|$)", process.stdout.readline())
            assert found is not None, log.read_text()
            yield found[0], process
        finally:
            process.kill()


class Callers:
    """Two threads that ask about one random row again and again, and keep who answered with what."""

    def __init__(self, *urls: str) -> None:
        self.urls = urls
        self.answers: list[tuple[int, int]] = []
        self._stop = threading.Event()

    def ask(self, seed: int) -> None:
        """Until told to stop."""
        random = np.random.default_rng(seed)
        with httpx.Client(timeout=30) as client:
            while not self._stop.is_set():
                one(client, self.urls[len(self.answers) % len(self.urls)], random, self.answers)

    @contextmanager
    def calling(self) -> Iterator[None]:
        """While the body runs."""
        with ThreadPoolExecutor(2) as pool:
            asking = [pool.submit(self.ask, seed) for seed in range(2)]
            try:
                yield
            finally:
                self._stop.set()
        for asked in asking:
            asked.result()

    def seen(self, version: int) -> int:
        """How many answers it gave."""
        return sum(answer == version for _, answer in self.answers)


def one(client: httpx.Client, url: str, random: np.random.Generator, answers: list[tuple[int, int]]) -> None:
    """Ask for one row, and keep status and version."""
    tensors = [
        {"name": name, "shape": [1], "datatype": "FP64", "data": [float(random.normal(2, 2))]}
        for name in ("orders", "basket")
    ]
    answer = client.post(f"{url}/v2/models/churn/infer", json={"inputs": tensors})
    answers.append((answer.status_code, int(answer.json().get("model_version", 0))))


def versions(url: str, times: int) -> set[int]:
    """Which versions answer."""
    found: list[tuple[int, int]] = []
    with httpx.Client(timeout=30) as client:
        for _ in range(times):
            one(client, url, np.random.default_rng(len(found)), found)
    assert {status for status, _ in found} == {200}
    return {version for _, version in found}


def share(deployer: LocalDeployer) -> Share:
    found = deployer.status("churn").share
    assert found is not None
    return found


def until(condition: Callable[[], object]) -> None:
    """Wait for it, for half a minute at most."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


@pytest.fixture
def real(tmp_path: Path, use_case: UseCase) -> tuple[LocalDeployer, Release, Release]:
    """Two releases for `mlops serve`, the first of which serves; the second is too high by 0.3 and proved."""
    trainer, rows = SklearnTrainer(), np.random.default_rng(5).normal(2, 2, (400, 2))
    deployer = LocalDeployer(home=tmp_path / "home", trainer=trainer)
    releases = []
    for version, bar in ((1, 3.0), (2, 1.0)):
        model = trainer.fit(LogisticRegression(), rows, (rows[:, 0] > bar).astype(np.int8))
        folder = tmp_path / f"fitted-{version}"
        folder.mkdir()
        model.save(folder)
        expected = tuple(model.predict(rows[:4]).tolist())
        probes = Probes(rows=tuple(map(tuple, rows[:4].tolist())), expected=expected)
        bundle: dict[str, Any] = {
            "name": "churn",
            "version": version,
            "digest": model.digest(),
            "candidate": "logistic",
            "model_folder": str(folder),
            "use_case": use_case.model_dump_json(),
            "feature_names": use_case.feature_names,
            "threshold": 0.5,
            "probes": probes,
        }
        releases.append(deployer.prepare(Bundle(**bundle)))
    deployer.activate(releases[0])
    return deployer, releases[0], releases[1]


def test_servers_agree_on_a_bad_release_and_killed_ones_begin_where_they_stood(
    tmp_path: Path, real: tuple[LocalDeployer, Release, Release]
) -> None:
    """`mlops serve` twice on one state folder; SIGKILL during the trial, and after the verdict."""
    deployer, _, bad = real
    home, command = tmp_path / "home", ("-m", "mlops_core.cli", "serve", "churn", "--port", "0")
    deployer.share(bad, 30)
    with ExitStack() as stack:
        killed, process = stack.enter_context(server(home, command, tmp_path / "killed.log"))
        assert versions(killed, 40) == {1, 2}
        os.kill(process.pid, signal.SIGKILL)
        assert share(deployer).ended is None
        one_url, one_process = stack.enter_context(server(home, command, tmp_path / "one.log"))
        other_url, _ = stack.enter_context(server(home, command, tmp_path / "other.log"))
        until(lambda: versions(one_url, 10) == {1, 2})
        callers = Callers(one_url, other_url)
        with callers.calling():
            until(lambda: share(deployer).ended)
            time.sleep(1)  # two looks of the other server
        assert {status for status, _ in callers.answers} == {200}
        assert callers.seen(2) >= 100
        assert versions(one_url, 20) == versions(other_url, 20) == {1}
        assert "population stability index" in str(share(deployer).ended)
        assert (share(deployer).requests or 0) >= 100
        os.kill(one_process.pid, signal.SIGKILL)
        again, _ = stack.enter_context(server(home, command, tmp_path / "again.log"))
        assert versions(again, 20) == {1}
    logs = "".join((tmp_path / f"{name}.log").read_text() for name in ("one", "other"))
    taken_back = re.findall(r"version 2 of churn is taken back after (\d+) requests", logs)
    assert min(map(int, taken_back)) <= 150
    assert "Traceback" not in logs


@pytest.mark.parametrize(("how", "most"), [("some_raise", 0), ("slow", 3)])
def test_a_release_that_breaks_is_taken_back_and_no_caller_fails(
    tmp_path: Path, make_bundle: Callable[..., Bundle], how: str, most: int
) -> None:
    """It raises for some rows, or takes 50 ms where 25 are allowed; `most` callers get its bad answers."""
    deployer = LocalDeployer(home=tmp_path / "home", trainer=MemoryTrainer())
    deployer.activate(deployer.prepare(make_bundle(1)))
    bounds = Bounds(shift=None, latency_ms=25.0 if how == "slow" else None)
    with server(tmp_path / "home", (str(SCRIPT), str(tmp_path / "home"), how), tmp_path / "log") as (url, _):
        until(lambda: httpx.get(f"{url}/v2/health/ready").is_success)
        deployer.share(deployer.prepare(make_bundle(2)), 50, bounds=bounds)
        callers = Callers(url)
        with callers.calling():
            until(lambda: share(deployer).ended)
            time.sleep(0.5)
        assert versions(url, 20) == {1}
    assert {status for status, _ in callers.answers} == {200}
    found = share(deployer)
    if how == "slow":
        assert callers.seen(2) <= most
        assert "took more than 25 ms" in str(found.ended)
    else:
        assert (found.errors or 0) >= 2
        answered = (found.requests or 0) - (found.errors or 0)
        assert abs(callers.seen(2) - answered) <= 2  # two callers, whose last requests nobody counted
