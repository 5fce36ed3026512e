"""How the servers of a release are doing: ready, under way, or without hope, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core.adapters.kubernetes.errors import said
from mlops_core.errors import BadInput, MlopsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mlops_core.adapters.kubernetes.cluster import Cluster

__all__ = ["available", "complete", "trouble", "waiting_for"]

_IMAGE = ("ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
_SETTINGS = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")


def available(deployment: Mapping[str, Any]) -> int:
    """How many of its servers are ready, by its status."""
    return int(deployment.get("status", {}).get("availableReplicas", 0))


def complete(deployment: Mapping[str, Any], fewest: int) -> bool:
    """Whether all of its servers are as its present spec wants them, and at least so many."""
    status = deployment.get("status", {})
    if status.get("observedGeneration", 0) < deployment["metadata"].get("generation", 1):
        return False
    updated = int(status.get("updatedReplicas", 0))
    return updated == int(status.get("replicas", 0)) and available(deployment) >= max(fewest, updated)


def trouble(cluster: Cluster, deployment: Mapping[str, Any], who: str) -> MlopsError | None:
    """Why its servers will not get ready by waiting; None while they may."""
    for one in _conditions(deployment):
        if one["type"] == "ReplicaFailure" and one["status"] == "True":
            return _refused(who, one.get("message", ""))
        if one["type"] == "Progressing" and one.get("reason") == "ProgressDeadlineExceeded":
            reason = waiting_for(cluster, deployment)
            return MlopsError(f"kubernetes: {who} does not get ready: {reason}. Mend that and run again")
    for container in _containers(_pods(cluster, deployment)):
        waiting = container.get("state", {}).get("waiting", {})
        reason, message = waiting.get("reason", ""), said(waiting.get("message", ""))
        if reason in _IMAGE:
            return BadInput(
                f"kubernetes: the image {container.get('image')} of {who} cannot be pulled ({reason}: "
                f"{message}). See MLOPS_IMAGE, and that the nodes may pull it"
            )
        if reason in _SETTINGS:
            return BadInput(
                f"kubernetes: the server of {who} cannot be started ({reason}: {message}). "
                "See MLOPS_KUBERNETES_SECRET and the image"
            )
        if reason == "CrashLoopBackOff":
            return MlopsError(
                f"kubernetes: the server of {who} ends again and again: {_last_words(container)}. "
                "Mend that and run again"
            )
    return None


def waiting_for(cluster: Cluster, deployment: Mapping[str, Any]) -> str:
    """What its servers wait for, as far as their status says."""
    pods = _pods(cluster, deployment)
    for pod in pods:
        for one in _conditions(pod):
            if one["type"] == "PodScheduled" and one["status"] == "False":
                return f"no node has room ({said(one.get('message', 'unschedulable'))})"
    for container in _containers(pods):
        waiting = container.get("state", {}).get("waiting", {})
        if waiting:
            return f"{waiting.get('reason')} {said(waiting.get('message', ''))}".strip()
        if container.get("lastState", {}).get("terminated"):
            return f"the server ended: {_last_words(container)}"
    if not pods:
        return "there are no pods yet"
    return "its servers run and are not ready"


def _pods(cluster: Cluster, deployment: Mapping[str, Any]) -> list[dict[str, Any]]:
    return cluster.list("Pod", deployment["spec"]["selector"]["matchLabels"])


def _conditions(of: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    found: Iterable[dict[str, Any]] = of.get("status", {}).get("conditions", ())
    return found


def _containers(pods: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    for pod in pods:
        yield from pod.get("status", {}).get("containerStatuses", ())


def _last_words(container: Mapping[str, Any]) -> str:
    ended = container.get("lastState", {}).get("terminated", {})
    words = said(ended.get("message", "")) or ended.get("reason", "it says nothing")
    return f"exit code {ended.get('exitCode', 'unknown')}, {words}"


def _refused(who: str, message: str) -> MlopsError:
    if "exceeded quota" in message:
        return BadInput(
            f"kubernetes: there are no servers for {who}: the quota is used up ({said(message)}). Have it "
            "raised, or ask for less with MLOPS_INSTANCES"
        )
    return BadInput(f"kubernetes: the cluster refuses the servers of {who}: {said(message)}")
