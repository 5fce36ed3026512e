"""The same in one process, from an exported file, and in a process for each stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.parity.on_this_machine import FromFile, InProcess, TaskChain
from tests.live.parity_suite import Held, delivered, rejected, shop, waiting

if TYPE_CHECKING:
    from benchmarks.parity.way import Way

__all__ = ["delivered", "rejected", "shop", "waiting"]  # fixtures of the suite
pytestmark = pytest.mark.live


class TestInProcess(Held):
    """`mlops run`."""

    @pytest.fixture
    def way(self) -> Way:
        """The way that is tested."""
        return InProcess()


class TestProcesses(Held):
    """The others that need no orchestrator."""

    @pytest.fixture(params=[FromFile, TaskChain], ids=lambda kind: str(kind.__name__))
    def way(self, request: Any) -> Way:
        """The way that is tested."""
        way: Way = request.param()
        return way
