"""A real server, with scikit-learn and SQLite, asked all the time while releases change under it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import numpy as np
import pyarrow as pa
import pytest

from mlops_core.adapters.deployer.local import LocalDeployer
from mlops_core.adapters.online_store.sqlite import SQLiteOnlineStore
from mlops_core.domain.candidates import GradientBoosting
from mlops_core.domain.release import Bundle, Probes, Release

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from mlops_core.domain.usecase import UseCase

pytestmark = pytest.mark.live

SCRIPT = Path(__file__).with_name("served.py")


@pytest.fixture
def home(tmp_path: Path, use_case: UseCase, as_of: datetime) -> Path:
    """A state folder with online features of one customer."""
    table = pa.table({"id": [1], "orders": [3], "basket": [20.0]})
    SQLiteOnlineStore(tmp_path / "home" / "online.db").write(use_case.online_name, table, ["id"], as_of)
    return tmp_path / "home"


@pytest.fixture
def deploy(home: Path, tmp_path: Path, use_case: UseCase) -> Callable[[int], Release]:
    """Fit, prepare and activate a version; each predicts otherwise."""
    from mlops_core.adapters.trainer.sklearn import SklearnTrainer

    def deployed(version: int) -> Release:
        rows = np.random.default_rng(version).normal(size=(400, 2))
        trainer = SklearnTrainer()
        model = trainer.fit(GradientBoosting(trees=5), rows, (rows[:, 0] > version / 9).astype(np.int8))
        folder = tmp_path / f"model-{version}"
        folder.mkdir()
        model.save(folder)
        probes = Probes(
            rows=tuple(map(tuple, rows[:4].tolist())), expected=tuple(model.predict(rows[:4]).tolist())
        )
        bundle = Bundle(
            name="churn",
            version=version,
            digest=model.digest(),
            candidate="boosting",
            model_folder=str(folder),
            use_case=use_case.model_dump_json(),
            feature_names=use_case.feature_names,
            threshold=0.5,
            probes=probes,
        )
        deployer = LocalDeployer(home=home, trainer=trainer)
        release = deployer.prepare(bundle)
        deployer.activate(release)
        return release

    return deployed


@contextmanager
def _server(home: Path) -> Iterator[tuple[httpx.Client, subprocess.Popen[str]]]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(SCRIPT), str(home)]
    with subprocess.Popen(  # noqa: S603 - our own script, no shell
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().removeprefix("serving at ").strip()
            with httpx.Client(base_url=url, timeout=30) as client:
                yield client, process
        finally:
            process.kill()


class _Asking:
    """Asks for one customer again and again, from two threads, and keeps what came."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._stop = threading.Event()
        self.answers: list[tuple[int, int, float]] = []

    def ask(self) -> None:
        """Until told to stop."""
        while not self._stop.is_set():
            answer = self._client.post("/predict", json={"ids": [1]})
            content = answer.json()
            probability = content["predictions"][0]["probability"] if answer.is_success else -1.0
            self.answers.append((answer.status_code, content.get("version", 0), probability))

    def heard(self, version: int) -> bool:
        """Whether the last answer came from this version."""
        return bool(self.answers) and self.answers[-1][1] == version

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """While the body runs."""
        with ThreadPoolExecutor(2) as pool:
            asking = [pool.submit(self.ask) for _ in range(2)]
            try:
                yield
            finally:
                self._stop.set()
        for one in asking:
            one.result()


def test_releases_change_under_load_without_one_failed_request(
    home: Path, deploy: Callable[[int], Release]
) -> None:
    """Followed without a restart, each version with its own answer; SIGTERM ends it in order."""
    with _server(home) as (client, process):
        assert client.get("/v2/health/ready").status_code == 503
        deploy(1)
        _until(lambda: client.get("/v2/health/ready").status_code == 200)
        asking = _Asking(client)
        with asking.going_on():
            for version in (1, 2, 3):
                if version > 1:
                    deploy(version)
                _until(partial(asking.heard, version))
        assert {status for status, _, _ in asking.answers} == {200}
        assert len({(version, probability) for _, version, probability in asking.answers}) == 3
        process.send_signal(signal.SIGTERM)
        output, log = process.communicate(timeout=30)
    assert (process.returncode, output) == (0, "stopped\n"), log


def test_a_tampered_release_never_serves(home: Path, deploy: Callable[[int], Release]) -> None:
    """The version before it goes on answering, and the log says once why; Ctrl-C ends it in order."""
    pointer = home / "releases" / "churn" / "current.json"
    deploy(1)
    first = pointer.read_bytes()
    second = deploy(2)
    tampered = pointer.read_bytes()
    (home / second.uri / "model" / "model.json").write_text("{}")
    pointer.write_bytes(first)
    with _server(home) as (client, process):
        _until(lambda: client.post("/predict", json={"ids": [1]}).json()["version"] == 1)
        pointer.write_bytes(tampered)
        time.sleep(1)  # ten looks at it
        assert client.get("/v2/health/ready").status_code == 200
        assert client.post("/predict", json={"ids": [1]}).json()["version"] == 1
        process.send_signal(signal.SIGINT)
        _, log = process.communicate(timeout=30)
    assert process.returncode == 0, log
    assert log.count("was changed after it was released") == 1
    assert "Traceback" not in log


def _until(condition: Callable[[], object]) -> None:
    """Wait for it, for half a minute at most."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)
