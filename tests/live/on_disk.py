"""A desk whose ledger and releases are files, with nothing in it that takes long to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.adapters.deployer.local import LocalDeployer
from mlops_core.adapters.ledger.sqlite import SQLiteLedger
from mlops_core.workspace import Workspace
from tests.promotion.conftest import MemoryEngines
from tests.promotion.desk import Desk

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["desk_on_disk"]


def desk_on_disk(home: Path, *, patience: float = 30.0) -> Desk:
    """The registry is in memory, and so knows only what this process registered."""
    engines = MemoryEngines(Workspace(home), ledger=SQLiteLedger(home / "ledger.db", patience=patience))
    engines.deployer = LocalDeployer(home=home, trainer=engines.trainer)
    return Desk(engines)
