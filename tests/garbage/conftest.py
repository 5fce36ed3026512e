"""A store in a fresh folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.garbage.store import Store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A shop to which nothing was delivered yet."""
    return Store(tmp_path)
