"""A form as the parameters of a Prefect flow, which Prefect's own form is made of."""

from __future__ import annotations

import keyword
from datetime import date
from typing import TYPE_CHECKING, Any

from mlops_core.errors import BadInput
from mlops_core.exporters.python_source import literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlops_core.domain.pipeline import Parameter, PipelineDocument

__all__ = ["described", "signature_of", "told_of"]

_TYPES: dict[str, tuple[str, tuple[type, ...]]] = {
    "text": ("str", (str,)),
    "path": ("str", (str,)),
    "date": ("date", (str,)),
    "number": ("float", (int, float)),
    "integer": ("int", (int,)),
    "flag": ("bool", (bool,)),
}
"""What Python calls each kind, and what its default is in a document."""
_ROOM = 80  # characters that are left on the line where the dict stands
_RESERVED = ("return_state", "wait_for")
"""Prefect's own, which no flow's parameter may be called (`raise_for_reserved_arguments`)."""


def signature_of(form: Sequence[Parameter]) -> str:
    """What stands between the brackets of the flow's function, a parameter a line.

    Raises `BadInput` for a name or a default that Python or Prefect does not take.
    """
    lines = [f"    {one.name}: {_type(one)} = {_default(one)}," for one in form]
    return "\n".join(["", *lines, ""]) if lines else ""


def told_of(form: Sequence[Parameter]) -> str:
    """The dict of what the run was told, four spaces from the left."""
    told = [f'"{one.name}": {one.name}' for one in form]
    line = f"{{{', '.join(told)}}}"
    if len(line) <= _ROOM:
        return line
    return "\n".join(["{", *(f"        {one}," for one in told), "    }"])


def described(document: PipelineDocument, form: Sequence[Parameter]) -> Iterator[str]:
    """The flow's docstring: Prefect shows its first part with the flow, each argument's at its field."""
    steps = f"{len(document.tasks)} tasks, each in a process of its own."
    yield f"Pipeline {' '.join(document.name.split())}: {steps}"
    told = [(one.name, " ".join(one.description.split())) for one in form]
    if any(text for _, text in told):
        yield from ("", "Args:")
        yield from (f"    {name}: {text}" for name, text in told if text)


def _type(one: Parameter) -> str:
    if not one.name.isidentifier() or keyword.iskeyword(one.name) or one.name in _RESERVED:
        raise BadInput(
            f"parameter {one.name!r}: no flow of Prefect can have one of this name: name it otherwise"
        )
    name, _ = _TYPES[one.kind]
    return name if one.kind == "flag" and one.default is not None else f"{name} | None"


def _default(one: Parameter) -> str:
    value: Any = one.default
    if value is None:
        return "None"
    expected = _TYPES[one.kind][1]
    try:
        if not isinstance(value, expected) or (isinstance(value, bool) and bool not in expected):
            raise ValueError
        if one.kind == "date":
            day = date.fromisoformat(str(value))
            return f"date({day.year}, {day.month}, {day.day})"
    except ValueError:
        raise BadInput(f"parameter {one.name!r}: expected a {one.kind} as default, got {value!r}") from None
    return literal(value)
