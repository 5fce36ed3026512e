"""The addresses that platforms ask a container at: SageMaker's `/ping` and `/invocations`, Vertex AI's route.

SageMaker has its two fixed, and sends a caller's body as it is. Vertex AI is told where to ask: `/instances`,
where `predict` sends `{"instances": …}` and `rawPredict` a caller's body as it is, and `/ping` for health. So
both addresses take both bodies, and answer in kind.
"""

# No `from __future__ import annotations` here: FastAPI reads the handlers' annotations at run time.

from collections.abc import Callable

from fastapi import FastAPI, Response

from mlops_core.serving.arms import Answer, Arms
from mlops_core.serving.inference import InferenceRequest, InferenceResponse
from mlops_core.serving.instances import (
    CloudRequest,
    InstancesRequest,
    InstancesResponse,
    instances_matrix,
)
from mlops_core.serving.metadata import ServerReady
from mlops_core.serving.pace import answer
from mlops_core.serving.prediction_route import PredictionRoute
from mlops_core.serving.predictions import Rows, as_json
from mlops_core.serving.predictor import Predictor

__all__ = ["add_clouds"]


def add_clouds(app: FastAPI, arms: Arms, require_ready: Callable[[], object]) -> None:
    """Add them to the application; `require_ready` raises `Unavailable` while it is not ready."""

    @app.get("/ping", tags=["cloud"])
    async def ping() -> ServerReady:
        """Whether the server can predict, as SageMaker and Vertex AI ask: 503 while it cannot."""
        require_ready()
        return ServerReady()

    async def invocations(body: CloudRequest) -> Response:
        """Predict rows, for SageMaker: a body of the Open Inference Protocol, or instances."""
        return await _answered(arms, body)

    async def instances(body: CloudRequest) -> Response:
        """Predict rows, for Vertex AI: instances, or a body of the Open Inference Protocol."""
        return await _answered(arms, body)

    for path, handler in (("/invocations", invocations), ("/instances", instances)):
        app.router.add_api_route(
            path,
            handler,
            methods=["POST"],
            response_model=InferenceResponse | InstancesResponse,
            tags=["cloud"],
            route_class_override=PredictionRoute,
        )


class _Instances:
    """What one request for instances asks of a predictor."""

    def __init__(self, body: InstancesRequest) -> None:
        self._body = body

    def __call__(self, predictor: Predictor) -> Answer[str]:
        scores = predictor.predict_rows(instances_matrix(self._body, predictor.release.feature_names))
        made = InstancesResponse.of(scores, predictor.labels(scores))
        return Answer(made.model_dump_json(), scores, predictor)


async def _answered(arms: Arms, body: CloudRequest) -> Response:
    asked = body.root
    if isinstance(asked, InferenceRequest):
        return as_json(await answer(arms, Rows(asked), rows=len(asked.inputs[0].data)))
    return as_json(await answer(arms, _Instances(asked), rows=len(asked.instances)))
