"""What is made before an endpoint can take it on: models, configurations and alarms, each only once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.adapters.sagemaker import requests
from mlops_core.adapters.sagemaker.leftovers import alarms_of
from mlops_core.adapters.sagemaker.names import NAME
from mlops_core.errors import BadInput

if TYPE_CHECKING:
    from mlops_core.adapters.deployer.platform import Placed
    from mlops_core.adapters.sagemaker.aws import Aws
    from mlops_core.domain.traffic import Bounds
    from mlops_core.target_settings import TargetSettings

__all__ = ["Making"]


class Making:
    """Makes them by the settings. Raises `BadInput` where something of that name is there and not ours."""

    def __init__(self, aws: Aws, settings: TargetSettings) -> None:
        self._aws, self._settings = aws, settings

    def named(self, placed: Placed) -> str:
        """The name of the model of a release, made or not."""
        return str(requests.model(placed, self._settings)["ModelName"])

    def model(self, placed: Placed) -> None:
        """The model of a release."""
        request = requests.model(placed, self._settings)
        named, container = str(request["ModelName"]), request["PrimaryContainer"]
        self._same_region(container["Image"])
        if not self._aws.make("create_model", **request):
            found = self._aws.ask("describe_model", ModelName=named)
            theirs = {key: found.get("PrimaryContainer", {}).get(key) for key in container}
            if theirs != container or found["ExecutionRoleArn"] != request["ExecutionRoleArn"]:
                raise _not_ours("model", named)

    def configuration(self, wanted: requests.Configuration) -> None:
        """A configuration; its name says what is in it, so one of ours that is there is the same."""
        if self._aws.make("create_endpoint_config", **wanted.request):
            return
        found = self._aws.ask("describe_endpoint_config", EndpointConfigName=wanted.name)
        tags = self._aws.ask("list_tags", ResourceArn=found["EndpointConfigArn"])["Tags"]
        if any(tag not in tags for tag in wanted.request["Tags"] if tag["Key"] == NAME):
            raise _not_ours("configuration", wanted.name)

    def alarms(self, endpoint: str, config: str, variant: str, bounds: Bounds) -> list[str]:
        """The alarms of a variant; their names."""
        wanted = requests.alarms(endpoint=endpoint, config=config, variant=variant, bounds=bounds)
        for alarm in wanted:
            self._aws.ask("put_metric_alarm", **alarm)
        return [str(alarm["AlarmName"]) for alarm in wanted]

    def no_alarms(self, config: str) -> None:
        """Delete those of a configuration."""
        names = alarms_of(self._aws, config)
        if names:
            self._aws.ask("delete_alarms", AlarmNames=names)

    def _same_region(self, image: str) -> None:
        """Raise `BadInput` for an image in a registry of another region, which SageMaker does not pull."""
        host = image.partition("/")[0].split(".")
        if host[1:3] == ["dkr", "ecr"] and len(host) > 4 and host[3] != self._aws.region:
            raise BadInput(
                f"MLOPS_IMAGE lies in {host[3]} and the endpoint in {self._aws.region}: SageMaker takes "
                "images of its own region alone. Push it there, or set AWS_REGION"
            )


def _not_ours(kind: str, name: str) -> BadInput:
    return BadInput(f"there is another {kind} {name} at SageMaker, which is not one of ours: delete it there")
