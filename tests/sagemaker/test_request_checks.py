"""The check of requests finds what the service would refuse, of each kind; and every request is checked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sagemaker.request_checks import RefusedRequest, faults

pytestmark = pytest.mark.live  # botocore takes its time

GOOD: dict[str, Any] = {
    "EndpointName": "mlops-churn",
    "EndpointConfigName": "mlops-churn-1",
    "DeploymentConfig": {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": "CANARY",
                "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 10},
                "WaitIntervalInSeconds": 600,
            },
            "MaximumExecutionTimeoutInSeconds": 1800,
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]},
    },
}


@pytest.fixture(scope="module")
def shape() -> Any:
    """Of UpdateEndpoint's request."""
    import botocore.session  # type: ignore[import-untyped]  # it has no types

    model = botocore.session.get_session().get_service_model("sagemaker")
    return model.operation_model("UpdateEndpoint").input_shape


def changed(value: Any, *path: str | int) -> dict[str, Any]:
    """The good request with another value somewhere."""

    def put(inner: Any, keys: tuple[str | int, ...]) -> Any:
        if not keys:
            return value
        copy = inner.copy()
        copy[keys[0]] = put(inner[keys[0]], keys[1:])
        return copy

    return dict(put(GOOD, path))


POLICY = ("DeploymentConfig", "BlueGreenUpdatePolicy")
ROUTING = (*POLICY, "TrafficRoutingConfiguration")
ALARMS = ("DeploymentConfig", "AutoRollbackConfiguration", "Alarms")


def test_a_good_request_has_no_fault(shape: Any) -> None:
    assert faults(shape, GOOD) == []


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        pytest.param(changed("BLUE", *ROUTING, "Type"), "'BLUE', not one of", id="enum"),
        pytest.param(changed("mlops_churn", "EndpointName"), "does not match", id="pattern"),
        pytest.param(changed("a" * 64, "EndpointName"), "has 64, not 0 to 63", id="too long"),
        pytest.param(changed("", *ALARMS, 0, "AlarmName"), "has 0, not 1 to 255", id="too short"),
        pytest.param(changed(599, *POLICY, "MaximumExecutionTimeoutInSeconds"), "has 599, not 600", id="low"),
        pytest.param(changed(3601, *ROUTING, "WaitIntervalInSeconds"), "has 3601, not 0 to 3600", id="high"),
        pytest.param(changed([], *ALARMS), "has 0, not 1 to 10", id="too few"),
        pytest.param(changed([{"AlarmName": "a"}] * 11, *ALARMS), "has 11, not 1 to 10", id="too many"),
    ],
)
def test_a_bad_one_of_each_kind_is_found(shape: Any, bad: dict[str, Any], says: str) -> None:
    assert any(says in fault for fault in faults(shape, bad))


def test_keys_and_values_of_a_map_are_looked_at() -> None:
    import botocore.session

    model = botocore.session.get_session().get_service_model("sagemaker")
    environment = model.shape_for("EnvironmentMap")
    assert faults(environment, {"MLOPS_RELEASE": "s3://a"}) == []
    assert faults(environment, {"1-bad": "a"})
    assert faults(environment, {"A": "a" * 1025})


def test_a_tag_may_have_letters_of_any_language() -> None:
    import botocore.session

    value = botocore.session.get_session().get_service_model("sagemaker").shape_for("TagValue")
    assert faults(value, "größe: 1/2") == []
    assert faults(value, "a*b")


def test_a_bad_request_never_leaves_a_client_of_the_suite(request: pytest.FixtureRequest) -> None:
    from tests.deployer.sagemaker_rig import moto_aws

    moto = moto_aws(request)
    with moto.environment(), pytest.raises(RefusedRequest, match=r"UpdateEndpoint: \.EndpointName"):
        moto.aws.ask("update_endpoint", EndpointName="mlops_churn", EndpointConfigName="a")
