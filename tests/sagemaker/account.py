"""What moto holds of the account and region of the tests, and rules of SageMaker that it does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.cloudwatch.models import cloudwatch_backends
from moto.core.exceptions import ServiceException
from moto.s3.models import s3_backends
from moto.sagemaker.models import sagemaker_backends

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ACCOUNT",
    "BUCKET",
    "REGION",
    "Refused",
    "alarms",
    "check_config",
    "check_model",
    "configs",
    "empty",
    "invalid",
    "models",
    "shadows_of",
    "variants_of",
]

ACCOUNT, REGION, BUCKET = "123456789012", "eu-west-1", "releases"


class Refused(ServiceException):
    """An answer of AWS that is an error: its code and words."""


def empty() -> None:
    """Nothing was ever made there, but for a bucket."""
    for backend in (sagemaker_backends, cloudwatch_backends):
        backend[ACCOUNT][REGION].reset()
    s3_backends[ACCOUNT]["aws"].reset()
    s3_backends[ACCOUNT]["aws"].create_bucket(BUCKET, REGION)


def models() -> dict[str, Any]:
    """The models, by name."""
    return sagemaker_backends[ACCOUNT][REGION]._models


def configs() -> dict[str, Any]:
    """The endpoint configurations."""
    return sagemaker_backends[ACCOUNT][REGION].endpoint_configs


def alarms() -> dict[str, Any]:
    """The alarms of CloudWatch."""
    return cloudwatch_backends[ACCOUNT][REGION].alarms


def shadows_of(config: Any) -> list[Any]:
    """The shadow variants of a configuration, which moto drops and we keep there."""
    return getattr(config, "shadow_production_variants", [])


def variants_of(config: Any) -> list[Any]:
    """All variants of a configuration."""
    return [*config.production_variants, *shadows_of(config)]


def invalid(words: str) -> Refused:
    """What SageMaker answers to nearly all that it refuses."""
    return Refused("ValidationException", words)


def check_model(told: Mapping[str, Any]) -> None:
    """The rule of CreateModel that moto does not know."""
    if (name := told["ModelName"]) in models():
        raise invalid(f'Cannot create already existing model "{models()[name].arn}".')


def check_config(told: Mapping[str, Any]) -> None:
    """The rules of CreateEndpointConfig that moto does not know."""
    name, shadows = told["EndpointConfigName"], told.get("ShadowProductionVariants", [])
    if name in configs():
        arn = configs()[name].endpoint_config_arn
        raise invalid(f'Cannot create already existing endpoint configuration "{arn}".')
    if shadows and (len(shadows), len(told["ProductionVariants"])) != (1, 1):
        raise invalid("With a shadow variant there is one production variant and one shadow variant.")
    names = [one["VariantName"] for one in (*told["ProductionVariants"], *shadows)]
    if len(set(names)) < len(names):
        raise invalid("Variant names must be unique.")
