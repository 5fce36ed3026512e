"""The fake of Vertex AI as a target, and bundles for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.deployer.conftest import make_bundle, trainer, use_case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mlops_core.domain.release import Bundle, Release
    from tests.deployer.vertex_rig import FakeVertexRig

__all__ = ["make_bundle", "three", "trainer", "use_case", "vertex"]


@pytest.fixture
def vertex(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FakeVertexRig]:
    """Empty; `.vertex` is the fake itself."""
    from tests.deployer.vertex_rig import fake  # here: Google's library takes seconds to import

    with fake(request, tmp_path) as rig:
        yield rig


@pytest.fixture
def three(vertex: FakeVertexRig, make_bundle: Callable[..., Bundle]) -> tuple[Release, Release, Release]:
    """Releases, the first of which serves."""
    deployer = vertex.deployer
    one, two, three = (deployer.prepare(make_bundle(version)) for version in (1, 2, 3))
    deployer.activate(one)
    return one, two, three
