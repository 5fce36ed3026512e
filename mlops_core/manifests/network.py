"""Who reaches the servers of a model, and whom they reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core.manifests.workload import PORT, manifest

if TYPE_CHECKING:
    from mlops_core.manifests.workload import Workload

__all__ = ["SERVICE_PORT", "model_service", "network_policy", "release_service", "route", "service_spec"]

SERVICE_PORT = 80
_REDIS = (6379, 6380)
_IDENTITY = {"169.254.169.254/32": (80,), "169.254.169.252/32": (988,), "169.254.170.23/32": (80,)}
"""Where pods on GKE and EKS ask for the identity of their service account."""


def service_spec(selector: dict[str, str]) -> dict[str, Any]:
    """Of a Service within the cluster."""
    port = {
        "name": "http",
        "port": SERVICE_PORT,
        "targetPort": "http",
        "protocol": "TCP",  # server-side apply merges ports by it, and does not know its default
        "appProtocol": "http",
    }
    return {"type": "ClusterIP", "selector": selector, "ports": [port]}


def release_service(of: Workload) -> dict[str, Any]:
    """The address of this release alone."""
    return manifest(of, "v1", "Service", of.release, service_spec(of.of_release))


def model_service(of: Workload, *, before: str | None = None) -> dict[str, Any]:
    """The address that callers have: it leads to this release, and says so in the same step.

    `before` is the `placed` of what it led to earlier.
    """
    annotations = {"mlops/serving": of.placed, **({"mlops/before": before} if before else {})}
    return manifest(of, "v1", "Service", of.model, service_spec(of.of_release), annotations=annotations)


def network_policy(of: Workload) -> dict[str, Any]:
    """In: the port of the server, from anywhere. Out: names, releases over HTTPS, and online values in Redis.

    Policies add up: an online store or a store of releases on another port wants one of its own.
    """
    egress: list[dict[str, Any]] = [
        {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]},
        {"ports": [{"port": port, "protocol": "TCP"} for port in (443, *_REDIS)]},
    ]
    if of.service_account is not None:
        for block, ports in _IDENTITY.items():
            to = [{"ipBlock": {"cidr": block}}]
            egress.append({"to": to, "ports": [{"port": port, "protocol": "TCP"} for port in ports]})
    spec = {
        "podSelector": {"matchLabels": of.of_model},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"ports": [{"port": PORT, "protocol": "TCP"}]}],
        "egress": egress,
    }
    return manifest(of, "networking.k8s.io/v1", "NetworkPolicy", of.model, spec)


def route(
    of: Workload,
    *,
    trial: Workload | None = None,
    percent: int = 0,
    shadow: bool = False,
    told: str | None = None,
) -> dict[str, Any]:
    """From the Gateway to the model's Service and, for `percent` of the requests, to the trial's own.

    A shadow gets copies of them. `told` is the trial as text. What comes through are predictions alone:
    /v2/models/NAME… as the server has it, and /NAME/predict for its /predict, which names no model.
    """
    namespace, _, gateway = (of.gateway or "").rpartition("/")
    parent = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": gateway}
    if namespace:
        parent["namespace"] = namespace
    backends = [_backend(of.model) | {"weight": 100 if shadow or trial is None else 100 - percent}]
    copied = []
    if trial is not None and shadow:
        mirror = {"backendRef": _backend(trial.release), "percent": percent}
        copied = [{"type": "RequestMirror", "requestMirror": mirror}]
    elif trial is not None:
        backends.append(_backend(trial.release) | {"weight": percent})
    rename = {"type": "ReplaceFullPath", "replaceFullPath": "/predict"}
    renamed = [{"type": "URLRewrite", "urlRewrite": {"path": rename}}]
    spec = {
        "parentRefs": [parent],
        "rules": [
            _rule("PathPrefix", f"/v2/models/{of.name}", backends, copied),
            _rule("Exact", f"/{of.name}/predict", backends, [*copied, *renamed]),
        ],
    }
    annotations = {"mlops/trial": told} if told is not None else {}
    return manifest(of, "gateway.networking.k8s.io/v1", "HTTPRoute", of.model, spec, annotations=annotations)


def _rule(
    kind: str, path: str, backends: list[dict[str, Any]], filters: list[dict[str, Any]]
) -> dict[str, Any]:
    rule = {"matches": [{"path": {"type": kind, "value": path}}], "backendRefs": backends}
    return rule | ({"filters": filters} if filters else {})


def _backend(service: str) -> dict[str, Any]:
    return {"group": "", "kind": "Service", "name": service, "port": SERVICE_PORT}
