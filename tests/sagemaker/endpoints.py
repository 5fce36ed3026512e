"""A fake of SageMaker's endpoints, on moto's server: what moto answers otherwise or not at all.

moto's own: models, endpoint configurations, tags, alarms (CloudWatch) and S3.

Ours, in place of moto's: endpoints, which change for some looks before they are in service; UpdateEndpoint
(moto has none) with blue/green updates that alarms end; weights; shadow variants; refusals of what is there
already; InvokeEndpoint, answered by the server of the release that the model's container is told of. By
botocore's model of the API and the pages of AWS on "deployment guardrails" and "shadow variants".

Not copied: IAM, quotas but as told to by a test, instances and the time they take, capacity and autoscaling,
CloudWatch's minutes (an alarm on 5xx answers is judged at each answer, one on latency never), the pull of an
image, network isolation, `FailureReason` of an update that an alarm ended. Whether SageMaker answers for a
shadow by its name is not documented: `shadows_answer` is both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_core.errors import MlopsError
from mlops_core.settings import Settings
from tests.deployer.release_server import ReleaseServer
from tests.sagemaker.account import (
    ACCOUNT,
    REGION,
    alarms,
    configs,
    empty,
    invalid,
    models,
    shadows_of,
    variants_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Endpoint", "Endpoints"]

_CHANGING = ("Creating", "Updating")


@dataclass
class Endpoint:
    """An endpoint; `wanted` is what it goes over to, in `looks` more looks.

    `canary` is the percentage of callers that its servers get once they have started (`baking`).
    """

    name: str
    config: str
    tags: list[dict[str, str]]
    status: str = "Creating"
    reason: str | None = None
    wanted: str | None = None
    weights: dict[str, float] = field(default_factory=dict)
    looks: int = 0
    canary: int = 0
    baking: bool = False
    alarms: tuple[str, ...] = ()

    @property
    def arn(self) -> str:
        """As AWS names it."""
        return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/{self.name}"


class Endpoints:
    """All of them, and how they behave.

    `looks` is how many looks a change takes, `stuck` that none ends; `failing` maps an action to code and
    words that it fails with; `unknown_yet` is how many requests do not find a configuration. `containers` are
    the servers of models.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Nothing was ever made."""
        empty()
        self.endpoints: dict[str, Endpoint] = {}
        self.containers: dict[str, ReleaseServer] = {}
        self.looks, self.stuck, self.shadows_answer, self.unknown_yet = 2, False, True, 0
        self.failing: dict[str, tuple[str, str]] = {}

    # What is asked of it

    def create(self, told: Mapping[str, Any]) -> str:
        """CreateEndpoint."""
        name = told["EndpointName"]
        if name.lower() in {one.lower() for one in self.endpoints}:
            raise invalid(f'Cannot create already existing endpoint "{self.endpoints[name].arn}".')
        self.config(told["EndpointConfigName"])
        made = Endpoint(name=name, config=told["EndpointConfigName"], tags=told.get("Tags", []))
        made.wanted, made.looks = made.config, self.looks
        self.endpoints[name] = made
        return made.arn

    def update(self, told: Mapping[str, Any]) -> str:
        """UpdateEndpoint: unguarded, or guarded by alarms."""
        endpoint = self._free(told["EndpointName"])
        config = self.config(told["EndpointConfigName"])
        if endpoint.config == told["EndpointConfigName"]:
            raise invalid(f'Endpoint "{endpoint.arn}" already uses that configuration.')
        endpoint.canary, endpoint.alarms = 0, ()
        if deployment := told.get("DeploymentConfig"):
            self._guard(endpoint, config, deployment)
        endpoint.status, endpoint.reason, endpoint.baking = "Updating", None, False
        endpoint.wanted, endpoint.looks = told["EndpointConfigName"], self.looks
        return endpoint.arn

    def weigh(self, told: Mapping[str, Any]) -> str:
        """UpdateEndpointWeightsAndCapacities."""
        endpoint = self._free(told["EndpointName"])
        for one in told["DesiredWeightsAndCapacities"]:
            if one["VariantName"] not in endpoint.weights:
                raise invalid(
                    f'The variant name(s) "{one["VariantName"]}" is/are not present within endpoint '
                    f'configuration "{endpoint.config}".'
                )
            endpoint.weights[one["VariantName"]] = one["DesiredWeight"]
        endpoint.status, endpoint.looks, endpoint.wanted = "Updating", self.looks, None
        return endpoint.arn

    def describe(self, name: str) -> dict[str, Any]:
        """DescribeEndpoint; each look is a while for what changes."""
        endpoint = self.known(name)
        self._pass(endpoint)
        config = self.config(endpoint.config)
        told = {
            "EndpointName": name,
            "EndpointArn": endpoint.arn,
            "EndpointConfigName": endpoint.config,
            "EndpointStatus": endpoint.status,
            "CreationTime": config.creation_time,
            "LastModifiedTime": config.creation_time,
            "ProductionVariants": [self._variant(endpoint, one) for one in config.production_variants],
        }
        if endpoint.status != "Creating" and shadows_of(config):
            told["ShadowProductionVariants"] = [self._variant(endpoint, one) for one in shadows_of(config)]
        if endpoint.status == "Updating" and endpoint.wanted:
            told["PendingDeploymentSummary"] = {"EndpointConfigName": endpoint.wanted}
        return told | ({"FailureReason": endpoint.reason} if endpoint.reason else {})

    def delete(self, name: str) -> str:
        """DeleteEndpoint; its ARN."""
        endpoint = self.known(name)
        if endpoint.status in _CHANGING:
            raise invalid(f'Cannot update in-progress endpoint "{endpoint.arn}".')
        del self.endpoints[name]
        return endpoint.arn

    # How it behaves

    def _guard(self, endpoint: Endpoint, config: Any, deployment: Mapping[str, Any]) -> None:
        """A guarded update's rules, as the pages on deployment guardrails have them."""
        before = self.config(endpoint.config)
        if {one["VariantName"] for one in variants_of(before)} != {
            one["VariantName"] for one in variants_of(config)
        }:
            raise invalid("The new endpoint configuration must have the same variant names as the old one.")
        policy = deployment["BlueGreenUpdatePolicy"]
        routing, waits = policy["TrafficRoutingConfiguration"], policy.get("TerminationWaitInSeconds", 0)
        servers = sum(one["InitialInstanceCount"] for one in config.production_variants)
        if routing["Type"] == "CANARY":
            if math.ceil(servers * routing["CanarySize"]["Value"] / 100) > servers / 2:
                raise invalid("CanarySize must be at most 50% of the variant's total instance count.")
        elif "CanarySize" in routing:
            raise invalid("CanarySize is of CANARY alone.")
        if policy["MaximumExecutionTimeoutInSeconds"] <= waits + routing["WaitIntervalInSeconds"]:
            raise invalid("MaximumExecutionTimeoutInSeconds must be larger than the total waiting time.")
        guards = deployment.get("AutoRollbackConfiguration", {}).get("Alarms", ())
        endpoint.alarms = tuple(one["AlarmName"] for one in guards)
        if missing := [name for name in endpoint.alarms if name not in alarms()]:
            raise invalid(f"Alarms {missing} do not exist.")
        endpoint.canary = routing["CanarySize"]["Value"] if routing["Type"] == "CANARY" else 100

    def _pass(self, endpoint: Endpoint) -> None:
        """A while passes."""
        if endpoint.status not in _CHANGING or self.stuck:
            return
        if any(alarms()[name].state_value == "ALARM" for name in endpoint.alarms if name in alarms()):
            endpoint.status, endpoint.wanted, endpoint.canary = "InService", None, 0
            return
        endpoint.looks -= 1
        endpoint.baking = True
        if endpoint.wanted and (reason := self._started(endpoint.wanted)):
            endpoint.status = "Failed" if endpoint.status == "Creating" else "InService"
            endpoint.reason, endpoint.wanted, endpoint.canary = reason, None, 0
        elif endpoint.looks <= 0:
            self._arrive(endpoint)

    def _arrive(self, endpoint: Endpoint) -> None:
        if endpoint.wanted:
            endpoint.config = endpoint.wanted
            variants = variants_of(self.config(endpoint.config))
            endpoint.weights = {one["VariantName"]: one["InitialVariantWeight"] for one in variants}
        endpoint.status, endpoint.wanted, endpoint.canary, endpoint.alarms = "InService", None, 0, ()

    def _started(self, config: str) -> str | None:
        """Start the containers of a configuration; why one does not."""
        for variant in variants_of(self.config(config)):
            model = variant["ModelName"]
            try:
                if model not in self.containers:
                    container = models()[model].primary_container
                    self.containers[model] = _container(container["Environment"])
            except MlopsError:
                return (
                    f"The primary container for production variant {variant['VariantName']} did not pass the "
                    "ping health check. Please check CloudWatch logs for this endpoint."
                )
        return None

    # What is there

    def known(self, name: str) -> Endpoint:
        """An endpoint, by its name."""
        if name not in self.endpoints:
            arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/{name}"
            raise invalid(f'Could not find endpoint "{arn}".')
        return self.endpoints[name]

    def _free(self, name: str) -> Endpoint:
        endpoint = self.known(name)
        if endpoint.status != "InService":
            raise invalid(f'Cannot update in-progress endpoint "{endpoint.arn}".')
        return endpoint

    def config(self, name: str) -> Any:
        """A configuration, as moto has it."""
        if name not in configs() or self.unknown_yet > 0:
            self.unknown_yet -= 1
            raise invalid(f'Could not find endpoint configuration "{name}".')
        return configs()[name]

    def _variant(self, endpoint: Endpoint, one: Any) -> dict[str, Any]:
        weight = endpoint.weights.get(one["VariantName"], one["InitialVariantWeight"])
        return {
            "VariantName": one["VariantName"],
            "CurrentWeight": weight,
            "DesiredWeight": weight,
            "CurrentInstanceCount": one["InitialInstanceCount"],
            "DesiredInstanceCount": one["InitialInstanceCount"],
        }


def _container(environment: Mapping[str, str]) -> ReleaseServer:
    """The server of our image, which refuses settings that it does not know."""
    known = {f"MLOPS_{name.upper()}" for name in Settings.model_fields}
    if strange := [name for name in environment if name.startswith("MLOPS_") and name not in known]:
        raise MlopsError(f"unknown settings: {strange}")
    return ReleaseServer(environment)
