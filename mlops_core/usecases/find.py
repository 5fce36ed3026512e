"""A use case by the name that a command was given."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from mlops_core.domain.usecase import UseCase
from mlops_core.errors import NotFound

__all__ = ["find"]


def find(name: str) -> UseCase:
    """The use case called `name`, or `module:ATTRIBUTE` for one of the user's own.

    The module is looked for in the working directory first. Raises `NotFound`, naming what there is.
    """
    module, _, attribute = name.partition(":")
    if attribute:
        return _own(module, attribute)
    known = [found.name for found in iter_modules([str(Path(__file__).parent)]) if found.name != "find"]
    if name not in known:
        close = get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}."
        raise NotFound(f"no use case {name!r}: {hint} One of your own is named as module:ATTRIBUTE.")
    return _checked(getattr(import_module(f"mlops_core.usecases.{name}"), name.upper()), name)


def _own(module: str, attribute: str) -> UseCase:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return _checked(getattr(import_module(module), attribute), f"{module}:{attribute}")
    except (ModuleNotFoundError, AttributeError) as error:
        raise NotFound(
            f"no use case {module}:{attribute}: {error}. Run it where {module} can be imported."
        ) from error


def _checked(found: object, name: str) -> UseCase:
    if not isinstance(found, UseCase):
        raise NotFound(f"{name} is a {type(found).__name__}, not a UseCase")
    return found
