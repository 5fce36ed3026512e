"""Online stores of every kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlops_core.adapters.feature_store.feast_process import FeastProcess
from mlops_core.adapters.online_store.feast import FeastOnlineStore
from mlops_core.adapters.online_store.memory import MemoryOnlineStore
from mlops_core.adapters.online_store.redis import RedisOnlineStore
from mlops_core.adapters.online_store.sqlite import SQLiteOnlineStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mlops_core.ports import OnlineStore

KINDS = [
    "memory",
    "sqlite",
    pytest.param("redis", marks=pytest.mark.live),
    pytest.param("feast", marks=pytest.mark.live),
]


@pytest.fixture(scope="session")
def feast(feast_python: Path) -> Iterator[FeastProcess]:
    """Feast, started once."""
    process = FeastProcess(feast_python)
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
