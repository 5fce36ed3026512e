"""A use case's endpoint at SageMaker: one variant that serves, and one on trial beside it.

Going over to another release is a blue/green update that SageMaker itself guards: new servers get a tenth of
the callers, and where an alarm goes off, SageMaker goes back. Such an update wants the same variants
before and after, so a trial is ended first. Its share of the callers is given by weights, which are changed
within a minute; adding and removing the variant takes an update that is not guarded.
"""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING, Any, Literal, Self

from mlops_core.adapters.deployer.platform import Seen
from mlops_core.adapters.sagemaker.aws import Aws
from mlops_core.adapters.sagemaker.leftovers import clear, going_off
from mlops_core.adapters.sagemaker.making import Making
from mlops_core.adapters.sagemaker.names import NAME, SERVING, SHADOW, TRIAL, endpoint_name, tags_of
from mlops_core.adapters.sagemaker.reading import CHANGING, Endpoint, read, status_of
from mlops_core.adapters.sagemaker.requests import Configuration, guarded, only, with_trial, without_trial
from mlops_core.adapters.sagemaker.waiting import Waiting
from mlops_core.domain.traffic import Bounds
from mlops_core.errors import BadInput, IntegrityError, MlopsError, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlops_core.adapters.deployer.platform import Placed, Trial
    from mlops_core.target_settings import TargetSettings

__all__ = ["SageMakerPlatform"]

_LOG = logging.getLogger(__name__)
_EVERY = 15.0  # seconds between two looks at an endpoint
_STATES: dict[str, Literal["failed", "changing"]] = {
    "OutOfService": "failed",
    "UpdateRollbackFailed": "failed",
    **dict.fromkeys(CHANGING, "changing"),
}


