"""Releases as Kubernetes would run them, without anything that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core.adapters.deployer.platform import Placed
from mlops_core.adapters.kubernetes import workload_of
from mlops_core.settings import Settings

if TYPE_CHECKING:
    from mlops_core.manifests import Workload

__all__ = ["placed", "workload"]

_SETTINGS: dict[str, Any] = {
    "image": "registry.example/mlops@sha256:" + "0" * 64,
    "kubernetes_namespace": "models",
    "kubernetes_gateway": "infra/edge",
    "kubernetes_secret": "churn-server",
    "kubernetes_service_account": "model-reader",
}


def placed(version: int = 3, name: str = "churn") -> Placed:
    """A release somewhere."""
    digest = f"{version:x}" * 64
    url = f"s3://models/releases/{name}/{version}-{digest[:12]}"
    return Placed(name=name, version=version, digest=digest[:64], url=url, manifest="ab" * 32)


def workload(version: int = 3, name: str = "churn", **changes: Any) -> Workload:
    """It by settings of which everything is set."""
    return workload_of(placed(version, name), Settings(**{**_SETTINGS, **changes}))
