"""A release as Kubernetes runs it: what its manifests are made from, and what they are called."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic import Field

from mlops_core.domain.value import Value
from mlops_core.errors import DefinitionError

if TYPE_CHECKING:
    from mlops_core.target_settings import TargetSettings

__all__ = ["DRAIN_SECONDS", "PORT", "Workload", "manifest", "places_of"]

PORT = 8080
DRAIN_SECONDS = 10
"""Seconds in which proxies learn that a server ends, which answers them until then (MLOPS_DRAIN)."""

_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_OBJECT = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


class Workload(Value):
    """One release of one model.

    `plain` is the model's name as objects may be called (24 letters at most), `label` that of the release
    among those of its model, `environment` the variables that the server is told it by, and `placed` the
    release as text, kept beside what runs.
    """

    name: str
    version: int
    plain: str = Field(max_length=24)
    label: str = Field(max_length=32)
    environment: dict[str, str]
    placed: str
    image: str
    namespace: str = "default"
    instances: int = Field(default=2, ge=1)
    max_instances: int = Field(default=4, ge=1)
    gateway: str | None = None
    secret: str | None = None
    service_account: str | None = None

    @property
    def model(self) -> str:
        """What the model's own objects are called: the Service that callers ask, and the route to it."""
        return f"mlops-{self.plain}"

    @property
    def release(self) -> str:
        """What the objects of this release are called."""
        return f"{self.model}-{self.label}"

    @property
    def of_model(self) -> dict[str, str]:
        """Labels that all pods of the model have, and those of no other."""
        return {"app.kubernetes.io/name": "mlops", "app.kubernetes.io/instance": self.plain}

    @property
    def of_release(self) -> dict[str, str]:
        """Labels that the pods of this release have, and no others; they are never changed."""
        return {**self.of_model, "mlops/release": self.label}


def places_of(settings: TargetSettings) -> dict[str, Any]:
    """The fields of a `Workload` that the settings decide. Raises `DefinitionError` for what cannot be."""
    if settings.image is None:
        raise DefinitionError(
            "MLOPS_IMAGE is not set: give the server's image as the cluster pulls it, REGISTRY/NAME@sha256:…"
        )
    named = {
        "MLOPS_KUBERNETES_SECRET": settings.kubernetes_secret,
        "MLOPS_KUBERNETES_SERVICE_ACCOUNT": settings.kubernetes_service_account,
        "MLOPS_KUBERNETES_GATEWAY": (settings.kubernetes_gateway or "").rpartition("/")[2] or None,
    }
    for variable, name in named.items():
        if name is not None and not _OBJECT.fullmatch(name):
            raise DefinitionError(f"{variable}: {name!r} can be no object's name in Kubernetes")
    if not _NAMESPACE.fullmatch(settings.kubernetes_namespace):
        raise DefinitionError(
            f"MLOPS_KUBERNETES_NAMESPACE: {settings.kubernetes_namespace!r} can be no namespace's name"
        )
    return {
        "image": settings.image,
        "namespace": settings.kubernetes_namespace,
        "instances": settings.instances,
        "max_instances": max(settings.instances, settings.max_instances),
        "gateway": settings.kubernetes_gateway,
        "secret": settings.kubernetes_secret,
        "service_account": settings.kubernetes_service_account,
    }


def manifest(
    of: Workload,
    version: str,
    kind: str,
    name: str,
    spec: dict[str, Any],
    *,
    annotations: dict[str, str] | None = None,
) -> dict[str, Any]:
    """An object of the model, or of this release where it is named after that; whose it is stands on it."""
    labels = dict(of.of_model if name == of.model else of.of_release)
    labels["app.kubernetes.io/managed-by"] = "mlops"
    labels["app.kubernetes.io/component"] = "server"
    if name != of.model:
        labels["app.kubernetes.io/version"] = str(of.version)
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": of.namespace,
            "labels": labels,
            "annotations": {"mlops/model": of.name, **(annotations or {})},
        },
        "spec": spec,
    }
