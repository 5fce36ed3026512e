"""A model as an Argo Rollout: its controller goes over to another release by steps, and back by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core.manifests.deployment import pod_template
from mlops_core.manifests.network import network_policy, route, service_spec
from mlops_core.manifests.scaling import autoscaler
from mlops_core.manifests.workload import manifest

if TYPE_CHECKING:
    from mlops_core.domain.traffic import Bounds
    from mlops_core.manifests.workload import Workload

__all__ = ["argo_objects"]

_STEPS = (5, 25, 50)
_PAUSE = "10m"
_HASH = "canary-hash"
_PROMETHEUS = "http://prometheus.monitoring.svc.cluster.local:9090"


def argo_objects(of: Workload, bounds: Bounds) -> list[dict[str, Any]]:
    """Rollout and what it needs; the analysis aborts it beyond the bounds, asking Prometheus.

    A Rollout lives on from release to release: all are called after the model. With a Gateway its plugin for
    the Gateway API sets the weights of the route, without one the share of pods approximates them.
    """
    objects = [
        network_policy(of),
        _service(of, "stable"),
        _service(of, "canary"),
        _analysis(of, bounds),
        _rollout(of),
        autoscaler(of, api_version="argoproj.io/v1alpha1", kind="Rollout", name=of.model),
        manifest(
            of,
            "policy/v1",
            "PodDisruptionBudget",
            of.model,
            {"maxUnavailable": 1, "selector": {"matchLabels": of.of_model}},
        ),
    ]
    return [*objects, _route(of)] if of.gateway else objects


def _service(of: Workload, which: str) -> dict[str, Any]:
    made = manifest(of, "v1", "Service", of.model, service_spec(of.of_model))
    made["metadata"]["name"] = of.model if which == "stable" else f"{of.model}-canary"
    return made


def _rollout(of: Workload) -> dict[str, Any]:
    steps: list[dict[str, Any]] = []
    for weight in _STEPS:
        steps += [{"setWeight": weight}, {"pause": {"duration": _PAUSE}}]
    canary: dict[str, Any] = {
        "stableService": of.model,
        "canaryService": f"{of.model}-canary",
        "maxUnavailable": 0,
        "maxSurge": 1,
        "analysis": {
            "templates": [{"templateName": of.model}],
            "startingStep": 2,
            "args": [{"name": _HASH, "valueFrom": {"podTemplateHashValue": "Latest"}}],
        },
        "steps": steps,
    }
    if of.gateway:
        plugin = {"argoproj-labs/gatewayAPI": {"httpRoute": of.model, "namespace": of.namespace}}
        canary["trafficRouting"] = {"plugins": plugin}
    spec = {
        "revisionHistoryLimit": 2,
        "selector": {"matchLabels": of.of_model},
        "template": pod_template(of),
        "strategy": {"canary": canary},
    }
    return manifest(
        of, "argoproj.io/v1alpha1", "Rollout", of.model, spec, annotations={"mlops/placed": of.placed}
    )


def _analysis(of: Workload, bounds: Bounds) -> dict[str, Any]:
    """A figure is judged once there were `fewest` requests; until then there is none, which is no failure."""
    # By pod: a request that failed has no version. Only the new release's have this hash in their names
    chosen = f'namespace="{of.namespace}",pod=~"{of.model}-{{{{args.{_HASH}}}}}-.*"'
    asked = 'route=~"/predict|/v2/models/.*/infer"'
    enough = f"and (sum(increase(mlops_requests_total{{{chosen},{asked}}}[10m])) >= {bounds.fewest})"
    failed = f'sum(rate(mlops_requests_total{{{chosen},{asked},status=~"5..|none"}}[10m])) or vector(0)'
    metrics = []
    if bounds.error_rate is not None:
        rate = f"(({failed}) / sum(rate(mlops_requests_total{{{chosen},{asked}}}[10m]))) {enough}"
        metrics.append(_metric("error-rate", rate, bounds.error_rate))
    if bounds.latency_ms is not None:
        buckets = f"sum by (le) (rate(mlops_request_seconds_bucket{{{chosen},{asked}}}[10m]))"
        late = f"(1000 * histogram_quantile(0.99, {buckets})) {enough}"
        metrics.append(_metric("latency-p99-ms", late, bounds.latency_ms))
    spec = {"args": [{"name": _HASH}], "metrics": metrics}
    return manifest(of, "argoproj.io/v1alpha1", "AnalysisTemplate", of.model, spec)


def _metric(name: str, query: str, most: float) -> dict[str, Any]:
    return {
        "name": name,
        "interval": "1m",
        "failureLimit": 2,
        "successCondition": f"len(result) == 0 || result[0] <= {most:g}",
        "provider": {"prometheus": {"address": _PROMETHEUS, "query": query}},
    }


def _route(of: Workload) -> dict[str, Any]:
    made = route(of)
    for rule in made["spec"]["rules"]:
        (stable,) = rule["backendRefs"]
        rule["backendRefs"] = [stable, {**stable, "name": f"{of.model}-canary", "weight": 0}]
    return made
