"""A bench to plan and run on, empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.planning.bench import Bench

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Nothing was run on it yet."""
    return Bench(tmp_path)
