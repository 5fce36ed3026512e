"""Ledgers of every kind."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from mlops_core.adapters.ledger.memory import MemoryLedger
from tests.ledger.drafts import ledger_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mlops_core.ports import Ledger
    from tests.postgresql_server import PostgreSQLServer

POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.live)


@pytest.fixture(scope="session")
def _numbers() -> Iterator[int]:
    return count()


@pytest.fixture
def database(request: pytest.FixtureRequest, _numbers: Iterator[int]) -> Callable[..., str]:
    """Gives the URL of an empty PostgreSQL database at each call, made with options of `createdb`."""
    server: PostgreSQLServer = request.getfixturevalue("postgres_server")
    return lambda *options: server.database(f"ledger_{next(_numbers)}", *options)


@pytest.fixture(params=["sqlite", POSTGRESQL])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The setting of an empty ledger that processes can share."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/new folder/le?d#g%er.db"
    made: Callable[..., str] = request.getfixturevalue("database")
    return made()


@pytest.fixture(params=["memory", "sqlite", POSTGRESQL])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Ledger:
    """An empty ledger of every kind in turn."""
    if request.param == "memory":
        return MemoryLedger()
    if request.param == "sqlite":
        return ledger_at(f"sqlite:///{tmp_path}/ledger.db")
    made: Callable[..., str] = request.getfixturevalue("database")
    return ledger_at(made())
