"""Servers and environments of our own, made when a test first asks for them."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from mlops_core.adapters.feature_store.feast_environment import FEAST
from mlops_core.errors import NotFound
from tests.deployer.rigs import CLOUDS
from tests.longest_first import are_live, longest_first
from tests.postgresql_server import postgresql_binaries, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import redis

    from tests.postgresql_server import PostgreSQLServer

DATABASES = 5_000

# How fast a machine draws examples, or runs one, is no property of ours: work beside it would fail the tests
hypothesis.settings.register_profile(
    "whatever the speed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("whatever the speed")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`pytest -m cloud --target kubernetes`: what deployers do is tried with a real account."""
    parser.addoption("--target", choices=CLOUDS, help="the target that `-m cloud` deploys to, for real")


def pytest_configure(config: pytest.Config) -> None:
    """Forget the settings of who runs the tests; have pytest-xdist hand out live files in the order below.

    A state folder, a ledger or a token in the environment is somebody's own, and no test's, but for those who
    name a target to try.
    """
    own = () if config.getoption("--target") else os.environ
    for name in [one for one in own if one.startswith(("MLOPS_", "GITHUB_")) or one == "GH_TOKEN"]:
        del os.environ[name]
    if are_live(config):
        config.option.loadscopereorder = False


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the fast tests of Prefect's flows together."""
    if are_live(config) or config.getoption("dist") != "loadfile":
        return None
    from tests.one_server import OneServer

    return OneServer(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the live tests that take longest."""
    if are_live(config):
        longest_first(config, items)


@pytest.fixture(scope="session")
def feast_python() -> Path:
    """The interpreter of Feast's environment, which is made in the user's cache when there is none."""
    try:
        return FEAST.default_python()
    except NotFound:
        return FEAST.make(FEAST.cached)


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
        import redis  # here, so that other tests do not wait for it

        with closing(redis.Redis(port=port)) as client:
            _wait(client)
        yield f"redis://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="session")
def _redis_numbers() -> Iterator[int]:
    return count()


@pytest.fixture
def redis_url(redis_server: str, _redis_numbers: Iterator[int]) -> Callable[[], str]:
    """Gives the URL of an empty database at each call."""
    return lambda: f"{redis_server}{next(_redis_numbers)}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgreSQLServer]:
    """A PostgreSQL server: `.url`, and `.database(name)` for the URL of a fresh database."""
    binaries = postgresql_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    with running(binaries) as server:
        yield server


def _wait(client: redis.Redis) -> None:
    import redis

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
