"""Releases at S3, which SageMaker's servers fetch by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlops_core.errors import IntegrityError, MlopsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlops_core.domain.release import Bundle
    from tests.deployer.sagemaker_rig import FakeSageMakerRig

    MakeBundle = Callable[..., Bundle]

pytestmark = pytest.mark.live  # boto3 and moto take their time


@pytest.fixture
def rig(request: pytest.FixtureRequest) -> Iterator[FakeSageMakerRig]:
    """A deployer to the fake and moto's S3, with nothing there yet."""
    from tests.deployer.sagemaker_rig import fake_with_s3  # here: boto3 and moto take their time

    with fake_with_s3(request) as rig:
        yield rig


def test_a_release_is_published_served_and_found_again(
    rig: FakeSageMakerRig, make_bundle: MakeBundle
) -> None:
    first, second = (rig.deployer.prepare(make_bundle(version)) for version in (1, 2))
    assert first.uri == f"s3://releases/models/churn/1-{first.digest[:12]}"
    rig.deployer.activate(first)
    rig.deployer.share(second, 30)
    assert set(rig.call("churn", 20)) == {1, 2}
    assert rig.deployer.current("churn") == first
    assert rig.deployer.find("churn", 2, second.digest) == second
    rig.deployer.activate(second)
    assert rig.call("churn", 5) == {2: 5}


def test_a_container_that_does_not_start_changes_nothing(
    rig: FakeSageMakerRig, make_bundle: MakeBundle
) -> None:
    """Its files were changed on the way, say: SageMaker goes back, and its reason is passed on."""
    first, second = (rig.deployer.prepare(make_bundle(version)) for version in (1, 2))
    rig.deployer.activate(first)
    placed = rig.deployer._placed(second)
    rig.tamper(second)
    with pytest.raises(IntegrityError, match="did not pass the ping health check"):
        rig.platform.serve(placed)
    assert rig.call("churn", 5) == {1: 5}
    assert "ping health check" in (rig.deployer.status("churn").why or "")


def test_a_bucket_that_is_not_there_is_named(rig: FakeSageMakerRig, make_bundle: MakeBundle) -> None:
    from tests.deployer.sagemaker_rig import SageMakerRig

    settings = rig.settings.model_copy(update={"artifacts": "s3://nowhere/models"})
    deployer = SageMakerRig(settings, rig.aws, rig._trainer).deployer
    with pytest.raises(MlopsError, match="s3://nowhere/models"):
        deployer.prepare(make_bundle())
