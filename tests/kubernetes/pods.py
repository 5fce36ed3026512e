"""The controllers of a cluster as far as releases need them: pods are servers of ours in this process."""

from __future__ import annotations

import asyncio
import json
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import httpx

from mlops_core.errors import MlopsError
from mlops_core.serving.predictor import Predictor
from mlops_core.settings import Settings
from tests.deployer.release_server import ReleaseServer

if TYPE_CHECKING:
    from tests.kubernetes.store import Store

__all__ = ["GATEWAY", "Controllers", "Faults"]

GATEWAY = "edge"
_SERVER_VARIABLES = {f"MLOPS_{name}".upper() for name in Settings.model_fields}


@dataclass
class Faults:
    """What goes wrong with pods: `stuck` are never ready, `pull` is what a registry says, `quota` the API."""

    stuck: bool = False
    pull: str | None = None
    quota: str | None = None
    liar: tuple[int, str] | None = None
    """Version and digest of the release whose servers predict otherwise."""
    failing: set[str] = field(default_factory=set)
    """Labels of releases whose models raise at every prediction."""


@dataclass
class _Started:
    """A pod's server, or its last words; the first pod's stands for all that a Deployment's status says."""

    server: ReleaseServer | None
    words: str = ""
    looks: int = 0

    @cached_property
    def client(self) -> httpx.AsyncClient:
        """Asks it without a network."""
        assert self.server is not None
        transport = httpx.ASGITransport(app=self.server._app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://server", trust_env=False)


class Controllers:
    """Those of Deployments, HorizontalPodAutoscalers, EndpointSlices and one Gateway; run at every look."""

    def __init__(self, store: Store, secrets: dict[str, dict[str, str]]) -> None:
        self.faults = Faults()
        self._store, self._secrets = store, secrets
        self._servers: dict[str, _Started] = {}
        self._loop = asyncio.new_event_loop()  # one for all: a loop a request takes longer than the request

    def close(self) -> None:
        """End the servers."""
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def run(self) -> None:
        """One round of all of them."""
        for deployment in self._store.chosen("deployments", {}):
            self._scale(deployment)
            self._roll(deployment)
        for route in self._store.chosen("httproutes", {}):
            self._accept(route)

    def pods(self, labels: dict[str, str], *, ready: bool = False) -> list[dict[str, Any]]:
        """Pods that have all these labels."""
        found = []
        for deployment in self._store.chosen("deployments", {}):
            has = deployment["spec"]["template"]["metadata"]["labels"]
            if labels.items() <= has.items() and (not ready or deployment["status"]["availableReplicas"]):
                found += [self._pod(deployment, number) for number in range(deployment["spec"]["replicas"])]
        return found

    def slices(self, service: str) -> list[dict[str, Any]]:
        """The EndpointSlice of a Service."""
        selector = self._store.get("services", service)["spec"]["selector"]
        ends = [
            {"conditions": {"ready": True}, "targetRef": {"kind": "Pod", "name": pod["metadata"]["name"]}}
            for pod in self.pods(selector, ready=True)
        ]
        return [{"metadata": {"name": f"{service}-1"}, "endpoints": ends}]

    def answer(self, pod: dict[str, Any], method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """What the server in a pod answers."""
        release = pod["metadata"]["labels"]["mlops/release"]
        told = pod["metadata"]["annotations"]
        started = self._started(told["deployment"], int(told["number"]))
        assert started.server is not None
        broken = release in self.faults.failing
        with patch.object(Predictor, "predict_rows", side_effect=OSError) if broken else nullcontext():
            code, answer = self._asked(started, method, path, body)
        by = started.server.release
        if self.faults.liar == (by.version, by.digest) and path.endswith("/infer"):
            found = json.loads(answer)
            for output in found["outputs"]:
                output["data"] = [0.123 for _ in output["data"]]
            answer = json.dumps(found).encode()
        return code, answer

    def _asked(self, started: _Started, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """Status and body of an answer, which need not be JSON; nobody else asks at the same time."""
        found = self._loop.run_until_complete(started.client.request(method, f"/{path}", content=body))
        return found.status_code, found.content

    def _scale(self, deployment: dict[str, Any]) -> None:
        """The autoscaler's: it sets replicas, which are its own from then on."""
        name = deployment["metadata"]["name"]
        for scaler in self._store.chosen("horizontalpodautoscalers", {}):
            fewest = scaler["spec"]["minReplicas"]
            if scaler["spec"]["scaleTargetRef"]["name"] == name and deployment["spec"]["replicas"] < fewest:
                self._store.update(
                    "deployments", name, ("spec", "replicas"), fewest, "kube-controller-manager"
                )

    def _roll(self, deployment: dict[str, Any]) -> None:
        started = self._started(deployment["metadata"]["name"])
        started.looks += 1
        ready = started.server is not None and started.looks > 1 and not self._held(deployment)
        wanted = deployment["spec"]["replicas"]
        status = {
            "observedGeneration": deployment["metadata"].get("generation", 1),
            "replicas": wanted,
            "updatedReplicas": wanted,
            "availableReplicas": wanted if ready else 0,
        }
        if self.faults.quota and not ready:
            status["conditions"] = [
                {
                    "type": "ReplicaFailure",
                    "status": "True",
                    "reason": "FailedCreate",
                    "message": self.faults.quota,
                }
            ]
        deployment["status"] = status

    def _held(self, deployment: dict[str, Any]) -> bool:
        """Whether faults keep it from being ready; what was ready goes on."""
        was = bool(deployment.get("status", {}).get("availableReplicas"))
        return not was and bool(self.faults.stuck or self.faults.pull or self.faults.quota)

    def _pod(self, deployment: dict[str, Any], number: int) -> dict[str, Any]:
        name = deployment["metadata"]["name"]
        template = deployment["spec"]["template"]
        ready = bool(deployment["status"]["availableReplicas"])
        container: dict[str, Any] = {"image": template["spec"]["containers"][0]["image"], "ready": ready}
        words = self._started(name).words
        if ready:
            container["state"] = {"running": {}}
        elif self.faults.pull:
            container["state"] = {"waiting": {"reason": "ImagePullBackOff", "message": self.faults.pull}}
        elif words:
            container["state"] = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}
            container["lastState"] = {"terminated": {"exitCode": 1, "reason": "Error", "message": words}}
        else:
            container["state"] = {"waiting": {"reason": "ContainerCreating"}}
        return {
            "kind": "Pod",
            "metadata": {
                "name": f"{name}-5d4f8c-{number}",
                "labels": template["metadata"]["labels"],
                "annotations": {"deployment": name, "number": str(number)},
            },
            "status": {"conditions": [], "containerStatuses": [container]},
        }

    def _started(self, deployment: str, number: int = 0) -> _Started:
        """The server of a pod, started from the variables of its container and nothing else."""
        made = self._store.get("deployments", deployment)
        container = made["spec"]["template"]["spec"]["containers"][0]
        key = f"{made['metadata']['uid']} {number} {container['env']}"
        if key not in self._servers:
            self._servers[key] = self._start(container)
        return self._servers[key]

    def _start(self, container: dict[str, Any]) -> _Started:
        variables = {one["name"]: one["value"] for one in container["env"]}
        for source in container.get("envFrom", ()):
            variables |= self._secrets[source["secretRef"]["name"]]
        strange = sorted(set(variables) - _SERVER_VARIABLES)
        if strange:
            return _Started(None, f"the environment variable {strange[0]} is no setting")
        try:
            return _Started(ReleaseServer(variables))
        except MlopsError as error:
            return _Started(None, f"mlops: {error}")

    def _accept(self, route: dict[str, Any]) -> None:
        (parent,) = route["spec"]["parentRefs"]
        if parent["name"] != GATEWAY:
            route["status"] = {"parents": []}
            return
        names = {one["name"] for rule in route["spec"]["rules"] for one in rule["backendRefs"]}
        there = all(("services", name) in self._store.objects for name in names)
        generation = route["metadata"].get("generation", 1)
        conditions = [
            {"type": "Accepted", "status": "True", "reason": "Accepted", "observedGeneration": generation},
            {
                "type": "ResolvedRefs",
                "status": str(there),
                "reason": "ResolvedRefs" if there else "BackendNotFound",
                "observedGeneration": generation,
            },
        ]
        route["status"] = {"parents": [{"parentRef": parent, "conditions": conditions}]}
