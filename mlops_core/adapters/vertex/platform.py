"""Models served by Vertex AI: an endpoint for each use case, and traffic by weight.

Vertex AI neither copies requests nor judges what is on trial: there is no shadow, and bounds are for
whoever watches the trial.
"""

from __future__ import annotations

import json
import logging
import math
from typing import TYPE_CHECKING, Any, Self

from mlops_core.adapters.deployer.platform import Seen, Trial
from mlops_core.adapters.vertex.calls import Calls
from mlops_core.adapters.vertex.endpoints import Endpoints
from mlops_core.adapters.vertex.errors import Purpose
from mlops_core.adapters.vertex.models import Models
from mlops_core.adapters.vertex.names import Names
from mlops_core.errors import BadInput, IntegrityError, MlopsError, NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlops_core.adapters.deployer.platform import Placed
    from mlops_core.adapters.vertex.calls import Patience
    from mlops_core.adapters.vertex.connection import Services
    from mlops_core.adapters.vertex.endpoints import Endpoint
    from mlops_core.target_settings import TargetSettings

__all__ = ["VertexPlatform"]

_LOG = logging.getLogger(__name__)
_UNLUCKY = 1e-6  # how often a trial that answers its share is not met by so many requests
_LOOKS = 20  # as often is looked, at the usual interval, whether a change has reached what routes requests


