"""The HTTP application: the Open Inference Protocol v2, and `POST /predict` by ids.

There is no documentation page, because FastAPI's loads its scripts from a public network; `/openapi.json`
describes everything. Handlers are plain functions, so FastAPI runs them in threads and a long prediction
delays no health check.
"""

# No `from __future__ import annotations` here: FastAPI reads the handlers' annotations at run time.

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI

from mlops_core.errors import NotFound
from mlops_core.serving.follower import ReleaseFollower
from mlops_core.serving.inference import InferenceRequest, InferenceResponse
from mlops_core.serving.jsonbody import JsonBody
from mlops_core.serving.metadata import ModelMetadata, ModelReady, ServerLive, ServerMetadata, ServerReady
from mlops_core.serving.prediction import PredictRequest, PredictResponse
from mlops_core.serving.predictor import Predictor
from mlops_core.serving.problem import Problem, answer_problems
from mlops_core.serving.tensors import matrix_of

__all__ = ["create_app"]

Finder = Callable[..., Awaitable[Predictor]]
_LARGEST_BODY = 8 * 2**20  # bytes; 10,000 rows of 20 features are about 4 MB of JSON


def create_app(*, follower: ReleaseFollower) -> FastAPI:
    """The application that serves what `follower` holds; it follows from start-up until shutdown."""

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
    app.add_middleware(JsonBody, limit=_LARGEST_BODY)
    answer_problems(app)
    app.include_router(_server_routes(follower))
    app.include_router(_predict_routes(follower))
    versions = {"/v2/models/{name}": _any_version, "/v2/models/{name}/versions/{version}": _one_version}
    for path, which in versions.items():
        app.include_router(_model_routes(which(follower)), prefix=path)
    return app


def _server_routes(follower: ReleaseFollower) -> APIRouter:
    routes = APIRouter(prefix="/v2", tags=["server"])

    @routes.get("")
    def server_metadata() -> ServerMetadata:
        """Which server this is."""
        return ServerMetadata(name="mlops", version=_version(), extensions=[])

    @routes.get("/health/live")
    async def server_live() -> ServerLive:
        """Whether the server answers."""
        return ServerLive()

    @routes.get("/health/ready")
    async def server_ready() -> ServerReady:
        """Whether the server can predict: 503 before the first release."""
        follower.predictor()
        return ServerReady()

    return routes


def _predict_routes(follower: ReleaseFollower) -> APIRouter:
    routes = APIRouter(tags=["by id"])

    @routes.post("/predict")
    def predict(body: PredictRequest) -> PredictResponse:
        """Predict entities by id, from their features in the online store."""
        predictor = follower.predictor()
        return PredictResponse.of(predictor.release, predictor.predict_ids(body.ids))

    return routes


def _model_routes(which: Finder) -> APIRouter:
    """What can be asked of a model; `which` finds it by the path. One answer is of one release."""
    routes = APIRouter(tags=["model"])

    @routes.get("")
    def model_metadata(served: Annotated[Predictor, Depends(which)]) -> ModelMetadata:
        """What the model takes and gives."""
        return ModelMetadata.of(served.release)

    @routes.get("/ready")
    def model_ready(served: Annotated[Predictor, Depends(which)]) -> ModelReady:
        """Whether this model (and version) is served."""
        return ModelReady(name=served.release.name)

    @routes.post("/infer", response_model_exclude_none=True)
    def infer(body: InferenceRequest, served: Annotated[Predictor, Depends(which)]) -> InferenceResponse:
        """Predict rows: one input tensor a feature, of shape [n] or [n, 1], with null where missing."""
        probabilities = served.predict_rows(matrix_of(body, served.release.feature_names))
        return InferenceResponse.of(body, served.release, probabilities, served.labels(probabilities))

    return routes


def _any_version(follower: ReleaseFollower) -> Finder:
    async def served(name: str) -> Predictor:
        if name != follower.name:
            raise NotFound(f"there is no such model; {follower.name!r} is served here")
        return follower.predictor()

    return served


def _one_version(follower: ReleaseFollower) -> Finder:
    any_version = _any_version(follower)

    async def served(name: str, version: str) -> Predictor:
        current = await any_version(name)
        if version != str(current.release.version):
            raise NotFound(f"this version is not served; version {current.release.version} of {name!r} is")
        return current

    return served


def _version() -> str:
    try:
        return version("mlops-core")
    except PackageNotFoundError:  # run from a source folder that was not installed
        return "0"
