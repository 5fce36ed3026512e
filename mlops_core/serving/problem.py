"""Every error as `{"error": "…"}` with its status, as the Open Inference Protocol asks.

An answer never repeats what was sent: values are personal data, and end up in other people's logs.
"""

from __future__ import annotations

import logging
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from mlops_core.domain.value import Value
from mlops_core.errors import BadInput, MlopsError, NotFound, Unavailable
from mlops_core.serving.inference import InferenceRequest, InputTensor, RequestedOutput
from mlops_core.serving.instances import InstancesRequest
from mlops_core.serving.prediction import PredictRequest
from mlops_core.serving.strict_json import NO_BINARY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fastapi import FastAPI, Request

__all__ = ["Problem", "answer_problems", "broken", "problem"]

_LOG = logging.getLogger(__name__)
_STATUS: tuple[tuple[type[MlopsError], int], ...] = ((NotFound, 404), (BadInput, 400), (Unavailable, 503))
_SENTENCES = {
    "extra_forbidden": "a field that does not belong there",
    "finite_number": "a number must be finite, null stands for a missing value",
}
_SHOWN = 3


class Problem(Value):
    """The body of every error."""

    error: str


def answer_problems(app: FastAPI) -> None:
    """Make every error of the app an answer."""
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(MlopsError, _ours)
    app.add_exception_handler(Exception, _broken)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    if "inference-header-content-length" in request.headers:
        return problem(400, NO_BINARY)
    return problem(400, _explained(cast("RequestValidationError", error).errors()))


async def _refused(_: Request, error: Exception) -> JSONResponse:
    refusal = cast("HTTPException", error)
    return problem(refusal.status_code, refusal.detail, refusal.headers)


async def _ours(request: Request, error: Exception) -> JSONResponse:
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), None)
    if status is not None:
        return problem(status, str(error))
    _LOG.error("a request failed: %s", error)
    return await _broken(request, error)


async def _broken(_: Request, __: Exception) -> JSONResponse:
    return broken()


def broken() -> JSONResponse:
    """The answer to what nobody foresaw."""
    return problem(500, "the server failed to answer; its log says why")


def problem(status: int, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The answer to what cannot be answered."""
    return JSONResponse({"error": message}, status_code=status, headers=headers)


def _explained(problems: Sequence[dict[str, Any]]) -> str:
    """Where and what, in names of ours: a name that the caller made up is left out, like every value."""
    known = _field_names()
    said: dict[str, list[str]] = {}
    for one in problems:
        where = ".".join(str(part) for part in one["loc"] if isinstance(part, int) or part in known)
        what = _SENTENCES.get(one["type"]) or str(one["msg"])
        if one["loc"] == ("body",) or one["type"] == "json_invalid":
            return "the body must be one JSON object"
        if what not in said.setdefault(where, []):
            said[where].append(what)
    return "; ".join(f"{where}: {' or '.join(whats)}" for where, whats in islice(said.items(), _SHOWN))


def _field_names() -> set[str]:
    bodies = (InferenceRequest, InputTensor, RequestedOutput, PredictRequest, InstancesRequest)
    return {"body", *(name for body in bodies for name in body.model_fields)}
