"""All objects of a model that serves one release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core.manifests.deployment import deployment
from mlops_core.manifests.network import model_service, network_policy, release_service, route
from mlops_core.manifests.scaling import autoscaler, disruption_budget

if TYPE_CHECKING:
    from mlops_core.manifests.workload import Workload

__all__ = ["model_objects", "release_objects"]


def release_objects(of: Workload) -> list[dict[str, Any]]:
    """What runs the release, unseen by callers, in the order to apply; the policy of its model is first."""
    return [
        network_policy(of),
        deployment(of),
        autoscaler(of),
        disruption_budget(of),
        release_service(of),
    ]


def model_objects(of: Workload) -> list[dict[str, Any]]:
    """The same and what leads callers to it."""
    return [*release_objects(of), model_service(of), *([route(of)] if of.gateway else [])]
