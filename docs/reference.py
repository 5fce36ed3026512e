"""The reference, from the docstrings: `python -m docs.reference FOLDER` writes its pages as Markdown.

The site has them (`docs/build_site.py`); they are not kept in the repository, so that they cannot differ from
the code. Fields, types and defaults are what pydantic and `inspect` say of the imported classes: of defaults
made by factories and of settings no reader of the source alone knows.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
import sys
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from mlops_core.domain.time import in_words

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PAGES", "page_of", "undocumented", "written"]

PAGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "reference-definitions.md": ("Definitions", ("mlops_core.definitions",)),
    "reference-settings.md": ("Settings", ("mlops_core.settings",)),
    "reference-parameters.md": ("Parameters of the flows", ("mlops_core.parameters",)),
    "reference-notebook.md": (
        "Feature store and pipeline in Python",
        ("mlops_core.feature_store", "mlops_core.dag", "mlops_core.exporters"),
    ),
    "reference-values.md": (
        "Values printed as JSON",
        ("mlops_core.domain.receipts", "mlops_core.domain.gates", "mlops_core.domain.registry"),
    ),
    "reference-ports.md": ("Ports", ("mlops_core.ports",)),
    "reference-errors.md": ("Errors", ("mlops_core.errors",)),
}
"""Of each page its title, and the modules whose public names are on it."""

_MODULE = re.compile(r"\b(?:[a-z_]+\.)+(?=[A-Za-z_])|^<class '|'>$")
_ANNOTATION = re.compile(r"Annotated\[([^,\[\]]+(?:\[[^\]]*\])?), .*?\)\]")


def written(folder: Path) -> None:
    """Write every page into `folder`."""
    for name in PAGES:
        (folder / name).write_text(page_of(name), encoding="utf-8")


def page_of(name: str) -> str:
    """One page: of each module its docstring, and a section for each name in its `__all__`."""
    title, modules = PAGES[name]
    parts = [f"# {title}\n", "Made from the code when the site is built.\n"]
    for module in map(importlib.import_module, modules):
        if len(modules) > 1:
            parts.append(f"## {module.__name__}\n")
        parts.append(f"`from {module.__name__} import …`\n")
        parts.append(_text(module))
        if name == "reference-settings.md":
            parts.append(_settings(module.Settings))
            continue
        for origin, names in groupby(_public(module), key=lambda one: _origin(one[1], module)):
            if origin is not module and _reexports(module):
                parts += [f"## {origin.__name__.rpartition('.')[2].capitalize()}\n", _text(origin)]
            for public, thing in names:
                parts += [f"### {public}\n", *_described(public, thing)]
    return "\n".join(parts)


def undocumented() -> list[str]:
    """What is on a page without a word of what it means: names by docstring, settings by description."""
    missing = []
    for _, modules in PAGES.values():
        for module in map(importlib.import_module, modules):
            for public, thing in _public(module):
                if (inspect.isclass(thing) or inspect.isfunction(thing)) and not _own(thing):
                    missing.append(f"{module.__name__}.{public}")
    settings = importlib.import_module("mlops_core.settings").Settings
    missing += [name for name, field in settings.model_fields.items() if not field.description]
    return missing


def _public(module: Any) -> list[tuple[str, Any]]:
    """Its public names; of a module that only exports others' names, by where they come from."""
    names = [(name, getattr(module, name)) for name in module.__all__]
    return sorted(names, key=lambda one: _origin(one[1], module).__name__) if _reexports(module) else names


def _reexports(module: Any) -> bool:
    return bool(module.__name__ == "mlops_core.definitions")


def _origin(thing: Any, module: Any) -> Any:
    return sys.modules[getattr(thing, "__module__", module.__name__)]


def _own(thing: Any) -> str:
    """A docstring that somebody wrote: not the base's, nor what `dataclass` makes of the signature."""
    text = thing.__doc__ or ""
    return "" if text.startswith(f"{thing.__name__}(") else inspect.cleandoc(text)


def _text(thing: Any) -> str:
    """A docstring as Markdown: what stands after `::` is code."""
    text = inspect.cleandoc(thing.__doc__ or "")
    lines = [line.removesuffix("::") for line in text.splitlines()]
    return "\n".join(lines).strip() + "\n"


