"""A flow's parameters from one pydantic model: flat in the form, described, typed and bounded."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel

__all__ = ["typed_by"]

F = TypeVar("F", bound="Callable[..., Any]")


def typed_by(model: type[BaseModel]) -> Callable[[F], F]:
    """Make a function of `**parameters` declare the model's fields as its own.

    Prefect reads types, bounds and defaults from the signature and descriptions from the docstring, so its
    form shows a field for each and refuses what the model would refuse field by field.
    """

    def declare(function: F) -> F:
        declared = [_parameter(model, name) for name in model.model_fields]
        described = [f"    {name}: {_text(model, name)}" for name in model.model_fields]
        function.__signature__ = inspect.Signature(declared)  # type: ignore[attr-defined]  # any function takes it
        function.__doc__ = "\n".join([inspect.cleandoc(function.__doc__ or ""), "", "Args:", *described])
        return function

    return declare


def _parameter(model: type[BaseModel], name: str) -> inspect.Parameter:
    field = model.model_fields[name]
    default = field.get_default(call_default_factory=True)
    # Annotated needs something beside the type: None, which says nothing
    kind: Any = Annotated[(field.annotation, *field.metadata, None)]
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if field.is_required() else default,
        annotation=kind,
    )


def _text(model: type[BaseModel], name: str) -> str:
    return " ".join((model.model_fields[name].description or "").split())
