"""The calls of Vertex AI on the line, by the names and messages of its protos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc  # type: ignore[import-untyped]  # it ships no types
from google.cloud.aiplatform_v1 import types
from google.longrunning import operations_pb2  # type: ignore[import-untyped]  # no types

from tests.vertex.checks import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Handlers"]

_METHODS = {
    "Endpoint": "CreateEndpoint GetEndpoint UpdateEndpoint DeleteEndpoint DeployModel UndeployModel",
    "Model": "UploadModel GetModel DeleteModel",
    "Prediction": "Predict RawPredict",
}


class Handlers(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc ships no types
    """Has each answered by `answer(method, request)`, which may raise `Refused`; others are UNIMPLEMENTED."""

    def __init__(self, answer: Callable[[str, Any], Any]) -> None:
        self._answer = answer
        self._reads = {
            f"/google.cloud.aiplatform.v1.{kind}Service/{method}": getattr(
                types, f"{method}Request"
            ).deserialize
            for kind, methods in _METHODS.items()
            for method in methods.split()
        }
        for method in ("GetOperation", "ListOperations"):
            reads = getattr(operations_pb2, f"{method}Request").FromString
            self._reads[f"/google.longrunning.Operations/{method}"] = reads

    def service(self, handler_call_details: Any) -> Any:
        """See grpc.GenericRpcHandler."""
        method = handler_call_details.method
        if method not in self._reads:
            return None

        def answer(request: Any, context: Any) -> Any:
            try:
                return self._answer(method.rpartition("/")[2], request)
            except Refused as refused:
                context.abort(refused.code, str(refused))

        return grpc.unary_unary_rpc_method_handler(
            answer, request_deserializer=self._reads[method], response_serializer=_written
        )


def _written(message: Any) -> bytes:
    raw = message if hasattr(message, "SerializeToString") else type(message).pb(message)
    return bytes(raw.SerializeToString())
