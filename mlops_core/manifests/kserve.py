"""A model as a KServe InferenceService, which has a server of its own image: ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core.manifests.deployment import pod_template
from mlops_core.manifests.network import network_policy
from mlops_core.manifests.workload import manifest

if TYPE_CHECKING:
    from mlops_core.manifests.workload import Workload

__all__ = ["kserve_objects"]

_POD_FIELDS = (
    "serviceAccountName",
    "automountServiceAccountToken",
    "enableServiceLinks",
    "securityContext",
    "terminationGracePeriodSeconds",
    "topologySpreadConstraints",
    "volumes",
)
_CONTAINER = "kserve-container"  # by this name KServe knows which one answers


def kserve_objects(of: Workload, *, percent: int | None = None) -> list[dict[str, Any]]:
    """The server fetches and verifies the release itself, so there is no `storageUri`.

    `percent` is what KServe sends to this release while the one before gets the rest (its Knative mode
    alone); by default it goes over at once.
    """
    template = pod_template(of)
    (container,) = template["spec"]["containers"]
    predictor: dict[str, Any] = {
        "minReplicas": of.instances,
        "maxReplicas": of.max_instances,
        "scaleMetric": "cpu",
        "scaleTarget": 70,
        **{field: template["spec"][field] for field in _POD_FIELDS if field in template["spec"]},
        "containers": [container | {"name": _CONTAINER}],
    }
    if percent is not None:
        predictor["canaryTrafficPercent"] = percent
    made = manifest(
        of,
        "serving.kserve.io/v1beta1",
        "InferenceService",
        of.model,
        {"predictor": predictor},
        annotations={"mlops/placed": of.placed, "serving.kserve.io/deploymentMode": "Standard"},
    )
    made["spec"]["predictor"]["labels"] = of.of_model  # what the policy below goes by
    if percent is not None:
        made["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] = "Knative"
    return [network_policy(of), made]
