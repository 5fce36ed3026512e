"""A state folder with releases to serve, and the process that serves them."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from mlops_core.adapters.deployer.local import LocalDeployer
from mlops_core.adapters.online_store.sqlite import SQLiteOnlineStore
from mlops_core.adapters.trainer.memory import MemoryTrainer
from mlops_core.domain.candidates import LogisticRegression
from mlops_core.domain.features import Count, Mean
from mlops_core.domain.gates import GatePolicy
from mlops_core.domain.labels import NoEventWithin
from mlops_core.domain.release import Bundle, Probes
from mlops_core.domain.sources import Entity, EventSource
from mlops_core.domain.time import days
from mlops_core.domain.usecase import UseCase
from mlops_core.domain.views import FeatureView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Server", "Shop", "until"]

WAIT = 60.0  # seconds that anything may take before it counts as never


class Server(NamedTuple):
    """A running server; its log is a file of JSON lines."""

    process: subprocess.Popen[str]
    host: str
    port: int
    log: Path

    def connection(self) -> http.client.HTTPConnection:
        """A new connection, not yet made."""
        return http.client.HTTPConnection(self.host, self.port, timeout=WAIT)

    def ready(self) -> bool:
        """Whether it says so; not, where nobody answers."""
        connection = self.connection()
        try:
            connection.request("GET", "/v2/health/ready")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


class Shop:
    """A state folder: online features of one customer, and as many releases as are asked for."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self._folder = folder
        self._trainer = MemoryTrainer()
        self._use_case = _use_case()
        table = pa.table({"id": [1], "orders": [3], "basket": [20.0]})
        online = SQLiteOnlineStore(self.home / "online.db")
        online.write(self._use_case.online_name, table, ["id"], datetime(2026, 10, 31, tzinfo=UTC))
        online.close()

    def deploy(self, version: int) -> None:
        """Make a version current; each predicts otherwise."""
        rows = np.array([[0.0, 10.0 + version], [1.0, np.nan], [2.0, 50.0], [9.0, 70.0]])
        model = self._trainer.fit(LogisticRegression(), rows, np.array([0, 0, 1, 1], dtype=np.int8))
        folder = self._folder / f"model-{version}"
        folder.mkdir()
        model.save(folder)
        bundle = Bundle(
            name="churn",
            version=version,
            digest=model.digest(),
            candidate="logistic",
            model_folder=str(folder),
            use_case=self._use_case.model_dump_json(),
            feature_names=self._use_case.feature_names,
            threshold=0.5,
            probes=Probes(
                rows=((0.0, 10.0),), expected=tuple(model.predict(np.array([[0.0, 10.0]])).tolist())
            ),
        )
        deployer = LocalDeployer(home=self.home, trainer=self._trainer)
        deployer.activate(deployer.prepare(bundle))

    def files(self) -> dict[str, str]:
        """Every file of the state folder by the digest of what it holds."""
        return {
            str(path.relative_to(self.home)): sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.home.rglob("*"))
            if path.is_file()
        }

    @contextmanager
    def serving(self, *, drain: float = 0.0, slow: float = 0.0) -> Iterator[Server]:
        """A server of this folder, ready; killed at the end if it still runs."""
        log = self._folder / f"log-{time.monotonic_ns()}"
        command = [
            sys.executable,
            "-m",
            "benchmarks.serving_faults.server",
            str(self.home),
            str(drain),
            str(slow),
        ]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        with (
            log.open("w") as errors,
            subprocess.Popen(  # noqa: S603 - our own module, no shell
                command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
            ) as process,
        ):
            try:
                assert process.stdout is not None
                address = process.stdout.readline().strip().removeprefix("serving at http://")
                host, _, port = address.rpartition(":")
                server = Server(process, host, int(port), log)
                until(server.ready)
                yield server
            finally:
                process.kill()


def until(condition: Callable[[], object]) -> None:
    """Wait for it."""
    deadline = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)


def _use_case() -> UseCase:
    return UseCase(
        name="churn",
        entity=Entity(name="customer", key="id"),
        sources=(EventSource(name="purchases", event_timestamp="at", path=Path("purchases.parquet")),),
        views=(
            FeatureView(
                name="history", source="purchases", features=(Count("orders"), Mean("basket", "amount"))
            ),
        ),
        label=NoEventWithin(name="churned", source="purchases", horizon=days(90)),
        candidates=(LogisticRegression(),),
        gate=GatePolicy(floor=0.7),
    )
