"""An endpoint as SageMaker describes it: what serves there, and what is on trial beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_core.adapters.deployer.platform import Placed, Trial
from mlops_core.adapters.sagemaker.names import NAME, SERVING, SHADOW, TRIAL, endpoint_name
from mlops_core.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_core.adapters.sagemaker.aws import Aws

__all__ = ["CHANGING", "Endpoint", "read", "status_of"]

CHANGING = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})


@dataclass(frozen=True)
class Endpoint:
    """An endpoint of ours. `variants` are its configuration's, by name, `weights` those of now.

    `trial` is there until its variant is gone, also when callers get nothing of it any more.
    """

    name: str
    status: str
    config: str
    reason: str | None
    serving: Placed
    trial: Trial | None
    variants: Mapping[str, Mapping[str, Any]]
    weights: Mapping[str, float]

    @property
    def serving_variant(self) -> dict[str, Any]:
        """The variant that serves, as it was asked for."""
        return dict(self.variants[SERVING])

    @property
    def has_trial(self) -> bool:
        """Whether there is another variant."""
        return len(self.variants) > 1


def status_of(aws: Aws, name: str) -> dict[str, Any] | None:
    """What SageMaker says of the endpoint of a use case; None where there is none."""
    return aws.look("describe_endpoint", EndpointName=endpoint_name(name))


def read(aws: Aws, name: str, described: Mapping[str, Any]) -> Endpoint:
    """An endpoint with what it serves. Raises `BadInput` for one that is not ours."""
    told = str(described["EndpointConfigName"])
    config = aws.look("describe_endpoint_config", EndpointConfigName=told)
    tags = _tags(aws, config["EndpointConfigArn"]) if config else {}
    if config is None or tags.get(NAME) != name:
        raise BadInput(
            f"the endpoint {described['EndpointName']} at SageMaker is not one of {name!r}: its "
            f"configuration {told} has no tag {NAME}={name}. Delete the endpoint, or rename the use case"
        )
    variants = {one["VariantName"]: one for one in _all_variants(config)}
    weights = {one["VariantName"]: float(one.get("DesiredWeight", 0.0)) for one in _all_variants(described)}
    serving = _placed(aws, name, tags[f"mlops:{SERVING}"], variants[SERVING])
    return Endpoint(
        name=str(described["EndpointName"]),
        status=str(described["EndpointStatus"]),
        config=told,
        reason=described.get("FailureReason"),
        serving=serving,
        trial=_trial(aws, name, tags, variants, weights),
        variants=variants,
        weights=weights,
    )


def _trial(
    aws: Aws, name: str, tags: Mapping[str, str], variants: Mapping[str, Any], weights: Mapping[str, float]
) -> Trial | None:
    """What is beside the one that serves, with the share that it has now."""
    beside = SHADOW if SHADOW in variants else TRIAL
    if beside not in variants:
        return None
    shadow = beside == SHADOW
    whole = weights.get(SERVING, 0.0) + (0.0 if shadow else weights.get(beside, 0.0))
    percent = round(100 * weights.get(beside, 0.0) / whole) if whole else 0
    if not percent:
        return None
    placed = _placed(aws, name, tags[f"mlops:{TRIAL}"], variants[beside])
    return Trial(placed=placed, percent=percent, shadow=shadow)


def _placed(aws: Aws, name: str, told: str, variant: Mapping[str, Any]) -> Placed:
    """The release of a variant: version and digest by the configuration's tags, the rest by its model."""
    model = aws.ask("describe_model", ModelName=variant["ModelName"])
    environment = model["PrimaryContainer"]["Environment"]
    version, _, digest = told.partition(":")
    return Placed(
        name=name,
        version=int(version),
        digest=digest,
        url=environment["MLOPS_RELEASE"],
        manifest=environment["MLOPS_RELEASE_MANIFEST"],
    )


def _all_variants(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [*told.get("ProductionVariants", ()), *told.get("ShadowProductionVariants", ())]


def _tags(aws: Aws, arn: str) -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in aws.ask("list_tags", ResourceArn=arn)["Tags"]}
