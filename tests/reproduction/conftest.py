"""Shops that delivered a version, were told of late and corrected orders, and delivered another."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.reproduction.checkout import Checkout, committed
from tests.reproduction.shop import Store, late_and_corrected, orders, shop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mlops_core.adapters.registry.memory import MemoryModelRegistry


def _twice(home: Path, *, recorded: bool) -> Store:
    store = Store(home, shop(recorded=recorded))
    store.deliver(orders())
    store.deliver(late_and_corrected(datetime.now(UTC)))
    return store


@pytest.fixture(scope="session")
def told_late(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Its orders say when they were recorded. Tests must not change it."""
    return _twice(tmp_path_factory.mktemp("told_late") / "home", recorded=True)


@pytest.fixture(scope="session")
def told_nothing(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Its orders do not. Tests must not change it."""
    return _twice(tmp_path_factory.mktemp("told_nothing") / "home", recorded=False)


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[Store], Store]:
    """Makes a copy of a shop that may be changed."""

    def copied(store: Store) -> Store:
        shutil.copytree(store.home, tmp_path / "home")
        registry: MemoryModelRegistry = store.engines.registry  # type: ignore[assignment] # as it was made
        return Store(tmp_path / "home", store.use_case, registry)

    return copied


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """Its code has moved on since it delivered: amounts count double now."""
    made = Checkout(tmp_path_factory.mktemp("checkout"))
    file = made.folder / "mlops_core" / "stages" / "matrix.py"
    text = file.read_text()
    assert ".to_numpy() for name" in text
    file.write_text(text.replace(".to_numpy() for name", ".to_numpy() ** 2 for name"))
    committed(made.folder, "now")
    yield made
    assert made.processes() == []
