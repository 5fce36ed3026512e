"""Online stores of every kind, and a Redis server of our own."""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING

import pytest
import redis

from mlops_core.adapters.feature_store.feast_process import FeastProcess
from mlops_core.adapters.online_store.feast import FeastOnlineStore
from mlops_core.adapters.online_store.memory import MemoryOnlineStore
from mlops_core.adapters.online_store.redis import RedisOnlineStore
from mlops_core.adapters.online_store.sqlite import SQLiteOnlineStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlops_core.ports import OnlineStore

KINDS = [
    "memory",
    "sqlite",
    pytest.param("redis", marks=pytest.mark.live),
    pytest.param("feast", marks=pytest.mark.live),
]
DATABASES = 5_000


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Redis server that keeps nothing; a database's number completes it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    words = f"--save '' --appendonly no --bind 127.0.0.1 --port {port} --databases {DATABASES}"
    folder = tmp_path_factory.mktemp("redis")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own words
            ["redis-server", *words.replace("''", "").split(" "), "--dir", str(folder)],  # noqa: S607 - PATH
            stdout=log,
        )
    try:
        with closing(redis.Redis(port=port)) as client:
            _wait(client)
        yield f"redis://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(30)


def _wait(client: redis.Redis) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            client.ping()
        except redis.ConnectionError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


@pytest.fixture(scope="session")
def _numbers() -> Iterator[int]:
    return count()


@pytest.fixture
def redis_url(redis_server: str, _numbers: Iterator[int]) -> Callable[[], str]:
    """Gives the URL of an empty database at each call."""
    return lambda: f"{redis_server}{next(_numbers)}"


@pytest.fixture(scope="session")
def feast() -> Iterator[FeastProcess]:
    """Feast, started once; the environment that FEAST_PYTHON names or the cached one has to be there."""
    process = FeastProcess()
    yield process
    process.close()


@pytest.fixture(params=KINDS)
def make(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], OnlineStore]:
    """Makes an empty store of every kind in turn."""
    if request.param == "memory":
        return MemoryOnlineStore
    if request.param == "sqlite":
        return lambda: SQLiteOnlineStore(tmp_path_factory.mktemp("online") / "new folder" / "on line?#%.db")
    if request.param == "feast":
        process: FeastProcess = request.getfixturevalue("feast")
        return lambda: FeastOnlineStore(tmp_path_factory.mktemp("feast"), process=process)
    url: Callable[[], str] = request.getfixturevalue("redis_url")
    return lambda: RedisOnlineStore(url())


@pytest.fixture
def store(make: Callable[[], OnlineStore]) -> OnlineStore:
    """An empty store."""
    return make()
