"""The fake SageMaker for tests of its own, beside the conformance suite's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.deployer.conftest import make_bundle, trainer, use_case

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.deployer.sagemaker_rig import FakeSageMakerRig

__all__ = ["make_bundle", "rig", "trainer", "use_case"]


@pytest.fixture
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FakeSageMakerRig]:
    """A deployer to the fake, with nothing there yet."""
    from tests.deployer.sagemaker_rig import fake  # here: boto3 and moto take their time

    with fake(request, tmp_path) as rig:
        yield rig
