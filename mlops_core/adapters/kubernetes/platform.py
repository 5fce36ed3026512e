"""Releases on Kubernetes: each has a Deployment of its own, and callers are led to one of them.

What a model does is told by two objects, each changed in one step. Its Service selects the servers of the
release that serves, and says in annotations which that is and which was before. Its HTTPRoute, where there is
a Gateway, gives a release on trial its weight, or copies, and says on which terms. A release is applied and
ready before either leads to it; what neither names any more is deleted once another serves.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from mlops_core.adapters.deployer.platform import Placed, Seen, Trial
from mlops_core.adapters.kubernetes.cluster import Cluster
from mlops_core.adapters.kubernetes.judge import tallied, verdict
from mlops_core.adapters.kubernetes.objects import Objects
from mlops_core.adapters.kubernetes.pods import available, trouble, waiting_for
from mlops_core.adapters.kubernetes.readiness import Readiness
from mlops_core.adapters.kubernetes.workload import model_of, plain_of, workload_of
from mlops_core.errors import BadInput, IntegrityError, MlopsError
from mlops_core.manifests import PORT, model_service, release_objects, route
from mlops_core.target_settings import ServerSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

    from mlops_core.manifests import Workload
    from mlops_core.target_settings import TargetSettings

__all__ = ["KubernetesPlatform"]

_POLL_SECONDS = 2.0
_SERVING, _BEFORE, _TRIAL = "mlops/serving", "mlops/before", "mlops/trial"
_Told = TypeVar("_Told", Placed, Trial)


class KubernetesPlatform:
    """See `Platform`. `pause` waits for so many seconds between two looks at the cluster."""

    target = "kubernetes"

    def __init__(
        self,
        *,
        settings: TargetSettings,
        token: str | None = None,
        poll: float = _POLL_SECONDS,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._cluster = Cluster(
            context=settings.kubernetes_context, namespace=settings.kubernetes_namespace, token=token
        )
        self._objects = Objects(self._cluster)
        self._readiness = Readiness(
            self._cluster, timeout=settings.target_timeout, fewest=settings.instances, poll=poll, pause=pause
        )

    @classmethod
    def of(cls, settings: TargetSettings) -> Self:
        """By the settings; nothing is asked yet, nor is the client imported."""
        token = settings.token if isinstance(settings, ServerSettings) else None
        return cls(settings=settings, token=token.get_secret_value() if token else None)

    def serve(self, placed: Placed) -> None:
        """See `Platform.serve`: the Service is switched once the release's own servers are ready."""
        made = self._workload(placed)
        service = self._objects.mine("Service", made.model, made.name)
        serving, before = _told(service, _SERVING, Placed), _told(service, _BEFORE, Placed)
        if serving is not None and serving != placed:
            before = serving
        leading = model_service(made, before=before.model_dump_json() if before else None)
        self._objects.check([*release_objects(made), leading, *self._route(made)], made.name)
        if serving is not None and placed == _told(service, _BEFORE, Placed):
            # Not the one before any more but the one to come: what is seen meanwhile is a change under way
            self._cluster.apply(model_service(self._workload(serving)))
        self._run(made)
        self._cluster.apply(leading)
        self._readiness.until_led(made)
        for one in self._route(made):
            self._cluster.apply(one)
            self._readiness.until_routed(made)
        self._objects.sweep(made, keep=(placed, before))

    def share(self, trial: Trial) -> None:
        """See `Platform.share`: weights of the HTTPRoute, or copies by its filter RequestMirror."""
        made = self._workload(trial.placed)
        if made.gateway is None:
            raise BadInput(
                f"kubernetes: {made.name} has no Gateway that could share its requests: name one with "
                "MLOPS_KUBERNETES_GATEWAY, [NAMESPACE/]NAME"
            )
        service = self._objects.mine("Service", made.model, made.name)
        told = trial.model_dump_json(exclude_none=True)
        sharing = route(made, trial=made, percent=trial.percent, shadow=trial.shadow, told=told)
        self._objects.check([*release_objects(made), sharing], made.name)
        self._run(made)
        self._cluster.apply(sharing)
        self._readiness.until_routed(made)
        kept = _told(service, _SERVING, Placed), _told(service, _BEFORE, Placed), trial.placed
        self._objects.sweep(made, keep=kept)

    def withdraw(self, name: str) -> None:
        """See `Platform.withdraw`; a release that never came to serve goes, too."""
        model = model_of(name)
        service = self._objects.mine("Service", model, name)
        serving = _told(service, _SERVING, Placed)
        if serving is None:
            return
        made = self._workload(serving)
        if self._trial(model, name) is not None:
            self._cluster.apply(route(made))
            self._readiness.until_routed(made)
        self._objects.sweep(made, keep=(serving, _told(service, _BEFORE, Placed)))

    def seen(self, name: str) -> Seen:
        """See `Platform.seen`; a trial beyond its bounds ends when this is asked."""
        model = model_of(name)
        service = self._objects.mine("Service", model, name)
        serving = _told(service, _SERVING, Placed)
        trial = self._trial(model, name)
        if trial is not None and trial.placed == serving:
            trial = None  # it was promoted, and killed before the route was told
        running = self._objects.running(name, plain_of(name))
        if trial is not None and serving is not None and trial.ended is None:
            trial = self._judged(trial, serving)
        if serving is None and not running:
            return Seen()
        known = (serving, _told(service, _BEFORE, Placed), trial.placed if trial else None)
        state, why = self._state(serving, known, running)
        return Seen.model_validate({"state": state, "serving": serving, "trial": trial, "why": why})

    def ask(self, placed: Placed, request: Mapping[str, Any]) -> dict[str, Any]:
        """See `Platform.ask`: by the API server's proxy to the release's own Service."""
        service = f"{self._workload(placed).release}:http"
        answer = self._cluster.ask("Service", service, f"v2/models/{placed.name}/infer", request)
        try:
            found = json.loads(answer)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise MlopsError(f"kubernetes: {service} answers no JSON: see the image (MLOPS_IMAGE)")
        return found

    def _run(self, made: Workload) -> None:
        """Have its servers ready."""
        for one in release_objects(made):
            self._cluster.apply(one)
        self._readiness.until_ready(made)

    def _route(self, made: Workload) -> list[dict[str, Any]]:
        return [route(made)] if made.gateway else []

    def _trial(self, model: str, name: str) -> Trial | None:
        if self._settings.kubernetes_gateway is None:
            return None
        return _told(self._objects.mine("HTTPRoute", model, name), _TRIAL, Trial)

    def _judged(self, trial: Trial, serving: Placed) -> Trial:
        """The trial with what its servers counted; ended, where that is beyond its bounds."""
        labels = self._workload(trial.placed).of_release
        pods = [pod["metadata"]["name"] for pod in self._cluster.list("Pod", labels)]
        pages = []
        for pod in pods:
            try:
                pages.append(self._cluster.ask("Pod", f"{pod}:{PORT}", "metrics").decode(errors="replace"))
            except BadInput:
                raise
            except MlopsError:
                continue  # one that starts or ends: it counts nothing new
        tally = tallied(pages)
        ended = verdict(tally, trial.bounds)
        seen = trial.model_copy(update={"requests": tally.requests, "errors": tally.errors, "ended": ended})
        if ended is not None:
            self._cluster.apply(route(self._workload(serving), told=seen.model_dump_json(exclude_none=True)))
        return seen

    def _state(
        self, serving: Placed | None, known: tuple[Placed | None, ...], running: dict[str, dict[str, Any]]
    ) -> tuple[str, str | None]:
        """By the Deployments: what serves has to be there, and what nothing names is on its way."""
        if serving is not None:
            there = running.get(serving.label)
            if there is None:
                return "failed", f"the servers of version {serving.version} were deleted: promote it again"
            if not available(there):
                return self._why(there, f"version {serving.version}")
        labels = {one.label for one in known if one is not None}
        for label, deployment in running.items():
            if label not in labels:
                return self._why(deployment, f"version {label.partition('-')[0]}")
        return "ready", None

    def _why(self, deployment: Mapping[str, Any], who: str) -> tuple[str, str]:
        wrong = trouble(self._cluster, deployment, who)
        if wrong is not None:
            return "failed", str(wrong)
        if available(deployment):
            return "changing", f"{who} is ready, and callers are not led to it yet: run the same again"
        return "changing", f"{who}: {waiting_for(self._cluster, deployment)}"

    def _workload(self, placed: Placed) -> Workload:
        return workload_of(placed, self._settings)


def _told(of: Mapping[str, Any] | None, what: str, kind: type[_Told]) -> _Told | None:
    """What an annotation says; None when it says nothing."""
    text = (of or {}).get("metadata", {}).get("annotations", {}).get(what)
    if of is None or text is None:
        return None
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        who = f"{of['kind']} {of['metadata']['name']}"
        raise IntegrityError(
            f"kubernetes: the annotation {what} of {who} was changed by somebody and says nothing any more: "
            "promote a version again once it is removed"
        ) from error