class VertexPlatform:
    """A `Platform`. `services` and `every` (seconds between looks) are Google's own but in tests."""

    target = "vertex"

    def __init__(
        self, settings: TargetSettings, *, services: Callable[[], Services] | None = None, every: float = 5.0
    ) -> None:
        names = Names(settings.vertex_project or "", settings.vertex_location)
        self._names, self._calls = names, Calls(settings, services=services, every=every)
        self._endpoints = Endpoints(self._calls, names)
        self._models = Models(self._calls, names, settings)

    @classmethod
    def of(cls, settings: TargetSettings) -> Self:
        """The one that the settings name. Raises `BadInput` for what is missing among them."""
        _complete(settings)
        return cls(settings)

    def serve(self, placed: Placed) -> None:
        """See `Platform.serve`. What served before stays deployed without callers: going back is a call."""
        patience = self._calls.patience()
        endpoint, id_ = self._deployed(placed, patience)
        self._swept(self._sent(endpoint, patience, serving=id_), patience)

    def share(self, trial: Trial) -> None:
        """See `Platform.share`."""
        placed = trial.placed
        if trial.shadow:
            raise BadInput(
                f"{placed.name}: Vertex AI copies no requests, so there is no shadow; give version "
                f"{placed.version} a share of the callers instead (without --shadow)"
            )
        patience = self._calls.patience()
        serving = self._endpoints.get(placed.name)
        if serving is None or not serving.serving:
            raise NotFound(f"nothing of {placed.name} serves at Vertex AI yet: promote a version first")
        endpoint, id_ = self._deployed(placed, patience)
        _LOG.warning(
            "Vertex AI ends no trial by itself: watch %s version %d, and end it (mlops traffic %s --end)",
            placed.name,
            placed.version,
            placed.name,
        )
        there = self._sent(endpoint, patience, serving=endpoint.serving, trial=id_, percent=trial.percent)
        self._swept(there, patience)

    def withdraw(self, name: str) -> None:
        """See `Platform.withdraw`: callers first, whatever else goes on there."""
        patience = self._calls.patience()
        endpoint = self._endpoints.get(name)
        if endpoint is not None and endpoint.serving:
            there = self._sent(endpoint, patience, serving=endpoint.serving)
            self._swept(there, patience, also_later=True)

    def seen(self, name: str) -> Seen:
        """See `Platform.seen`; a share that somebody changed at Vertex AI itself counts as it is there."""
        endpoint = self._endpoints.get(name)
        if endpoint is None:
            return Seen()
        busy = self._busy(name)
        serving = self._release(endpoint, endpoint.serving)
        if serving is None:
            return Seen(state="changing" if busy else "nothing")
        strange = _strange(endpoint)
        why = strange or ("an operation goes on at Vertex AI" if busy else None)
        state = "failed" if strange else "changing" if busy else "ready"
        return Seen(state=state, serving=serving, trial=self._trial(endpoint), why=why)

    def ask(self, placed: Placed, request: Mapping[str, Any]) -> dict[str, Any]:
        """See `Platform.ask`.

        A request cannot choose who answers it there, so it is sent again until this release does: as often as
        a trial of its share misses once in a million times. That takes a while in all, since what routes
        requests hears of a change a moment later, and servers may be busy just then.
        """
        percent = self._percent(placed)
        tries, patience = _tries(percent), self._calls.patience()
        answer: dict[str, Any] | None = None
        for left in reversed(range(tries)):
            try:
                answer = self.answer(placed.name, request)
            except Unavailable:
                if not left:
                    raise
            else:
                if answer.get("model_version") == str(placed.version):
                    return answer
            if left:
                patience.wait(f"answer as version {placed.version} of {placed.name}", looks=_LOOKS / tries)
        if percent == 100 and answer is not None:
            return answer
        raise Unavailable(
            f"none of {tries} requests for {placed.name} was answered by version {placed.version}, which has "
            f"{percent} % of them at Vertex AI: look at its logs there, and run the same again"
        )

    def answer(self, name: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer that a caller of the use case gets now, whoever gives it."""
        purpose = Purpose(f"answer for {name}", "aiplatform.endpoints.predict")
        body = {"content_type": "application/json", "data": json.dumps(request).encode()}
        asking = {"endpoint": self._names.endpoint(name), "http_body": body}
        answer = self._calls.do(self._calls.services.predictions.raw_predict, asking, purpose)
        try:
            found = json.loads(answer.data)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise IntegrityError(f"what serves {name} at Vertex AI gave no JSON object")
        return found

    def _percent(self, placed: Placed) -> int:
        """Its share of the callers. Raises `Unavailable` where it has none."""
        endpoint = self._endpoints.get(placed.name)
        id_ = endpoint.of(self._models.prefix(placed)) if endpoint else ""
        percent = endpoint.split.get(id_, 0) if endpoint else 0
        if percent == 0:
            raise Unavailable(
                f"version {placed.version} of {placed.name} has no callers at Vertex AI: run the same again"
            )
        return percent

    def _deployed(self, placed: Placed, patience: Patience) -> tuple[Endpoint, str]:
        """The endpoint with the release deployed, and its id there; it waits only where it is not yet."""
        alias = self._models.alias(placed)
        endpoint = self._endpoints.get(placed.name)
        if endpoint is None or not endpoint.of(alias):
            endpoint = self._endpoints.deploy(
                self._endpoints.made(placed.name, patience),
                alias=alias,
                version=self._models.uploaded(placed, patience),
                resources=self._models.resources,
                patience=patience,
            )
        return endpoint, endpoint.of(alias)

    def _sent(self, endpoint: Endpoint, patience: Patience, **roles: Any) -> Endpoint:
        """See `Endpoints.send`; once more when something else that went on there came between."""
        try:
            return self._endpoints.send(endpoint, **roles)
        except Unavailable:
            again = self._endpoints.at_rest(endpoint.name, patience)
            if again is None:
                raise
            return self._endpoints.send(again, **roles)

    def _swept(self, endpoint: Endpoint, patience: Patience, *, also_later: bool = False) -> None:
        """Callers are answered as they should be: what cannot be cleaned up now is so by the next order."""
        try:
            self._endpoints.sweep(endpoint, patience, also_later=also_later)
        except MlopsError as error:
            _LOG.warning("what no caller needs stays deployed and costs its machines: %s", error)

    def _busy(self, name: str) -> bool:
        """Whether something is deployed or uploaded just now."""
        resources = (self._names.endpoint(name), self._names.model(name))
        return any(True for resource in resources for _ in self._calls.running(resource))

    def _release(self, endpoint: Endpoint, id_: str) -> Placed | None:
        if not id_:
            return None
        return self._models.release(endpoint.name, endpoint.deployed[id_].model_version_id)

    def _trial(self, endpoint: Endpoint) -> Trial | None:
        placed = self._release(endpoint, endpoint.trial)
        given = endpoint.split.get(endpoint.trial, 0)
        if placed is None or not 1 <= (given or endpoint.percent) <= 99:
            return None
        ended = None if given else "its share was taken away at Vertex AI itself"
        return Trial(placed=placed, percent=given or endpoint.percent, ended=ended)


def _tries(percent: int) -> int:
    if percent == 100:
        return _LOOKS
    return max(_LOOKS, math.ceil(math.log(_UNLUCKY) / math.log1p(-percent / 100)))


def _strange(endpoint: Endpoint) -> str | None:
    """What is wrong with who answers."""
    others = set(endpoint.split) - {endpoint.serving, endpoint.trial}
    if endpoint.serving in endpoint.split and not others:
        return None
    return (
        "its traffic was changed at Vertex AI itself: not all callers are answered by what was promoted. "
        "Promote the version again"
    )


def _complete(settings: TargetSettings) -> None:
    needed = {
        "MLOPS_VERTEX_PROJECT": (settings.vertex_project, "the id of the project of Google Cloud"),
        "MLOPS_VERTEX_SERVICE_ACCOUNT": (
            settings.vertex_service_account,
            "the account that servers run as, which may read MLOPS_ARTIFACTS",
        ),
        "MLOPS_IMAGE": (settings.image, "the server's image in Artifact Registry"),
        "MLOPS_ARTIFACTS": (settings.artifacts, "gs://BUCKET/PREFIX"),
    }
    missing = [f"{name} ({meaning})" for name, (value, meaning) in needed.items() if not value]
    if missing:
        raise BadInput(f"the target vertex needs {', '.join(missing)}")
    if not (settings.artifacts or "").startswith("gs://") and settings.vertex_endpoint is None:
        raise BadInput(
            f"MLOPS_ARTIFACTS is {settings.artifacts!r}: servers at Vertex AI read gs://BUCKET/PREFIX alone"
        )
