"""The objects of a model in a namespace: which are ours, which may be applied, which nothing needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mlops_core.adapters.deployer.platform import Placed
    from mlops_core.adapters.kubernetes.cluster import Cluster
    from mlops_core.manifests import Workload

__all__ = ["Objects"]

_OF_RELEASE = ("HorizontalPodAutoscaler", "PodDisruptionBudget", "Service", "Deployment")
"""In the order to delete: a release whose Deployment is gone has nothing left."""


class Objects:
    """Those of one namespace."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def mine(self, kind: str, name: str, model: str) -> dict[str, Any] | None:
        """An object of the model; None when there is none. Raises `BadInput` when it is somebody else's."""
        found = self._cluster.get(kind, name)
        if found is not None and not _is_of(found, model):
            raise BadInput(
                f"kubernetes: {kind} {name} in namespace {self._cluster.namespace} is there already and is "
                f"not {model}'s: it is left alone. Take another namespace, or remove it"
            )
        return found

    def check(self, manifests: Iterable[Mapping[str, Any]], model: str) -> None:
        """Raise unless all of them can be applied: none is somebody else's, the cluster refuses none."""
        for one in manifests:
            self.mine(one["kind"], one["metadata"]["name"], model)
            self._cluster.apply(one, dry=True)

    def running(self, model: str, plain: str) -> dict[str, dict[str, Any]]:
        """The Deployments of the model, by the labels of their releases."""
        labels = {"app.kubernetes.io/instance": plain, "app.kubernetes.io/managed-by": "mlops"}
        return {
            found["metadata"]["labels"]["mlops/release"]: {"kind": "Deployment", **found}
            for found in self._cluster.list("Deployment", labels)
            if _is_of(found, model) and "mlops/release" in found["metadata"]["labels"]
        }

    def sweep(self, of: Workload, *, keep: Iterable[Placed | None]) -> None:
        """Delete what runs the model's other releases."""
        kept = {one.label for one in keep if one is not None}
        for label, found in self.running(of.name, of.plain).items():
            if label not in kept:
                for kind in _OF_RELEASE:
                    self._cluster.delete(kind, found["metadata"]["name"])


def _is_of(found: Mapping[str, Any], model: str) -> bool:
    metadata = found["metadata"]
    managed = metadata.get("labels", {}).get("app.kubernetes.io/managed-by")
    return bool(managed == "mlops" and metadata.get("annotations", {}).get("mlops/model") == model)
