"""An event history in a fresh folder, on real engines."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import pytest

from mlops_core.adapters.feature_store.duckdb import DuckDBOfflineStore
from mlops_core.adapters.online_store.memory import MemoryOnlineStore
from mlops_core.history import EventHistory
from mlops_core.provenance import Code
from mlops_core.workspace import Workspace
from tests.history.shop import START

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import Engines, OfflineStore, OnlineStore


@dataclass
class Clock:
    """A clock that stands still until it is set."""

    now: datetime = START + timedelta(days=100)

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Bench:
    """The engines that a feature store needs, and a clock."""

    workspace: Workspace
    offline: OfflineStore = field(default_factory=DuckDBOfflineStore)
    online: OnlineStore = field(default_factory=MemoryOnlineStore)
    clock: Clock = field(default_factory=Clock)
    code: Code = field(default_factory=lambda: Code({}))

    def history(self, use_case: UseCase) -> EventHistory:
        return EventHistory(use_case, cast("Engines", self), clock=self.clock)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Real engines on an empty state folder."""
    return Bench(Workspace(tmp_path / "home"))
