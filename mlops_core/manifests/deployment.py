"""The Deployment of one release, and the pods in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core.manifests.workload import DRAIN_SECONDS, PORT, manifest

if TYPE_CHECKING:
    from mlops_core.manifests.workload import Workload

__all__ = ["CONTAINER", "UID", "deployment", "pod_template"]

CONTAINER = "server"
UID = 10001
"""The user that the image runs as; see the Dockerfile."""

_GRACE_SECONDS = DRAIN_SECONDS + 20  # the server ends what is under way within 10 s of the drain
_ALL = "ALL"


def deployment(of: Workload) -> dict[str, Any]:
    """Without `replicas`, which are the HorizontalPodAutoscaler's."""
    spec = {
        "selector": {"matchLabels": of.of_release},
        "revisionHistoryLimit": 1,
        "progressDeadlineSeconds": 600,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        "template": pod_template(of),
    }
    return manifest(of, "apps/v1", "Deployment", of.release, spec, annotations={"mlops/placed": of.placed})


def pod_template(of: Workload) -> dict[str, Any]:
    """Its pods: no root, nothing written but /tmp, no privileges, no key to the cluster."""
    pod: dict[str, Any] = {
        "automountServiceAccountToken": False,  # clouds' identities come by tokens of their own
        "enableServiceLinks": False,  # variables of other Services are no settings of this server
        "terminationGracePeriodSeconds": _GRACE_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": UID,
            "runAsGroup": UID,
            "fsGroup": UID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [_spread(of, "hostname"), _spread(of, "zone")],
        "containers": [_container(of)],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}}],
    }
    if of.service_account is not None:
        pod["serviceAccountName"] = of.service_account
    labels = {
        **of.of_release,
        "app.kubernetes.io/managed-by": "mlops",
        "app.kubernetes.io/component": "server",
        "app.kubernetes.io/version": str(of.version),
    }
    scraped = {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(PORT),
        "prometheus.io/path": "/metrics",
    }
    return {"metadata": {"labels": labels, "annotations": scraped}, "spec": pod}


def _spread(of: Workload, over: str) -> dict[str, Any]:
    key = "kubernetes.io/hostname" if over == "hostname" else "topology.kubernetes.io/zone"
    return {
        "maxSkew": 1,
        "topologyKey": key,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": of.of_release},
    }


def _container(of: Workload) -> dict[str, Any]:
    environment = {
        **of.environment,
        "MLOPS_DRAIN": str(DRAIN_SECONDS),
        "MLOPS_LOG_FORMAT": "json",
    }
    container: dict[str, Any] = {
        "name": CONTAINER,
        "image": of.image,
        "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        "env": [{"name": name, "value": environment[name]} for name in sorted(environment)],
        # Releases are small, and the model is in memory once a server: no limit of CPU, which only delays
        "resources": {
            "requests": {"cpu": "250m", "memory": "512Mi"},
            "limits": {"memory": "1Gi"},
        },
        # Live says only that it answers; the start has the time that fetching a release takes
        "startupProbe": _probe("live", periodSeconds=2, failureThreshold=150),
        "livenessProbe": _probe("live", periodSeconds=10, failureThreshold=3),
        "readinessProbe": _probe("ready", periodSeconds=3, failureThreshold=2),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": [_ALL]},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - the pod's own, which is empty
        "terminationMessagePolicy": "FallbackToLogsOnError",  # its last words are in the pod's status
    }
    if of.secret is not None:
        container["envFrom"] = [{"secretRef": {"name": of.secret}}]
    return container


def _probe(what: str, **terms: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": f"/v2/health/{what}", "port": "http", "scheme": "HTTP"},
        "timeoutSeconds": 2,
        **terms,
    }
