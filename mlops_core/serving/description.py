"""What `/openapi.json` says beyond what FastAPI finds out, and the templates of addresses that it knows."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from mlops_core.serving.guard import HEALTH
from mlops_core.serving.paths import PathTemplates

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI

__all__ = ["describe"]


def describe(app: FastAPI, *, secured: bool) -> Callable[[str], str]:
    """Describe the token where the app is `secured` by one; the result finds the template of an address.

    The description is made when it is first needed, so routes may be added until then.
    """
    made = app.openapi

    @cache
    def described() -> dict[str, Any]:
        description = _with_whole_bounds(_with_json_errors(made()))
        return _with_token(description) if secured else description

    @cache
    def templates() -> PathTemplates:
        return PathTemplates((*described()["paths"], "/openapi.json"))

    app.openapi = described  # type: ignore[method-assign] # FastAPI's documented way to extend it
    return lambda path: templates().of(path)


def _with_token(description: dict[str, Any]) -> dict[str, Any]:
    schemes = description.setdefault("components", {}).setdefault("securitySchemes", {})
    schemes["token"] = {"type": "http", "scheme": "bearer"}
    for path, operations in description["paths"].items():
        for operation in operations.values():
            operation["security"] = [] if path in HEALTH else [{"token": []}]
    return description


def _with_json_errors(description: dict[str, Any]) -> dict[str, Any]:
    """Errors are JSON, whatever an address answers otherwise: FastAPI gives them its media type."""
    for operations in description["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if status in ("4XX", "5XX") and "content" in response:
                    (content,) = response["content"].values()
                    response["content"] = {"application/json": content}
    return description


def _with_whole_bounds(part: Any) -> Any:
    """Bounds that are whole numbers as such: as a float, 2^63 is read as another number."""
    if isinstance(part, dict):
        return {key: _with_whole_bounds(value) for key, value in part.items()}
    if isinstance(part, list):
        return [_with_whole_bounds(value) for value in part]
    return int(part) if isinstance(part, float) and part.is_integer() else part
