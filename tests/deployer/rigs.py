"""The targets that the conformance suite runs over. A new one is one entry here and a module with its rig."""

from __future__ import annotations

from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.deployer.rig import Rig

__all__ = ["CLOUDS", "RIGS", "made"]

CLOUDS = ("kubernetes", "sagemaker", "vertex")
"""Each has `tests/deployer/<name>_rig.py` with `fake(request, folder)` and `real(folder)`, contexts that give
a `Rig`: of what stands in for it here, and of the one that the settings name."""

RIGS = [
    "memory",
    "local",
    pytest.param("memory platform", marks=pytest.mark.live),
    *(pytest.param(f"{name} (fake)", marks=pytest.mark.live) for name in CLOUDS),
    *(pytest.param(f"{name} (real)", marks=pytest.mark.cloud) for name in CLOUDS),
]


@contextmanager
def made(name: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Rig]:
    """A target by its name above, empty; `folder` is the test's own."""
    target, _, kind = name.partition(" (")
    if kind == "fake)":
        with import_module(f"tests.deployer.{target}_rig").fake(request, folder) as rig:
            yield rig
    elif kind == "real)":
        if request.config.getoption("--target") != target:
            pytest.skip(f"another target: --target {target}")
        with import_module(f"tests.deployer.{target}_rig").real(folder) as rig:
            yield rig
    elif name == "memory platform":
        from tests.deployer.memory_platform import MemoryPlatformRig

        yield MemoryPlatformRig(folder / "published")
    else:
        from tests.deployer.own_rigs import LocalRig, MemoryRig

        yield MemoryRig() if name == "memory" else LocalRig(folder / "home")
