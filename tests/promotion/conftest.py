"""Desks at which versions are registered, judged, promoted and rolled back, every engine in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from mlops_core.adapters.deployer.memory import MemoryDeployer
from mlops_core.adapters.ledger.memory import MemoryLedger
from mlops_core.adapters.registry.memory import MemoryModelRegistry
from mlops_core.adapters.reporter.memory import MemoryReporter
from mlops_core.adapters.trainer.memory import MemoryTrainer
from mlops_core.provenance import Code
from mlops_core.workspace import Workspace
from tests.promotion.desk import ASKING, Desk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_core.ports import Deployer, Ledger, ModelRegistry, Reporter, Trainer


CODE = Code({})  # one for all tests: it looks at every source file


@dataclass
class MemoryEngines:
    """Every port that promotion uses, in memory; only the workspace is a folder."""

    workspace: Workspace
    trainer: Trainer = field(default_factory=MemoryTrainer)
    registry: ModelRegistry = field(default_factory=MemoryModelRegistry)
    ledger: Ledger = field(default_factory=MemoryLedger)
    reporter: Reporter = field(default_factory=MemoryReporter)
    deployer: Deployer = field(init=False)
    dispatcher: Any = None
    actor: str = "ana"
    code: Code = CODE
    offline: Any = None
    online: Any = None

    def __post_init__(self) -> None:
        self.deployer = MemoryDeployer(self.trainer)


@pytest.fixture
def make_desk(tmp_path: Path) -> Callable[..., Desk]:
    """Makes a desk of its own; options replace its policy."""

    def made(**options: Any) -> Desk:
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        return Desk(MemoryEngines(Workspace(home)), **options)

    return made


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    """A desk with nothing on it, whose policy asks for no person."""
    return make_desk()


@pytest.fixture
def asking(make_desk: Callable[..., Desk]) -> Desk:
    """A desk with nothing on it, whose policy asks for a person's approval."""
    return make_desk(policy=ASKING)