def _described(public: str, thing: Any) -> Iterator[str]:
    if inspect.isclass(thing):
        yield _text(thing) if _own(thing) else ""
        fields = list(_fields(thing))
        if fields:
            yield _table(("field", "type", "default", "meaning"), fields)
        else:
            yield from _methods(thing)
    elif inspect.isfunction(thing):
        yield f"```python\n{public}{_signature(thing)}\n```\n"
        yield _text(thing)
    else:
        yield f"`{_type(thing)}`\n"


def _fields(thing: type) -> Iterator[tuple[str, str, str, str]]:
    """Of a model or a dataclass: each field with its type, its default, and what is said of it."""
    if issubclass(thing, BaseModel):
        for name, field in thing.model_fields.items():
            default = field.get_default(call_default_factory=True) if not field.is_required() else None
            if get_origin(field.annotation) is Literal and len(get_args(field.annotation)) == 1:
                continue  # tells values apart in JSON, and is never given
            limits = ", ".join(_limits(field.metadata))
            meaning = " ".join(filter(None, (field.description, limits and f"({limits})")))
            yield name, _type(field.annotation), _default(default, required=field.is_required()), meaning
    elif dataclasses.is_dataclass(thing):
        types = _types(thing)
        for one in dataclasses.fields(thing):
            if re.fullmatch(r"Literal\[[^,]*\]", str(types[one.name])):
                continue
            default = one.default_factory() if callable(one.default_factory) else one.default
            required = default is dataclasses.MISSING
            yield one.name, _type(types[one.name]), _default(default, required=required), ""


def _types(thing: type) -> dict[str, Any]:
    """The types of a dataclass's fields; as they are written where they are imported for checking alone."""
    try:
        return get_type_hints(thing)
    except NameError:
        found = (inspect.get_annotations(base) for base in reversed(thing.__mro__))
        return {name: kind for types in found for name, kind in types.items()}


def _limits(constraints: list[Any]) -> Iterator[str]:
    """What pydantic checks of a field, in words: those of its own validators stand in the docstring."""
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than", "pattern": "like"}
    words |= {"min_length": "length at least", "max_length": "length at most"}
    for constraint in constraints:
        for name, said in words.items():
            value = getattr(constraint, name, None)
            if value is not None:
                yield f"{said} `{value}`"


def _methods(thing: type) -> Iterator[str]:
    for name, method in vars(thing).items():
        if not name.startswith("_") and inspect.isfunction(method):
            yield f"#### {thing.__name__}.{name}\n\n```python\n{name}{_signature(method)}\n```\n"
            yield _text(method)


def _signature(function: Any) -> str:
    return _MODULE.sub("", str(inspect.signature(function)).replace("'", ""))


def _settings(settings: type[BaseModel]) -> str:
    rows = [
        (f"MLOPS_{name}".upper(), kind, default, meaning)
        for name, kind, default, meaning in sorted(_fields(settings))
    ]
    return _table(("variable", "type", "default", "meaning"), rows)


def _type(annotation: object) -> str:
    text = annotation if isinstance(annotation, str) else str(annotation)
    text = _ANNOTATION.sub(r"\1", _MODULE.sub("", text))
    return text.replace("NoneType", "None")


def _default(value: object, *, required: bool) -> str:
    if required or value is PydanticUndefined:
        return "required"
    if isinstance(value, Path):
        return f"`{value}`"
    if isinstance(value, timedelta):
        return in_words(value)
    return f"`{value!r}`"


def _table(heads: tuple[str, ...], rows: list[tuple[str, str, str, str]]) -> str:
    """A table of Markdown. A pipe within a cell does not end it; a column that says nothing is left out."""
    if not any(meaning for *_, meaning in rows):
        heads = heads[:-1]
    lines = ["| " + " | ".join(heads) + " |", "| " + " | ".join("---" for _ in heads) + " |"]
    for name, kind, default, meaning in rows:
        cells = (f"`{name}`", f"`{kind}`", default, meaning)[: len(heads)]
        lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m docs.reference FOLDER")
    written(Path(sys.argv[1]))
