"""A published release as the manifests are made from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.adapters.deployer.platform import plain_name
from mlops_core.manifests import Workload, places_of

if TYPE_CHECKING:
    from mlops_core.adapters.deployer.platform import Placed
    from mlops_core.target_settings import TargetSettings

__all__ = ["model_of", "plain_of", "workload_of"]

_LONGEST = 24
"""The longest object's name is mlops-<24>-<label>, and has to be a label's value, of 63 letters."""


def workload_of(placed: Placed, settings: TargetSettings) -> Workload:
    """What runs it, where the settings say. Raises `DefinitionError` where they cannot be meant."""
    return Workload(
        name=placed.name,
        version=placed.version,
        plain=plain_of(placed.name),
        label=placed.label,
        environment=placed.environment,
        placed=placed.model_dump_json(),
        **places_of(settings),
    )


def plain_of(name: str) -> str:
    """A model's name as its objects have it."""
    return plain_name(name, longest=_LONGEST)


def model_of(name: str) -> str:
    """What a model's own objects are called, see `Workload.model`."""
    return f"mlops-{plain_of(name)}"
