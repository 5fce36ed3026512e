"""Definitions as Python source, formatted as ruff would, with reasons as comments above them."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from mlops_core.exporters.python_source import WIDTH, Code, literal
from mlops_core.scaffold.draft import Draft

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["comment", "names_in", "source_of"]

_TAGS = ("kind", "rule")  # they follow from the type
_SAID = (  # defaults or not
    *("GatePolicy.metric", "GatePolicy.calibration"),
    *("UseCase.spine", "EveryMonth.history", "Since.event"),
)
_BY_PLACE = ("name", "column", "columns", "operator", "value")


def names_in(value: Any) -> set[str]:
    """The names that the source of a definition uses."""
    if isinstance(value, timedelta):
        return {"days"}
    if isinstance(value, tuple | list):
        return set().union(*map(names_in, value))
    if isinstance(value, dict):
        return names_in(list(value.values()))
    if isinstance(value, BaseModel) or dataclasses.is_dataclass(value):
        return {type(value).__name__}.union(*(names_in(one) for _, _, one in _arguments(value)))
    return set()


def source_of(value: Any, reasons: Mapping[Any, str], path: Code, depth: int = 0) -> str:
    """The source of a definition that begins `depth` spaces from the left; `path` stands for any path."""
    flat = _flat(value, path)
    if flat is not None and not _reasoned(value, reasons):
        return flat
    left = " " * (depth + 4)
    lines = []
    if isinstance(value, tuple | list):
        opening, closing, items = "(", ")", [("", "", one) for one in value]
    else:
        opening, closing, items = f"{type(value).__name__}(", ")", list(_arguments(value))
    for field, prefix, one in items:
        why = reasons.get(f"{type(value).__name__}.{field}") if field else _reason(one, reasons)
        lines += comment(why, depth + 4) if why else []
        text = source_of(one, reasons, path, depth + 4)
        lines.append(f"{left}{prefix}{text},")
    return "\n".join([opening, *lines, " " * depth + closing])


def comment(text: str, depth: int) -> list[str]:
    """A comment, wrapped."""
    mark = " " * depth + "# "
    return wrap(
        text,
        WIDTH,
        initial_indent=mark,
        subsequent_indent=mark,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _reason(one: Any, reasons: Mapping[Any, str]) -> str | None:
    try:
        return reasons.get(one)
    except TypeError:  # it has a dict in it, and no reason of its own
        return None


def _reasoned(value: Any, reasons: Mapping[Any, str]) -> bool:
    """Whether something inside has a reason, for which it needs a line of its own."""
    if isinstance(value, tuple | list):
        return any(_reason(one, reasons) or _reasoned(one, reasons) for one in value)
    if isinstance(value, BaseModel):
        name = type(value).__name__
        return any(
            f"{name}.{field}" in reasons or _reasoned(one, reasons) for field, _, one in _arguments(value)
        )
    return False


def _arguments(value: Any) -> Iterator[tuple[str, str, Any]]:
    """(field, what stands before its value, value) of what a definition says beyond its defaults."""
    if isinstance(value, BaseModel):
        for name, info in type(value).model_fields.items():
            one = getattr(value, name)
            default = info.get_default(call_default_factory=True)
            said = f"{type(value).__name__}.{name}" in _SAID
            if name not in _TAGS and (said or default is PydanticUndefined or one != default):
                yield name, f"{name}=", one
        return
    for spec in sorted(dataclasses.fields(value), key=lambda one: one.name not in _BY_PLACE):
        one, said = getattr(value, spec.name), f"{type(value).__name__}.{spec.name}" in _SAID
        default = spec.default is not dataclasses.MISSING and _is_default(one, spec)
        if said or (spec.name not in _TAGS and not default):
            yield spec.name, "" if spec.name in _BY_PLACE else f"{spec.name}=", one


def _is_default(one: Any, spec: dataclasses.Field[Any]) -> bool:
    default = getattr(spec.default, "default", spec.default)  # pydantic's field, or the value
    return bool(one == default) and type(one) is type(default)


def _flat(value: Any, path: Code) -> str | None:
    """On one line, as far as the value itself goes; None for definitions that are read part by part."""
    if isinstance(value, Path):
        return str(path)
    if isinstance(value, timedelta):
        return f"days({value.days})"
    if isinstance(value, tuple | list):
        if any(isinstance(one, BaseModel) or _is_feature(one) for one in value):
            return None
        inner = [_flat(one, path) or "" for one in value]
        return f"({', '.join(inner)}{',' if len(inner) == 1 else ''})"
    if isinstance(value, BaseModel) or dataclasses.is_dataclass(value):
        parts = [(prefix, _flat(one, path)) for _, prefix, one in _arguments(value)]
        if any(text is None for _, text in parts):
            return None
        text = f"{type(value).__name__}({', '.join(f'{prefix}{text}' for prefix, text in parts)})"
        return text if len(text) < WIDTH - 24 else None
    return literal(value)


def _is_feature(one: Any) -> bool:
    return dataclasses.is_dataclass(one) and not isinstance(one, Draft) and type(one).__name__ != "Where"
