"""What no endpoint needs any more: models, configurations and alarms of releases that served long ago."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from mlops_core.adapters.sagemaker.names import NAME, is_config, is_model, stem
from mlops_core.errors import MlopsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_core.adapters.sagemaker.aws import Aws

__all__ = ["alarms_of", "clear", "going_off"]

_LOG = logging.getLogger(__name__)


def clear(aws: Aws, name: str, *, keep: set[str]) -> None:
    """Delete what is ours of that use case, but for these configurations and the models that they name.

    What cannot be deleted is left for the next time: callers are served either way.
    """
    try:
        _clear(aws, name, keep)
    except MlopsError as error:
        _LOG.warning("what %s does not need any more stays at SageMaker: %s", name, error)


def alarms_of(aws: Aws, config: str) -> list[str]:
    """The alarms of a configuration."""
    return [alarm["AlarmName"] for alarm in _alarms(aws, f"{config}-")]


def going_off(aws: Aws, config: str) -> str | None:
    """The alarms of a configuration that have gone off, and why; None where none has."""
    found = [
        f"{alarm['AlarmName']} ({alarm.get('StateReason') or 'no reason given'})"
        for alarm in _alarms(aws, f"{config}-")
        if alarm["StateValue"] == "ALARM"
    ]
    return ", ".join(found) or None


def _clear(aws: Aws, name: str, keep: set[str]) -> None:
    needed = {model for config in keep for model in _models_of(aws, config)}
    for config, arn in _listed(aws, "EndpointConfig", stem(name)):
        if is_config(name, config) and config not in keep and _is_ours(aws, arn, name):
            alarms = alarms_of(aws, config)
            if alarms:
                aws.ask("delete_alarms", AlarmNames=alarms)
            aws.look("delete_endpoint_config", EndpointConfigName=config)
    for model, arn in _listed(aws, "Model", stem(name)):
        if is_model(name, model) and model not in needed and _is_ours(aws, arn, name):
            aws.look("delete_model", ModelName=model)


def _models_of(aws: Aws, config: str) -> set[str]:
    told = aws.look("describe_endpoint_config", EndpointConfigName=config) or {}
    variants = [*told.get("ProductionVariants", ()), *told.get("ShadowProductionVariants", ())]
    return {variant["ModelName"] for variant in variants}


def _is_ours(aws: Aws, arn: str, name: str) -> bool:
    tags = aws.ask("list_tags", ResourceArn=arn)["Tags"]
    return {"Key": NAME, "Value": name} in tags


def _listed(aws: Aws, kind: str, part: str) -> Iterator[tuple[str, str]]:
    """Names and ARNs of all whose name has such a part."""
    action = {"EndpointConfig": "list_endpoint_configs", "Model": "list_models"}[kind]
    for page in _pages(aws, action, NameContains=part):
        for one in page[f"{kind}s"]:
            yield one[f"{kind}Name"], one[f"{kind}Arn"]


def _alarms(aws: Aws, prefix: str) -> list[dict[str, Any]]:
    pages = _pages(aws, "describe_alarms", AlarmNamePrefix=prefix, AlarmTypes=["MetricAlarm"])
    return [alarm for page in pages for alarm in page.get("MetricAlarms", ())]


def _pages(aws: Aws, action: str, **parameters: Any) -> Iterator[dict[str, Any]]:
    more: dict[str, str] = {}
    while True:
        page = aws.ask(action, **parameters, **more)
        yield page
        if not page.get("NextToken"):
            return
        more = {"NextToken": page["NextToken"]}
