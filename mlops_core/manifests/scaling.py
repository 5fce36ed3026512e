"""How many servers of a release there are: more under load, and never all gone at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core.manifests.workload import manifest

if TYPE_CHECKING:
    from mlops_core.manifests.workload import Workload

__all__ = ["autoscaler", "disruption_budget"]

_BUSY_PERCENT = 70  # of the CPU that a server asks for


def autoscaler(
    of: Workload, *, api_version: str = "apps/v1", kind: str = "Deployment", name: str | None = None
) -> dict[str, Any]:
    """It alone decides on replicas, also on the fewest: `instances` to `max_instances`."""
    spec = {
        "scaleTargetRef": {"apiVersion": api_version, "kind": kind, "name": name or of.release},
        "minReplicas": of.instances,
        "maxReplicas": of.max_instances,
        "metrics": [
            {
                "type": "Resource",
                "resource": {
                    "name": "cpu",
                    "target": {"type": "Utilization", "averageUtilization": _BUSY_PERCENT},
                },
            }
        ],
    }
    return manifest(of, "autoscaling/v2", "HorizontalPodAutoscaler", name or of.release, spec)


def disruption_budget(of: Workload) -> dict[str, Any]:
    """One at a time, which lets a node be drained also where there is but one server."""
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": of.of_release}}
    return manifest(of, "policy/v1", "PodDisruptionBudget", of.release, spec)
