"""What SageMaker and CloudWatch are asked to make: a model, a configuration, alarms, a guarded update."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_core.adapters.sagemaker.names import NAME, SERVING, SHADOW, TRIAL, config_name, model_name, tags_of
from mlops_core.errors import BadInput

if TYPE_CHECKING:
    from mlops_core.adapters.deployer.platform import Placed, Trial
    from mlops_core.domain.traffic import Bounds
    from mlops_core.target_settings import TargetSettings

__all__ = ["Configuration", "alarms", "guarded", "model", "only", "with_trial"]

_SECONDS_TO_START = 600  # a container fetches its release and proves it before it is healthy
_CANARY = 10  # percent of the new servers that callers get first
_LONGEST_UPDATE = 28_800  # SageMaker allows no more
_SHORTEST_UPDATE = 600
_TO_START_SERVERS = 1_200  # seconds, beside those that are waited
_SERVING_WEIGHT = 1.0  # of a lone variant; a shadow's weight counts against it


def model(placed: Placed, settings: TargetSettings) -> dict[str, Any]:
    """`CreateModel`: the server's image, told of the release by its variables, as everywhere.

    The container fetches the release itself, by the role's credentials, and compares every file. SageMaker
    could copy the files instead (ModelDataSource), and the container then have no network; but what it adds
    to that folder would be refused, the bucket would have to be in the endpoint's region, and features are
    read over the network anyway.
    """
    if settings.image is None:
        raise BadInput("MLOPS_TARGET is sagemaker: name the server's image in ECR with MLOPS_IMAGE")
    if settings.sagemaker_role is None:
        raise BadInput(
            "MLOPS_TARGET is sagemaker: name the role that models run as with MLOPS_SAGEMAKER_ROLE"
        )
    made = {
        "PrimaryContainer": {
            "Image": settings.image,
            "Environment": {**placed.environment, "MLOPS_LOG_FORMAT": "json"},
        },
        "ExecutionRoleArn": settings.sagemaker_role,
    }
    tags = {NAME: placed.name, "mlops:version": str(placed.version), "mlops:digest": placed.digest}
    return {"ModelName": model_name(placed, made), **made, "Tags": tags_of(tags)}


@dataclass(frozen=True)
class Configuration:
    """`CreateEndpointConfig`: what serves, and what is on trial beside it."""

    name: str
    request: dict[str, Any]

    @classmethod
    def of(
        cls,
        serving: Placed,
        variants: list[dict[str, Any]],
        *,
        trial: Placed | None = None,
        shadows: list[dict[str, Any]] | None = None,
    ) -> Configuration:
        """A configuration of these variants, with what they serve in its tags."""
        made: dict[str, Any] = {"ProductionVariants": variants}
        if shadows:
            made["ShadowProductionVariants"] = shadows
        name = config_name(serving.name, serving.version, made)
        tags = {NAME: serving.name, f"mlops:{SERVING}": _told(serving)}
        if trial is not None:
            tags[f"mlops:{TRIAL}"] = _told(trial)
        return cls(name=name, request={"EndpointConfigName": name, **made, "Tags": tags_of(tags)})


def only(placed: Placed, model_named: str, settings: TargetSettings) -> Configuration:
    """All callers get this release."""
    return Configuration.of(placed, [_variant(SERVING, model_named, settings, _SERVING_WEIGHT)])


def with_trial(
    serving: Placed, serving_variant: dict[str, Any], trial: Trial, model_named: str, settings: TargetSettings
) -> Configuration:
    """A variant beside the one that serves, which stays as it is.

    A trial has as many servers as what serves: its share may grow without new ones. A shadow is sent as many
    of the requests as its weight is of that of the variant which serves.
    """
    if trial.shadow:
        shadow = _variant(SHADOW, model_named, settings, trial.percent / 100 * _SERVING_WEIGHT)
        return Configuration.of(
            serving,
            [{**serving_variant, "InitialVariantWeight": _SERVING_WEIGHT}],
            trial=trial.placed,
            shadows=[shadow],
        )
    beside = _variant(TRIAL, model_named, settings, float(trial.percent))
    kept = {**serving_variant, "InitialVariantWeight": float(100 - trial.percent)}
    return Configuration.of(serving, [kept, beside], trial=trial.placed)


def without_trial(serving: Placed, serving_variant: dict[str, Any]) -> Configuration:
    """What serves, alone and otherwise as it is."""
    return Configuration.of(serving, [{**serving_variant, "InitialVariantWeight": _SERVING_WEIGHT}])


def alarms(*, endpoint: str, config: str, variant: str, bounds: Bounds) -> list[dict[str, Any]]:
    """`PutMetricAlarm` for each bound that CloudWatch can judge, of that configuration's servers alone.

    It knows neither a shift of scores nor a number of requests to wait for: a bad minute is enough.
    https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html
    """
    dimensions = {"EndpointName": endpoint, "VariantName": variant, "EndpointConfigName": config}
    common = {
        "Namespace": "AWS/SageMaker",
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
        "Period": 60,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
    }
    found: list[dict[str, Any]] = []
    if bounds.error_rate is not None:
        rate = {"MetricName": "Invocation5XXErrors", "Statistic": "Average", "EvaluationPeriods": 1}
        found.append({**common, **rate, "Threshold": bounds.error_rate})
    if bounds.latency_ms is not None:
        # In microseconds; servers that have just started are slow for a minute
        slow = {"MetricName": "ModelLatency", "ExtendedStatistic": "p99", "EvaluationPeriods": 3}
        found.append({**common, **slow, "DatapointsToAlarm": 2, "Threshold": bounds.latency_ms * 1_000})
    return [{"AlarmName": f"{config}-{variant}-{one['MetricName']}", **one} for one in found]


def guarded(names: list[str], settings: TargetSettings) -> dict[str, Any]:
    """`DeploymentConfig`: a tenth of the callers first, the others when no alarm went off meanwhile.

    One server has no tenth: the callers of a lone one go over at once, and back when an alarm goes off.
    """
    bake = settings.sagemaker_bake
    canary = settings.instances > 1
    routing: dict[str, Any] = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
    if canary:
        size = {"Type": "CAPACITY_PERCENT", "Value": _CANARY}
        routing = {"Type": "CANARY", "CanarySize": size, "WaitIntervalInSeconds": bake}
    after = bake // 5 if canary else bake
    longest = max(_SHORTEST_UPDATE, math.ceil(settings.target_timeout), bake + after + _TO_START_SERVERS)
    policy = {
        "TrafficRoutingConfiguration": routing,
        "TerminationWaitInSeconds": after,
        "MaximumExecutionTimeoutInSeconds": min(longest, _LONGEST_UPDATE),
    }
    deployment: dict[str, Any] = {"BlueGreenUpdatePolicy": policy}
    if names:
        deployment["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": name} for name in names]}
    return deployment


def _variant(name: str, model_named: str, settings: TargetSettings, weight: float) -> dict[str, Any]:
    return {
        "VariantName": name,
        "ModelName": model_named,
        "InstanceType": settings.sagemaker_instance,
        "InitialInstanceCount": settings.instances,
        "InitialVariantWeight": weight,
        "ContainerStartupHealthCheckTimeoutInSeconds": _SECONDS_TO_START,
    }


def _told(placed: Placed) -> str:
    return f"{placed.version}:{placed.digest}"
