"""Who answers the callers of a model at its target: the release that serves, and one beside it on trial."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from mlops_core.domain.value import Value

__all__ = ["Bounds", "Served", "Share", "TargetStatus"]


class Bounds(Value):
    """What a release on trial is held to; beyond any of it the target takes it back. None lifts a bound.

    `error_rate` is the share of its requests that failed, `latency_ms` the 99th percentile of a request and
    `shift` the population stability index of its scores against those of what serves. They count from
    `fewest` requests on, but for errors, of which `failures` in a row are enough.
    """

    error_rate: float | None = Field(default=0.01, ge=0, lt=1)
    latency_ms: float | None = Field(default=250.0, gt=0)
    shift: float | None = Field(default=0.5, gt=0)
    fewest: int = Field(default=100, ge=10)
    failures: int = Field(default=3, ge=1)


class Served(Value):
    """A release as its target has it; `release` is where it lies there (`Release.uri`)."""

    version: int
    digest: str
    release: str


class Share(Served):
    """A release on trial beside the one that serves.

    It answers `percent` of the callers' requests or, as a `shadow`, is asked as many of them while callers
    get what serves. `ended` says why the target took it back; `requests` is how many requests it was given
    and `errors` how many of them failed, both None where the target does not tell.
    """

    percent: int = Field(ge=1, le=100)
    shadow: bool = False
    ended: str | None = None
    requests: int | None = None
    errors: int | None = None

    @model_validator(mode="after")
    def _some_is_left(self) -> Self:
        if self.percent == 100 and not self.shadow:
            raise ValueError("a release that answers all requests is no trial: promote it")
        return self


class TargetStatus(Value):
    """What a target does for a model now.

    `state` is "nothing" before the first release, "changing" while it goes over from one to another, and
    "failed" where it cannot serve as it was told; `why` says more. `serving` answers all callers but those of
    `share`.
    """

    name: str
    target: str
    state: Literal["nothing", "ready", "changing", "failed"]
    serving: Served | None = None
    share: Share | None = None
    why: str | None = None
