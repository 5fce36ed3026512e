"""A use case by the name that a command was given."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from pydantic import ValidationError

from mlops_core.domain.usecase import UseCase
from mlops_core.errors import DefinitionError, NotFound

__all__ = ["find", "names"]


def names() -> list[str]:
    """The bundled use cases."""
    return [found.name for found in iter_modules([str(Path(__file__).parent)]) if found.name != "find"]


def find(name: str) -> UseCase:
    """The use case called `name`, or `module:ATTRIBUTE` for one of the user's own.

    The module is looked for in the working directory first. Raises `NotFound`, naming what there is, and
    `DefinitionError` with every problem of definitions that cannot be meant.
    """
    module, _, attribute = name.partition(":")
    if attribute:
        return _own(module, attribute)
    known = names()
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
    except ValidationError as error:
        raise DefinitionError(f"{module} has definitions that cannot be meant: {_problems(error)}") from error
    except (ValueError, TypeError, NameError, SyntaxError) as error:
        raise DefinitionError(f"{module} cannot be read: {type(error).__name__}: {error}") from error


def _problems(error: ValidationError) -> str:
    """Every problem once, with the field where pydantic knows one."""
    found = []
    for problem in error.errors():
        where = ".".join(str(part) for part in problem["loc"])
        sentence = problem["msg"].removeprefix("Value error, ")
        found.append(f"{where}: {sentence}" if where else sentence)
    return "; ".join(found)


def _checked(found: object, name: str) -> UseCase:
    if not isinstance(found, UseCase):
        raise NotFound(f"{name} is a {type(found).__name__}, not a UseCase")
    return found
