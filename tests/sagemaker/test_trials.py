"""A release on trial at SageMaker: by weight, as a shadow, and with alarms that say when it goes wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlops_core.domain.traffic import Bounds
from mlops_core.errors import MlopsError
from tests.deployer.release_server import ONE_ROW
from tests.sagemaker.account import alarms

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.domain.release import Bundle, Release
    from tests.deployer.sagemaker_rig import FakeSageMakerRig

    MakeBundle = Callable[..., Bundle]

pytestmark = pytest.mark.live  # boto3 and moto take their time

ENDPOINT = "mlops-churn"


@pytest.fixture
def two(rig: FakeSageMakerRig, make_bundle: MakeBundle) -> tuple[Release, Release]:
    """Two releases, the first of which serves."""
    first, second = (rig.deployer.prepare(make_bundle(version)) for version in (1, 2))
    rig.deployer.activate(first)
    return first, second


def test_another_share_is_only_another_weight(rig: FakeSageMakerRig, two: tuple[Release, Release]) -> None:
    """No server is started for it."""
    rig.deployer.share(two[1], 10)
    config = rig.endpoints.known(ENDPOINT).config
    rig.deployer.share(two[1], 60)
    assert rig.endpoints.known(ENDPOINT).config == config
    assert rig.endpoints.known(ENDPOINT).weights == {"serving": 40.0, "trial": 60.0}


def test_no_caller_gets_a_trial_any_more_while_its_servers_are_removed(
    rig: FakeSageMakerRig, two: tuple[Release, Release]
) -> None:
    """Which takes minutes: its weight is nought before that, and the status knows of no trial."""
    rig.deployer.share(two[1], 50)
    rig.endpoints.failing["update_endpoint"] = ("ThrottlingException", "Rate exceeded")
    with pytest.raises(MlopsError, match="Rate exceeded"):
        rig.deployer.withdraw("churn")
    assert rig.call("churn", 20) == {1: 20}
    assert rig.deployer.status("churn").share is None
    rig.endpoints.failing.clear()
    rig.deployer.withdraw("churn")
    assert list(rig.endpoints.known(ENDPOINT).weights) == ["serving"]


def test_a_trial_that_fails_is_told_of(rig: FakeSageMakerRig, two: tuple[Release, Release]) -> None:
    """SageMaker does not end it, so the status says how."""
    rig.deployer.share(two[1], 50, bounds=Bounds(error_rate=0.1))
    rig.endpoints.broken = {2}
    for _ in range(10):
        rig.endpoints.invoke(ENDPOINT, None, ONE_ROW)
    assert 0 < rig.endpoints.errors[2] < 10
    why = rig.deployer.status("churn").why or ""
    assert "trial-Invocation5XXErrors (Threshold Crossed: " in why
    assert "mlops traffic churn --end" in why


def test_the_bounds_of_a_trial_are_its_alarms_and_go_with_it(
    rig: FakeSageMakerRig, two: tuple[Release, Release]
) -> None:
    rig.deployer.share(two[1], 5, bounds=Bounds(error_rate=0.2, latency_ms=None))
    (found,) = (alarm for name, alarm in alarms().items() if "-trial-" in name)
    assert found.threshold == 0.2
    rig.deployer.withdraw("churn")
    assert not any("-trial-" in name for name in alarms())


def test_a_shadow_is_sent_its_share_of_the_requests(
    rig: FakeSageMakerRig, two: tuple[Release, Release]
) -> None:
    rig.deployer.share(two[1], 40, shadow=True)
    rig.call("churn", 100)
    assert 30 <= rig.endpoints.shadowed[2] <= 50


def test_a_shadow_that_nobody_may_ask_is_not_left_unproved(
    rig: FakeSageMakerRig, two: tuple[Release, Release]
) -> None:
    """Where SageMaker does not answer for a shadow by its name, there is none."""
    rig.endpoints.shadows_answer = False
    with pytest.raises(MlopsError, match="Variant shadow not found"):
        rig.deployer.share(two[1], 40, shadow=True)
    assert rig.deployer.status("churn").share is None
    assert rig.call("churn", 20) == {1: 20}


def test_a_trial_takes_the_place_of_a_shadow(rig: FakeSageMakerRig, two: tuple[Release, Release]) -> None:
    rig.deployer.share(two[1], 100, shadow=True)
    rig.deployer.share(two[1], 30)
    share = rig.deployer.status("churn").share
    assert share is not None
    assert (share.shadow, share.percent) == (False, 30)
