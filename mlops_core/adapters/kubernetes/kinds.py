"""The kinds of objects that we write or read, and where the API has them."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["KINDS", "Kind"]


class Kind(NamedTuple):
    """`path` is where the API has its group, "" that of the core; `plural` is its name in paths and Roles."""

    path: str
    plural: str

    @property
    def resource(self) -> str:
        """As a Role names it: `deployments.apps`."""
        group = self.path.split("/")[1] if self.path.startswith("apis/") else ""
        return f"{self.plural}.{group}" if group else self.plural


KINDS = {
    "Deployment": Kind("apis/apps/v1", "deployments"),
    "EndpointSlice": Kind("apis/discovery.k8s.io/v1", "endpointslices"),
    "HTTPRoute": Kind("apis/gateway.networking.k8s.io/v1", "httproutes"),
    "HorizontalPodAutoscaler": Kind("apis/autoscaling/v2", "horizontalpodautoscalers"),
    "NetworkPolicy": Kind("apis/networking.k8s.io/v1", "networkpolicies"),
    "Pod": Kind("api/v1", "pods"),
    "PodDisruptionBudget": Kind("apis/policy/v1", "poddisruptionbudgets"),
    "Service": Kind("api/v1", "services"),
}
