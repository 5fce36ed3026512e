"""`GET /traffic`: who answers callers, and how the release on trial does in this server."""

# No `from __future__ import annotations` here: FastAPI reads the handlers' annotations at run time.

from typing import TYPE_CHECKING

from fastapi import APIRouter

from mlops_core.domain.value import Value
from mlops_core.serving.trial import TrialFigures

if TYPE_CHECKING:
    from mlops_core.serving.arms import Arms

__all__ = ["Traffic", "traffic_routes"]


class Traffic(Value):
    """Version `version` of `model` serves, and beside it there may be one on trial."""

    model: str
    version: int
    digest: str
    trial: TrialFigures | None


def traffic_routes(arms: "Arms") -> APIRouter:
    """The route, for the releases that `arms` holds."""
    routes = APIRouter(tags=["server"])

    @routes.get("/traffic")
    async def traffic() -> Traffic:
        """Who answers callers, and how the release on trial does in this server."""
        release = arms.predictor().release
        return Traffic(model=arms.name, version=release.version, digest=release.digest, trial=arms.trial())

    return routes
