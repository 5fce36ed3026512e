"""Waiting until the cluster has done what was applied."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from mlops_core.adapters.kubernetes.errors import said
from mlops_core.adapters.kubernetes.pods import complete, trouble, waiting_for
from mlops_core.errors import BadInput, MlopsError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.adapters.kubernetes.cluster import Cluster
    from mlops_core.manifests import Workload

__all__ = ["Readiness"]


class Readiness:
    """Looks every `poll` seconds, `timeout` seconds in all; a release has at least `fewest` servers."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        timeout: float,
        fewest: int,
        poll: float,
        pause: Callable[[float], None],
    ) -> None:
        self._cluster, self._timeout, self._fewest = cluster, timeout, fewest
        self._poll, self._pause = poll, pause

    def until_ready(self, of: Workload) -> None:
        """The release's servers are ready. Raises at once when waiting will not help."""
        who = f"{of.name} version {of.version}"

        def look() -> str | None:
            deployment = self._cluster.get("Deployment", of.release)
            if deployment is None:
                raise MlopsError(f"kubernetes: Deployment {of.release} was deleted by somebody meanwhile")
            if complete(deployment, self._fewest):
                return None
            wrong = trouble(self._cluster, deployment, who)
            if wrong is not None:
                raise wrong
            return waiting_for(self._cluster, deployment)

        self._until(look, f"{who} is not ready", "what served before serves still")

    def until_led(self, of: Workload) -> None:
        """The model's Service leads to the servers of this release alone."""

        def look() -> str | None:
            slices = self._cluster.list("EndpointSlice", {"kubernetes.io/service-name": of.model})
            ends = [one for part in slices for one in part.get("endpoints") or () if _is_ready(one)]
            others = [one for one in ends if not _pod(one).startswith(f"{of.release}-")]
            if ends and not others:
                return None
            return f"it leads to {len(ends) - len(others)} of its servers and to {len(others)} others"

        self._until(look, f"Service {of.model} has not gone over to version {of.version}", "it may any time")

    def until_routed(self, of: Workload) -> None:
        """The Gateway has taken the route as it is now. Raises `BadInput` when it refuses it."""

        def look() -> str | None:
            found = self._cluster.get("HTTPRoute", of.model) or {"metadata": {}}
            generation = found["metadata"].get("generation", 1)
            reason = "no Gateway says anything about it"
            for parent in found.get("status", {}).get("parents", ()):
                told = {one["type"]: one for one in parent.get("conditions", ())}
                accepted, resolved = told.get("Accepted", {}), told.get("ResolvedRefs", {})
                if accepted.get("observedGeneration", generation) < generation:
                    continue
                if accepted.get("status") == "False":
                    raise BadInput(
                        f"kubernetes: the Gateway {of.gateway} refuses HTTPRoute {of.model}: "
                        f"{accepted.get('reason')} {said(accepted.get('message', ''))}"
                    )
                if accepted.get("status") == "True" and resolved.get("status", "True") == "True":
                    return None
                reason = f"{resolved.get('reason', 'pending')} {said(resolved.get('message', ''))}"
            return reason

        self._until(look, f"the Gateway {of.gateway} has not taken HTTPRoute {of.model}", "it may any time")

    def _until(self, look: Callable[[], str | None], what: str, meanwhile: str) -> None:
        end = time.monotonic() + self._timeout
        while True:
            reason = look()
            if reason is None:
                return
            if time.monotonic() >= end:
                raise Unavailable(
                    f"kubernetes: {what} within {self._timeout:g} s (MLOPS_TARGET_TIMEOUT): {reason}; "
                    f"{meanwhile}. Run the same again to go on waiting"
                )
            self._pause(self._poll)


def _is_ready(endpoint: dict[str, object]) -> bool:
    conditions = endpoint.get("conditions")
    return not isinstance(conditions, dict) or conditions.get("ready") is not False


def _pod(endpoint: dict[str, object]) -> str:
    target = endpoint.get("targetRef")
    return str(target.get("name", "")) if isinstance(target, dict) else ""
