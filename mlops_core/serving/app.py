"""The HTTP application: the Open Inference Protocol v2, and `POST /predict` by ids.

There is no documentation page, because FastAPI's loads its scripts from a public network; `/openapi.json`
describes everything. Plain handlers are run in threads by FastAPI, predictions as `pace.py` says: neither
delays a health check.
"""

# No `from __future__ import annotations` here: FastAPI reads the handlers' annotations at run time.

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Response
from fastapi.responses import PlainTextResponse

from mlops_core.errors import NotFound, Unavailable
from mlops_core.serving.arms import Arms
from mlops_core.serving.cloud import add_clouds
from mlops_core.serving.description import describe
from mlops_core.serving.drain import Drain
from mlops_core.serving.follower import ReleaseFollower
from mlops_core.serving.guard import Admission, Guard
from mlops_core.serving.jsonbody import JsonBody
from mlops_core.serving.metadata import ModelMetadata, ModelReady, ServerLive, ServerMetadata, ServerReady
from mlops_core.serving.metrics import ServerMetrics
from mlops_core.serving.observer import Observer
from mlops_core.serving.predictions import add_predictions
from mlops_core.serving.problem import Problem, answer_problems
from mlops_core.serving.traffic import traffic_routes

__all__ = ["create_app"]

Finder = Callable[..., Awaitable[str | None]]


def create_app(
    *, follower: ReleaseFollower, admission: Admission | None = None, drain: Drain | None = None
) -> FastAPI:
    """The application that serves what `follower` holds; it follows from start-up until shutdown.

    `admission` says who may ask, by default everybody; once `drain` began the application is not ready.
    """
    admission, drain = admission or Admission(), drain or Drain()

    @asynccontextmanager
    async def following(_: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(follower.refresh)
        task = asyncio.create_task(follower.run())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    app = FastAPI(
        title=f"mlops: {follower.name}",
        summary="Predictions of the model in Production, over the Open Inference Protocol v2 and by id.",
        version=_version(),
        docs_url=None,
        redoc_url=None,
        responses={"4XX": {"model": Problem}, "5XX": {"model": Problem}},
        strict_content_type=False,  # bodies are JSON without saying so, see `JsonBody`
        lifespan=following,
    )
    arms = Arms(follower)
    metrics = ServerMetrics(arms)
    template = describe(app, secured=admission.token is not None)
    app.add_middleware(JsonBody, limit=admission.max_body)
    app.add_middleware(Guard, admission=admission)
    app.add_middleware(Observer, template=template, metrics=metrics, drain=drain)  # the outermost
    answer_problems(app)
    add_predictions(app, arms)  # asked most, so looked at first
    add_clouds(app, arms, partial(_require_ready, arms, drain))
    app.include_router(_server_routes(arms, metrics, drain))
    app.include_router(traffic_routes(arms))
    versions = {"/v2/models/{name}": _any_version, "/v2/models/{name}/versions/{version}": _one_version}
    for path, which in versions.items():
        app.include_router(_model_routes(arms, drain, which(arms)), prefix=path)
    return app


def _server_routes(arms: Arms, metrics: ServerMetrics, drain: Drain) -> APIRouter:
    routes = APIRouter(tags=["server"])

    @routes.get("/v2")
    def server_metadata() -> ServerMetadata:
        """Which server this is."""
        return ServerMetadata(name="mlops", version=_version(), extensions=[])

    @routes.get("/v2/health/live")
    async def server_live() -> ServerLive:
        """Whether the server answers."""
        return ServerLive()

    @routes.get("/v2/health/ready")
    async def server_ready() -> ServerReady:
        """Whether the server can predict: 503 before the first release, and once it is about to stop."""
        _require_ready(arms, drain)
        return ServerReady()

    @routes.get("/metrics", response_class=PlainTextResponse)
    async def server_metrics() -> Response:
        """The server's figures, for Prometheus."""
        return Response(metrics.text(), media_type=metrics.content_type)

    return routes


def _model_routes(arms: Arms, drain: Drain, which: Finder) -> APIRouter:
    """What can be asked of a model; `which` gives the version that the path names, if it names one."""
    routes = APIRouter(tags=["model"])

    @routes.get("")
    def model_metadata(version: Annotated[str | None, Depends(which)]) -> ModelMetadata:
        """What the model takes and gives."""
        return ModelMetadata.of(arms.predictor(version).release, arms.versions)

    @routes.get("/ready")
    def model_ready(version: Annotated[str | None, Depends(which)]) -> ModelReady:
        """Whether this model (and version) is served."""
        _stays(drain)
        return ModelReady(name=arms.predictor(version).release.name)

    return routes


def _require_ready(arms: Arms, drain: Drain) -> None:
    _stays(drain)
    arms.predictor()


def _stays(drain: Drain) -> None:
    if drain.began:
        raise Unavailable("this server is about to stop; ask another")


def _any_version(arms: Arms) -> Finder:
    async def none(name: str) -> str | None:
        if name != arms.name:
            raise NotFound(f"there is no such model; {arms.name!r} is served here")
        return None

    return none


def _one_version(arms: Arms) -> Finder:
    any_version = _any_version(arms)

    async def asked(name: str, version: str) -> str | None:
        await any_version(name)
        return version

    return asked


def _version() -> str:
    try:
        return version("mlops-core")
    except PackageNotFoundError:  # run from a source folder that was not installed
        return "0"
