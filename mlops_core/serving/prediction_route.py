"""A route for what is asked most: FastAPI describes it, and does nothing else for it.

For one row FastAPI's own handling of a request (dependencies, exit stacks, two more layers for errors) takes
longer than the model. None of it is needed where a handler takes one body and parts of the address.
"""

# No `from __future__ import annotations` here: the body's type is read at run time.

from inspect import signature
from typing import Any, Protocol, Self

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from mlops_core.errors import BadInput
from mlops_core.serving.strict_json import NO_BINARY, parsed

__all__ = ["PredictionRoute"]


class _Asked(Protocol):
    """The body of a request: a pydantic model that knows how many strings its JSON has."""

    @classmethod
    def model_validate(cls, obj: object) -> Self: ...
    @classmethod
    def model_validate_json(cls, json_data: bytes) -> Self: ...
    def strings(self) -> int: ...


class PredictionRoute(APIRoute):
    """A route to a handler of `body`, a pydantic model, and of texts in the path; it gives a response.

    Errors are answered by the handlers of the application, and a body that does not fit is a
    `RequestValidationError` as FastAPI raises it.
    """

    def __init__(self, path: str, endpoint: Any, **described: Any) -> None:
        super().__init__(path, endpoint, **described)
        kind = signature(endpoint).parameters["body"].annotation
        self._kind: type[_Asked] = kind
        self.app = self._answer

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = self._validated(await _whole(receive), scope)
        response = await self.endpoint(body=body, **scope["path_params"])
        await response(scope, receive, send)

    def _validated(self, body: bytes, scope: Scope) -> _Asked:
        return _at_once(self._kind, body) or self._looked_into(body, scope)

    def _looked_into(self, body: bytes, scope: Scope) -> _Asked:
        try:
            return self._kind.model_validate(parsed(body))
        except ValidationError as error:
            told = error.errors(include_url=False, include_context=False, include_input=False)
            raise RequestValidationError(
                [{**one, "loc": ("body", *one["loc"])} for one in told]
            ) from None  # it quotes values
        except BadInput as error:
            binary = any(name == b"inference-header-content-length" for name, _ in scope["headers"])
            raise HTTPException(400, NO_BINARY if binary else str(error)) from None


def _at_once(kind: type[_Asked], body: bytes) -> _Asked | None:
    """The body as pydantic reads it, in half the time; None when that is not the same for certain.

    Of a field that is twice in an object pydantic takes the last. Then there are more strings in the text
    than in what was read: without escapes, half as many as there are quotation marks.
    """
    if b"\\" in body:
        return None
    try:
        made = kind.model_validate_json(body)
    except ValidationError:
        return None
    return made if 2 * made.strings() == body.count(b'"') else None


async def _whole(receive: Receive) -> bytes:
    """The body, when all of it is there. Raises `ClientDisconnect` when the caller has gone before."""
    parts = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)