class SageMakerPlatform:
    """A `Platform` of the account and region that boto3 finds; `pause` waits between two looks."""

    target = "sagemaker"

    def __init__(
        self,
        settings: TargetSettings,
        aws: Aws,
        *,
        every: float = _EVERY,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings, self._aws, self._making = settings, aws, Making(aws, settings)
        self._waiting = Waiting(aws, longest=settings.target_timeout, every=every, pause=pause)

    @classmethod
    def of(cls, settings: TargetSettings) -> Self:
        """As the settings have it. Raises `BadInput` where releases lie where SageMaker does not read."""
        if settings.artifacts is not None and not settings.artifacts.startswith("s3://"):
            raise BadInput(
                f"MLOPS_ARTIFACTS is {settings.artifacts}, and servers at SageMaker read s3://BUCKET/PREFIX"
            )
        return cls(settings, Aws(endpoint_url=settings.sagemaker_endpoint_url))

    def serve(self, placed: Placed) -> None:
        """See `Platform.serve`."""
        wanted = only(placed, self._making.named(placed), self._settings)
        endpoint = self._endpoint(placed.name)
        if endpoint is not None and endpoint.status == "Failed":
            _LOG.warning("%s failed (%s): it is deleted and made again", endpoint.name, endpoint.reason)
            self._aws.look("delete_endpoint", EndpointName=endpoint.name)
            endpoint = self._endpoint(placed.name)
        if endpoint is None:
            self._make(placed, wanted)
            self._create(placed, wanted)
            return
        if endpoint.has_trial:
            endpoint = self._end(endpoint)
        if endpoint.config != wanted.name:
            self._make(placed, wanted)
            self._go_over(endpoint, wanted, placed)
            clear(self._aws, placed.name, keep={endpoint.config, wanted.name})

    def share(self, trial: Trial) -> None:
        """See `Platform.share`: a variant beside the one that serves, in an update that is not guarded.

        SageMaker knows no alarm that ends a share; those of the trial are made all the same, and `seen` says
        when one has gone off.
        """
        named = self._making.named(trial.placed)
        endpoint = self._endpoint(trial.placed.name)
        if endpoint is None:
            raise NotFound(f"nothing of {trial.placed.name} serves at SageMaker yet: promote a version")
        if not trial.shadow and endpoint.variants.get(TRIAL, {}).get("ModelName") == named:
            self._making.alarms(endpoint.name, endpoint.config, TRIAL, trial.bounds)
            self._weigh(endpoint, trial.percent)
            return
        wanted = with_trial(endpoint.serving, endpoint.serving_variant, trial, named, self._settings)
        self._make(trial.placed, wanted)
        self._making.alarms(endpoint.name, wanted.name, SHADOW if trial.shadow else TRIAL, trial.bounds)
        if endpoint.config != wanted.name:
            self._update(endpoint, wanted)

    def withdraw(self, name: str) -> None:
        """See `Platform.withdraw`; callers get nothing of a trial any more before its servers are removed."""
        endpoint = self._endpoint(name)
        if endpoint is not None and endpoint.has_trial:
            self._end(endpoint)

    def seen(self, name: str) -> Seen:
        """See `Platform.seen`."""
        described = status_of(self._aws, name)
        if described is None:
            return Seen()
        endpoint = read(self._aws, name, described)
        match endpoint.status:
            case "Failed":
                return Seen(state="failed", why=endpoint.reason or "SageMaker gave no reason")
            case "Creating" | "Deleting":
                return Seen(state="changing", why=f"{endpoint.name} is {endpoint.status}")
        return Seen(
            state=_STATES.get(endpoint.status, "ready"),
            serving=endpoint.serving,
            trial=endpoint.trial,
            why=self._why(endpoint, name),
        )

    def ask(self, placed: Placed, request: Mapping[str, Any]) -> dict[str, Any]:
        """See `Platform.ask`: by InvokeEndpoint, as callers do; where there are two variants, by name."""
        endpoint = self._endpoint(placed.name)
        if endpoint is None:
            raise NotFound(f"nothing of {placed.name} serves at SageMaker")
        variant = {}
        if endpoint.has_trial:
            on_trial = endpoint.trial is not None and endpoint.trial.placed == placed
            beside = next(one for one in endpoint.variants if one != SERVING)
            variant = {"TargetVariant": beside if on_trial else SERVING}
        answer = self._aws.ask(
            "invoke_endpoint",
            EndpointName=endpoint.name,
            ContentType="application/json",
            Accept="application/json",
            Body=json.dumps(request).encode(),
            **variant,
        )
        try:
            return dict(json.loads(answer["Body"].read()))
        except ValueError as error:
            raise MlopsError(f"{endpoint.name} at SageMaker answered without JSON: see its logs") from error

    def _why(self, endpoint: Endpoint, name: str) -> str | None:
        if endpoint.trial is not None and (off := going_off(self._aws, endpoint.config)):
            return f"alarms of the trial went off: {off}. End it: mlops traffic {name} --end"
        if endpoint.status in CHANGING and endpoint.reason is None:
            return f"{endpoint.name} is {endpoint.status}"
        return endpoint.reason

    def _endpoint(self, name: str) -> Endpoint | None:
        """The endpoint, once it does not change any more; None where there is none."""
        described = self._waiting.settled(name)
        return read(self._aws, name, described) if described else None

    def _make(self, placed: Placed, wanted: Configuration) -> None:
        self._making.model(placed)
        self._making.configuration(wanted)

    def _create(self, placed: Placed, wanted: Configuration) -> None:
        name = endpoint_name(placed.name)
        self._waiting.when_known(
            "create_endpoint",
            EndpointName=name,
            EndpointConfigName=wanted.name,
            Tags=tags_of({NAME: placed.name}),
        )
        self._arrived(placed.name, wanted, f"{name} does not start with version {placed.version}")

    def _go_over(self, endpoint: Endpoint, wanted: Configuration, placed: Placed) -> None:
        """A guarded update, by new alarms. Raises `IntegrityError` where SageMaker went back by itself."""
        self._making.no_alarms(wanted.name)  # one that went off before would end this before it begins
        names = self._making.alarms(endpoint.name, wanted.name, SERVING, Bounds())
        if self._settings.instances == 1:
            _LOG.warning("one server has no tenth: all callers of %s go over at once", endpoint.name)
        self._waiting.when_known(
            "update_endpoint",
            EndpointName=endpoint.name,
            EndpointConfigName=wanted.name,
            DeploymentConfig=guarded(names, self._settings),
        )
        found = self._waiting.settled(placed.name) or {}
        if found.get("EndpointStatus") != "InService":
            told = f"{found.get('EndpointStatus', 'gone')}: {found.get('FailureReason', 'no reason given')}"
            raise MlopsError(f"{endpoint.name} at SageMaker is {told}. Promote again, which mends it")
        if found["EndpointConfigName"] == wanted.name:
            return
        off = going_off(self._aws, wanted.name)
        why = f"the alarm {off} went off" if off else found.get("FailureReason") or "it gave no reason"
        raise IntegrityError(
            f"SageMaker took version {placed.version} of {placed.name!r} back by itself: {why}. "
            f"Version {endpoint.serving.version} serves again"
        )

    def _end(self, endpoint: Endpoint) -> Endpoint:
        """End a trial: no caller gets it any more, then its servers go."""
        if TRIAL in endpoint.variants:
            self._weigh(endpoint, 0)
        wanted = without_trial(endpoint.serving, endpoint.serving_variant)
        self._making.configuration(wanted)
        self._update(endpoint, wanted)
        self._making.no_alarms(endpoint.config)
        found = self._endpoint(endpoint.serving.name)
        if found is None:
            raise NotFound(f"{endpoint.name} was deleted meanwhile: promote a version")
        return found

    def _weigh(self, endpoint: Endpoint, percent: int) -> None:
        """Give the trial's variant so many percent of the callers."""
        weights = {SERVING: 100.0 - percent, TRIAL: float(percent)}
        if all(endpoint.weights.get(name) == weight for name, weight in weights.items()):
            return
        self._aws.ask(
            "update_endpoint_weights_and_capacities",
            EndpointName=endpoint.name,
            DesiredWeightsAndCapacities=[
                {"VariantName": name, "DesiredWeight": weight} for name, weight in weights.items()
            ],
        )
        self._waiting.settled(endpoint.serving.name)

    def _update(self, endpoint: Endpoint, wanted: Configuration) -> None:
        self._waiting.when_known(
            "update_endpoint", EndpointName=endpoint.name, EndpointConfigName=wanted.name
        )
        self._arrived(endpoint.serving.name, wanted, f"{endpoint.name} does not take on what it was told to")

    def _arrived(self, name: str, wanted: Configuration, trouble: str) -> None:
        found = self._waiting.settled(name) or {}
        if found.get("EndpointConfigName") != wanted.name or found["EndpointStatus"] != "InService":
            reason = found.get("FailureReason") or "SageMaker gave no reason, see its logs"
            raise MlopsError(f"{trouble}: {reason}")
