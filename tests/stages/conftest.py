"""A pipeline whose engines are all in memory: the stages' own behaviour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mlops_core.workspace import Workspace
from tests.stages.shop import SHOP, MemoryEngines, Shop, purchases

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pyarrow as pa

    from mlops_core.dag import Context
    from mlops_core.domain.usecase import UseCase


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """An empty shop."""
    return Shop(tmp_path, MemoryEngines(Workspace(tmp_path / "home")))


@pytest.fixture
def make_purchases() -> Callable[..., pa.Table]:
    """The generator of purchases."""
    return purchases


@pytest.fixture
def shop_use_case() -> UseCase:
    """The definitions of the shop."""
    return SHOP


@pytest.fixture
def receipts_of() -> Callable[[Context], dict[str, Any]]:
    """The receipts of a run, without what the runner adds."""
    return lambda context: {name: value for name, value in context.items() if name != "execution_order"}
