"""Parameters checked by their model, and what is wrong with them in one sentence."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from mlops_core.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["validated"]

P = TypeVar("P", bound=BaseModel)


def validated(model: type[P], values: Mapping[str, Any]) -> P:
    """The parameters, or one `BadInput` that names each offending option, what came and what was expected.

    It is the same sentence wherever the values come from: options are text, a form's values are JSON.
    """
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        problems: list[Any] = list(error.errors())  # Any: Pydantic's type knows no item by its name
        inside = {one["loc"][0] for one in problems if len(one["loc"]) > 1}
        # Pydantic counts only the good ones of a list, and says of a bad one that it is missing too.
        told = [one for one in problems if one["type"] != "too_short" or one["loc"][0] not in inside]
        raise BadInput("; ".join(dict.fromkeys(_sentence(model, one) for one in told))) from error


def _sentence(model: type[BaseModel], problem: Mapping[str, Any]) -> str:
    kind, came = problem["type"], problem.get("input")
    said = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:  # of several parameters together: a model's own check, which names them
        return str(said)
    name = str(problem["loc"][0])
    flag = _flag(name)
    if kind == "extra_forbidden":
        return _unknown(name, {_flag(one): one for one in model.model_fields})
    if kind == "missing":
        return f"{flag}: has to be given"
    expected = _EXPECTED.get(kind, said[0].lower() + said[1:])
    shown = str(came) if kind in _OF_NUMBERS else repr(came)
    sentence = f"{flag}: {expected}, got {shown if len(shown) <= _SHOWN else shown[:_SHOWN] + '…'}"
    close = get_close_matches(str(came), re.findall("'([^']*)'", expected), n=1)
    return f"{sentence}: did you mean {close[0]!r}?" if kind == "literal_error" and close else sentence


def _flag(name: str) -> str:
    """A parameter's name as a command line has it."""
    return f"--{name.replace('_', '-')}"


def _unknown(name: str, known: Mapping[str, str]) -> str:
    flag = _flag(name)
    if flag in known:  # an option's name where JSON or YAML wants a parameter's
        return f"unknown argument {name!r}: did you mean {known[flag]!r}?"
    close = get_close_matches(flag, known, n=1)
    return f"unknown argument {flag!r}: " + (
        f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
    )


_DATE = "expected a date like 1998-06-30"
_EXPECTED = {  # by Pydantic's kind of error, where its own words say too little
    "date_from_datetime_inexact": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_parsing": _DATE,
    "date_type": _DATE,
    "path_type": "expected a path",
    "too_short": "expected at least one",
    "tuple_type": "expected a list",
}
_OF_NUMBERS = {"finite_number", "greater_than", "greater_than_equal", "less_than", "less_than_equal"}
"""What came was understood as a number, be it text or not, and is shown as one."""
_SHOWN = 100  # characters of what came: a form takes whole files
