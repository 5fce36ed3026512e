"""What is somebody else's is left alone, and what is ours goes when nothing needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mlops_core.errors import BadInput
from tests.sagemaker.account import alarms, configs, models

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.domain.release import Bundle
    from tests.deployer.sagemaker_rig import FakeSageMakerRig

    MakeBundle = Callable[..., Bundle]

pytestmark = pytest.mark.live  # boto3 and moto take their time

VARIANT: dict[str, Any] = {
    "VariantName": "theirs",
    "ModelName": "theirs",
    "InstanceType": "ml.m5.large",
    "InitialInstanceCount": 1,
    "InitialVariantWeight": 1.0,
}


def versions(found: dict[str, Any], stem: str = "mlops-churn-") -> list[int]:
    """Versions in the names of models or configurations of a use case."""
    return sorted(int(name.removeprefix(stem).split("-")[0]) for name in found if name.startswith(stem))


def test_an_endpoint_of_somebody_else_is_neither_shown_nor_touched(
    rig: FakeSageMakerRig, make_bundle: MakeBundle
) -> None:
    release = rig.deployer.prepare(make_bundle())
    environment = rig.deployer._placed(release).environment
    container = {"Image": "theirs:1", "Environment": environment}
    rig.aws.ask(
        "create_model",
        ModelName="theirs",
        PrimaryContainer=container,
        ExecutionRoleArn="arn:aws:iam::123456789012:role/theirs",
    )
    rig.aws.ask("create_endpoint_config", EndpointConfigName="theirs", ProductionVariants=[VARIANT])
    rig.aws.ask("create_endpoint", EndpointName="mlops-churn", EndpointConfigName="theirs")
    for refused in (
        lambda: rig.deployer.activate(release),
        lambda: rig.deployer.status("churn"),
        lambda: rig.deployer.withdraw("churn"),
    ):
        with pytest.raises(BadInput, match="mlops-churn at SageMaker is not one of 'churn'"):
            refused()
    assert rig.endpoints.known("mlops-churn").config == "theirs"


def test_a_model_of_that_name_with_another_container_is_refused(
    rig: FakeSageMakerRig, make_bundle: MakeBundle
) -> None:
    release = rig.deployer.prepare(make_bundle())
    rig.aws.ask(
        "create_model",
        ModelName=rig.platform._making.named(rig.deployer._placed(release)),
        PrimaryContainer={"Image": "theirs:1"},
        ExecutionRoleArn="arn:aws:iam::123456789012:role/theirs",
    )
    with pytest.raises(BadInput, match="there is another model mlops-churn-1-"):
        rig.deployer.activate(release)
    assert rig.endpoints.endpoints == {}


def test_only_what_serves_and_what_served_before_is_kept(
    rig: FakeSageMakerRig, make_bundle: MakeBundle
) -> None:
    """Of trials nothing, and of another use case whose name begins alike everything."""
    rig.deployer.activate(rig.deployer.prepare(make_bundle(9, name="churn_2")))
    strange = {**VARIANT, "ModelName": next(iter(models()))}
    rig.aws.ask("create_endpoint_config", EndpointConfigName="mlops-churn-x", ProductionVariants=[strange])
    theirs = {name for name in (*models(), *configs()) if "churn-2-" in name} | {"mlops-churn-x"}
    for version in (1, 2, 3, 4):
        release = rig.deployer.prepare(make_bundle(version))
        if version == 3:
            rig.deployer.share(release, 10)
        rig.deployer.activate(release)
    kept = {name for name in models() if name not in theirs}
    assert versions(dict.fromkeys(kept)) == [3, 4]
    assert versions(dict.fromkeys(set(configs()) - theirs)) == [3, 4]
    assert {name.split("-")[2] for name in alarms()} == {"3", "4"}
    assert theirs <= {*models(), *configs()}


def test_going_back_needs_nothing_made_again(rig: FakeSageMakerRig, make_bundle: MakeBundle) -> None:
    """The model and the configuration of what served before are still there."""
    first, second = (rig.deployer.prepare(make_bundle(version)) for version in (1, 2))
    rig.deployer.activate(first)
    rig.deployer.activate(second)
    made = {*models(), *configs()}
    rig.deployer.activate(first)
    assert {*models(), *configs()} == made


def test_what_cannot_be_deleted_does_not_fail_a_delivery(
    rig: FakeSageMakerRig, make_bundle: MakeBundle, caplog: pytest.LogCaptureFixture
) -> None:
    rig.endpoints.failing["list_models"] = ("AccessDeniedException", "not authorized")
    for version in (1, 2):
        rig.deployer.activate(rig.deployer.prepare(make_bundle(version)))
    assert rig.call("churn", 5) == {2: 5}
    assert "sagemaker:ListModels" in caplog.text
