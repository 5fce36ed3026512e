"""The addresses that predict: rows by the Open Inference Protocol v2, and entities by their ids."""

# No `from __future__ import annotations` here: FastAPI reads the handlers' annotations at run time.

import numpy as np
from fastapi import FastAPI, Response

from mlops_core.errors import NotFound
from mlops_core.serving.arms import Answer, Arms
from mlops_core.serving.inference import InferenceRequest, InferenceResponse, check_outputs
from mlops_core.serving.pace import answer
from mlops_core.serving.prediction import PredictRequest, PredictResponse
from mlops_core.serving.prediction_route import PredictionRoute
from mlops_core.serving.predictor import Predictor
from mlops_core.serving.tensors import matrix_of

__all__ = ["Rows", "add_predictions", "as_json"]

_MODEL = "/v2/models/{name}"


def add_predictions(app: FastAPI, arms: Arms) -> None:
    """Add them to the application itself; the first to be added are the first to be found."""

    async def infer(body: InferenceRequest, name: str) -> Response:
        """Predict rows: one input tensor a feature, of shape [n] or [n, 1], with null where missing."""
        return await _infer(arms, body, name)

    async def infer_version(body: InferenceRequest, name: str, version: str) -> Response:
        """The same of this version: 404 unless it is served."""
        return await _infer(arms, body, name, version)

    async def predict(body: PredictRequest) -> Response:
        """Predict entities by id, from their features in the online store."""
        work = _Entities(body)
        return as_json(await answer(arms, work, rows=len(body.ids), online=True))

    for path, handler, response, tag in (
        (f"{_MODEL}/infer", infer, InferenceResponse, "model"),
        ("/predict", predict, PredictResponse, "by id"),
        (f"{_MODEL}/versions/{{version}}/infer", infer_version, InferenceResponse, "model"),
    ):
        app.router.add_api_route(
            path,
            handler,
            methods=["POST"],
            response_model=response,
            tags=[tag],
            route_class_override=PredictionRoute,
        )


class Rows:
    """What one request for rows asks of a predictor."""

    def __init__(self, body: InferenceRequest) -> None:
        self._body = body

    def __call__(self, predictor: Predictor) -> Answer[str]:
        release = predictor.release
        check_outputs(self._body, release)
        scores = predictor.predict_rows(matrix_of(self._body, release.feature_names))
        made = InferenceResponse.of(self._body, release, scores, predictor.labels(scores))
        return Answer(made.model_dump_json(exclude_none=True), scores, predictor)


class _Entities:
    """What one request for entities asks of a predictor."""

    def __init__(self, body: PredictRequest) -> None:
        self._body = body

    def __call__(self, predictor: Predictor) -> Answer[str]:
        found = predictor.predict_ids(self._body.ids)
        scores = np.array([one.score for one in found])
        return Answer(PredictResponse.of(predictor.release, found).model_dump_json(), scores, predictor)


async def _infer(arms: Arms, body: InferenceRequest, name: str, version: str | None = None) -> Response:
    if name != arms.name:
        raise NotFound(f"there is no such model; {arms.name!r} is served here")
    return as_json(await answer(arms, Rows(body), version, rows=len(body.inputs[0].data)))


def as_json(body: str) -> Response:
    """What pydantic has written: FastAPI would check it again, and write it anew."""
    return Response(body, media_type="application/json")
