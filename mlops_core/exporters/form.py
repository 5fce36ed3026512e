"""What a run may be told, from its pydantic model: for the forms of other orchestrators."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic_core import PydanticUndefined

from mlops_core.domain.pipeline import Parameter

if TYPE_CHECKING:
    from pydantic import BaseModel

    from mlops_core.domain.pipeline import PipelineDocument

__all__ = ["form_of"]

Kind = Literal["text", "path", "date", "number", "integer", "flag"]
_KINDS: dict[Any, Kind] = {
    str: "text",
    Path: "path",
    date: "date",
    float: "number",
    int: "integer",
    bool: "flag",
}


def form_of(model: type[BaseModel], document: PipelineDocument) -> tuple[Parameter, ...]:
    """The parameters that each run may be told anew, with what `document` tells it otherwise.

    Those with several values, such as the candidates, decide which tasks there are: they are fixed when the
    pipeline is exported, and no part of the form.
    """
    return tuple(
        Parameter(
            name=name,
            kind=kind,
            default=document.parameters.get(name, _default(field)),
            description=field.description or "",
        )
        for name, field in model.model_fields.items()
        if (kind := _kind(field.annotation)) is not None
    )


def _kind(annotation: Any) -> Kind | None:
    options = [one for one in (get_args(annotation) or (annotation,)) if one is not type(None)]
    return _KINDS.get(options[0]) if len(options) == 1 else None


def _default(field: Any) -> Any:
    return None if field.default is PydanticUndefined else field.default
