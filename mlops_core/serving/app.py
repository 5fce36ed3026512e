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

import numpy as np
from fastapi import APIRouter, Depends, FastAPI

from mlops_core.errors import NotFound
from mlops_core.serving.arms import Answer, Arms
from mlops_core.serving.follower import ReleaseFollower
from mlops_core.serving.inference import InferenceRequest, InferenceResponse
from mlops_core.serving.jsonbody import JsonBody
from mlops_core.serving.metadata import ModelMetadata, ModelReady, ServerLive, ServerMetadata, ServerReady
from mlops_core.serving.prediction import PredictRequest, PredictResponse
from mlops_core.serving.predictor import Predictor
from mlops_core.serving.problem import Problem, answer_problems
from mlops_core.serving.tensors import matrix_of

__all__ = ["create_app"]

Finder = Callable[..., Awaitable[str | None]]
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
    arms = Arms(follower)
    app.include_router(_server_routes(arms))
    app.include_router(_predict_routes(arms))
    versions = {"/v2/models/{name}": _any_version, "/v2/models/{name}/versions/{version}": _one_version}
    for path, which in versions.items():
        app.include_router(_model_routes(arms, which(arms)), prefix=path)
    return app


def _server_routes(arms: Arms) -> APIRouter:
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
        arms.predictor()
        return ServerReady()

    return routes


def _predict_routes(arms: Arms) -> APIRouter:
    routes = APIRouter(tags=["by id"])

    @routes.post("/predict")
    def predict(body: PredictRequest) -> PredictResponse:
        """Predict entities by id, from their features in the online store."""

        def work(predictor: Predictor) -> Answer[PredictResponse]:
            found = predictor.predict_ids(body.ids)
            scores = np.array([one.probability for one in found])
            return Answer(PredictResponse.of(predictor.release, found), scores, predictor)

        return arms.answer(work).body

    return routes


def _model_routes(arms: Arms, which: Finder) -> APIRouter:
    """What can be asked of a model; `which` gives the version that the path names, if it names one."""
    routes = APIRouter(tags=["model"])

    @routes.get("")
    def model_metadata(version: Annotated[str | None, Depends(which)]) -> ModelMetadata:
        """What the model takes and gives."""
        return ModelMetadata.of(arms.predictor(version).release)

    @routes.get("/ready")
    def model_ready(version: Annotated[str | None, Depends(which)]) -> ModelReady:
        """Whether this model (and version) is served."""
        return ModelReady(name=arms.predictor(version).release.name)

    @routes.post("/infer", response_model_exclude_none=True)
    def infer(body: InferenceRequest, version: Annotated[str | None, Depends(which)]) -> InferenceResponse:
        """Predict rows: one input tensor a feature, of shape [n] or [n, 1], with null where missing."""

        def work(predictor: Predictor) -> Answer[InferenceResponse]:
            release = predictor.release
            scores = predictor.predict_rows(matrix_of(body, release.feature_names))
            return Answer(
                InferenceResponse.of(body, release, scores, predictor.labels(scores)), scores, predictor
            )

        return arms.answer(work, version).body

    return routes


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
