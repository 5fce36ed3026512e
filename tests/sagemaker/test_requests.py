"""What SageMaker is asked for, before anybody is asked; the live tests hold it against AWS's own model."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_core.adapters.deployer.platform import Placed, Trial
from mlops_core.adapters.sagemaker import SageMakerPlatform
from mlops_core.adapters.sagemaker.names import config_name, endpoint_name, is_config, is_model, model_name
from mlops_core.adapters.sagemaker.requests import alarms, guarded, model, only, with_trial, without_trial
from mlops_core.domain.traffic import Bounds
from mlops_core.errors import BadInput, DefinitionError
from mlops_core.settings import Settings

ROLE = "arn:aws:iam::123456789012:role/mlops-server"
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,62}", fullmatch=True)


def placed(name: str = "churn", version: int = 1) -> Placed:
    """A published release."""
    url = f"s3://releases/models/{name}/{version}-{'a' * 12}"
    return Placed(name=name, version=version, digest="a" * 64, url=url, manifest="b" * 64)


def settings(**changes: Any) -> Settings:
    """Of a machine that delivers to SageMaker."""
    return Settings(**{"image": "mlops:1", "sagemaker_role": ROLE, **changes})


@given(name=NAMES, version=st.integers(1, 9_999_999))
def test_every_name_fits(name: str, version: int) -> None:
    """63 letters, digits and dashes, as SageMaker wants them, and known again as ours."""
    found = endpoint_name(name), model_name(placed(name, version), {}), config_name(name, version, {})
    for one in found:
        assert len(one) <= 63
        assert one.replace("-", "").isalnum()
        assert not one.endswith("-")
    assert is_model(name, found[1])
    assert is_config(name, found[2])


@given(first=NAMES, second=NAMES)
def test_two_use_cases_never_share_a_name(first: str, second: str) -> None:
    if first != second:
        assert endpoint_name(first) != endpoint_name(second)
        assert not is_model(first, model_name(placed(second), {}))
        assert not is_config(first, config_name(second, 1, {}))


def test_a_name_that_begins_another_does_not_take_its_models() -> None:
    assert not is_model("churn", model_name(placed("churn_2"), {}))
    assert not is_config("churn", config_name("churn_2", 1, {}))


def test_a_model_is_told_of_its_release_and_of_nothing_secret() -> None:
    secrets = {"token": "a-token-of-sixteen"}
    container = model(placed(), settings(**secrets))["PrimaryContainer"]
    assert container["Environment"] == {**placed().environment, "MLOPS_LOG_FORMAT": "json"}


def test_another_image_is_another_model() -> None:
    """A model cannot be changed at SageMaker."""
    names = {model(placed(), settings(image=image))["ModelName"] for image in ("mlops:1", "mlops:2")}
    assert len(names) == 2


@pytest.mark.parametrize(
    ("missing", "says"), [("image", "MLOPS_IMAGE"), ("sagemaker_role", "MLOPS_SAGEMAKER_ROLE")]
)
def test_what_is_not_set_is_named(missing: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        model(placed(), settings(**{missing: None}))


def test_a_role_is_refused_before_aws_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_SAGEMAKER_ROLE", "mlops-server")
    with pytest.raises(DefinitionError, match="arn:aws:iam::ACCOUNT:role/NAME, got 'mlops-server'"):
        Settings.load()


def test_releases_lie_at_s3() -> None:
    with pytest.raises(BadInput, match="s3://BUCKET/PREFIX"):
        SageMakerPlatform.of(settings(artifacts="gs://releases"))


def test_a_trial_leaves_what_serves_as_it_is() -> None:
    """And when it is gone, the configuration is the very one that was there before."""
    before = only(placed(), "the-model", settings())
    serving = before.request["ProductionVariants"][0]
    trial = Trial(placed=placed(version=2), percent=30)
    during = with_trial(placed(), serving, trial, "the-other", settings())
    kept, beside = during.request["ProductionVariants"]
    assert {**kept, "InitialVariantWeight": 1.0} == serving
    assert (kept["InitialVariantWeight"], beside["InitialVariantWeight"]) == (70.0, 30.0)
    assert during.name != before.name
    assert without_trial(placed(), kept) == before


def test_a_shadow_is_weighed_against_what_serves() -> None:
    trial = Trial(placed=placed(version=2), percent=25, shadow=True)
    serving = only(placed(), "the-model", settings()).request["ProductionVariants"][0]
    request = with_trial(placed(), serving, trial, "the-other", settings()).request
    (production,), (shadow,) = request["ProductionVariants"], request["ShadowProductionVariants"]
    assert (production["InitialVariantWeight"], shadow["InitialVariantWeight"]) == (1.0, 0.25)


def test_alarms_are_the_bounds_that_cloudwatch_can_judge() -> None:
    """A rate as it is, milliseconds as microseconds; of the new servers alone."""
    found = alarms(endpoint="e", config="c", variant="serving", bounds=Bounds(error_rate=0.05, latency_ms=20))
    assert [(one["MetricName"], one["Threshold"]) for one in found] == [
        ("Invocation5XXErrors", 0.05),
        ("ModelLatency", 20_000),
    ]
    for one in found:
        assert {"Name": "EndpointConfigName", "Value": "c"} in one["Dimensions"]


def test_a_bound_that_is_lifted_has_no_alarm() -> None:
    bounds = Bounds(error_rate=None, latency_ms=None)
    assert alarms(endpoint="e", config="c", variant="serving", bounds=bounds) == []
    assert "AutoRollbackConfiguration" not in guarded([], settings())


def test_a_lone_server_has_no_tenth() -> None:
    """It is watched after its callers went over, for as long."""
    policy = guarded(["a"], settings(instances=1, sagemaker_bake=300))["BlueGreenUpdatePolicy"]
    assert policy["TrafficRoutingConfiguration"]["Type"] == "ALL_AT_ONCE"
    assert policy["TerminationWaitInSeconds"] == 300


@given(bake=st.integers(0, 3600), longest=st.floats(1, 100_000), instances=st.integers(1, 9))
def test_an_update_has_time_for_all_that_it_waits(bake: int, longest: float, instances: int) -> None:
    """And never more than SageMaker allows."""
    given = settings(sagemaker_bake=bake, target_timeout=longest, instances=instances)
    policy = guarded(["a"], given)["BlueGreenUpdatePolicy"]
    waits = (
        policy["TerminationWaitInSeconds"] + policy["TrafficRoutingConfiguration"]["WaitIntervalInSeconds"]
    )
    assert max(600, waits + 1) <= policy["MaximumExecutionTimeoutInSeconds"] <= 28_800
