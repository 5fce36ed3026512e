"""An endpoint goes over to another release: guarded, taken back, not started, finished by another call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlops_core.adapters.sagemaker.requests import only
from mlops_core.errors import BadInput, IntegrityError, MlopsError
from tests.deployer.release_server import ONE_ROW

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


def requests_meanwhile(
    rig: FakeSageMakerRig, monkeypatch: pytest.MonkeyPatch, *, each: int
) -> list[tuple[int, str]]:
    """Have callers ask while the platform waits; their answers' statuses, and the variants that gave them."""
    found: list[tuple[int, str]] = []

    def pause(_: float) -> None:
        found.extend(rig.endpoints.invoke(ENDPOINT, None, ONE_ROW)[:2] for _ in range(each))

    monkeypatch.setattr(rig, "pause", pause)
    return found


def test_a_bad_release_is_taken_back_by_its_alarm(
    rig: FakeSageMakerRig, two: tuple[Release, Release], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 500 requests it would have seen a tenth; it sees those of one look, and nobody after that."""
    rig.endpoints.broken, rig.endpoints.looks = {2}, 5
    answers = requests_meanwhile(rig, monkeypatch, each=100)
    with pytest.raises(IntegrityError, match=r"version 2 of 'churn' back by itself: the alarm .*5XXErrors"):
        rig.deployer.activate(two[1])
    assert rig.endpoints.errors == {2: 10}
    assert [status for status, _ in answers].count(500) == 10
    assert rig.endpoints.answers[1] == len(answers) - 10 + 1  # and the deployer's own, at first
    status = rig.deployer.status("churn")
    assert (status.state, status.serving and status.serving.version) == ("ready", 1)
    assert rig.call("churn", 20) == {1: 20}


def test_a_release_that_was_taken_back_is_tried_again(
    rig: FakeSageMakerRig, two: tuple[Release, Release], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The alarm of the first time does not end the second."""
    rig.endpoints.broken = {2}
    requests_meanwhile(rig, monkeypatch, each=20)
    with pytest.raises(IntegrityError, match="Version 1 serves again"):
        rig.deployer.activate(two[1])
    rig.endpoints.broken = set()
    rig.deployer.activate(two[1])
    assert rig.call("churn", 5) == {2: 5}


def test_a_good_release_gets_a_tenth_of_the_callers_first(
    rig: FakeSageMakerRig, two: tuple[Release, Release], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody gets an error."""
    answers = requests_meanwhile(rig, monkeypatch, each=60)
    rig.deployer.activate(two[1])
    assert {status for status, _ in answers} == {200}
    assert 0 < rig.endpoints.answers[2] < 0.2 * len(answers)
    assert rig.call("churn", 5) == {2: 5}


def test_a_lone_server_is_replaced_at_once(
    rig: FakeSageMakerRig, make_bundle: MakeBundle, caplog: pytest.LogCaptureFixture
) -> None:
    rig.settings = rig.settings.model_copy(update={"instances": 1})
    for version in (1, 2):
        rig.deployer.activate(rig.deployer.prepare(make_bundle(version)))
    assert rig.call("churn", 5) == {2: 5}
    assert "one server has no tenth" in caplog.text


def test_an_endpoint_that_failed_is_made_again(rig: FakeSageMakerRig, make_bundle: MakeBundle) -> None:
    """It can only be deleted, as SageMaker has it, and nothing was served by it."""
    release = rig.deployer.prepare(make_bundle())
    placed = rig.deployer._placed(release)
    rig.tamper(release)
    with pytest.raises(MlopsError, match="does not start with version 1: The primary container"):
        rig.platform.serve(placed)
    assert rig.deployer.status("churn").state == "failed"
    rig.deployer.activate(rig.deployer.prepare(make_bundle()))
    assert rig.call("churn", 5) == {1: 5}


def test_a_configuration_that_is_not_known_yet_is_asked_for_again(
    rig: FakeSageMakerRig, make_bundle: MakeBundle
) -> None:
    release = rig.deployer.prepare(make_bundle())
    rig.endpoints.unknown_yet = 3
    rig.deployer.activate(release)
    assert rig.call("churn", 5) == {1: 5}


def test_what_somebody_else_began_is_waited_for(rig: FakeSageMakerRig, two: tuple[Release, Release]) -> None:
    """Meanwhile the status says what still serves."""
    rig.endpoints.stuck = True
    platform = rig.platform
    placed = rig.deployer._placed(two[1])
    wanted = only(placed, platform._making.named(placed), rig.settings)
    platform._make(placed, wanted)
    rig.aws.ask("update_endpoint", EndpointName=ENDPOINT, EndpointConfigName=wanted.name)
    status = rig.deployer.status("churn")
    assert (status.state, status.serving and status.serving.version) == ("changing", 1)
    rig.endpoints.stuck = False
    platform.serve(placed)
    assert rig.call("churn", 5) == {2: 5}


def test_an_image_of_another_region_is_refused(rig: FakeSageMakerRig, make_bundle: MakeBundle) -> None:
    release = rig.deployer.prepare(make_bundle())
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mlops:1"
    rig.settings = rig.settings.model_copy(update={"image": image})
    with pytest.raises(BadInput, match="lies in us-east-1 and the endpoint in eu-west-1"):
        rig.deployer.activate(release)
