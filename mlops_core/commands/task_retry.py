"""`--retry attempts=4,jitter=0.2,retry_on=Unavailable+OSError`: a retry policy on a command line."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from mlops_core.domain.pipeline import Retry
from mlops_core.errors import BadInput

if TYPE_CHECKING:
    from mlops_core.dag import RetryPolicy

__all__ = ["policy_told"]

_EXAMPLE = "expected such as attempts=4,jitter=0.2,retry_on=Unavailable+OSError"


def policy_told(spec: str) -> RetryPolicy:
    """The policy; what it does not tell is as `Retry` has it. Raises `BadInput` for what cannot be meant."""
    from mlops_core.exporters.document import policy_of

    told: dict[str, Any] = {}
    for part in spec.split(","):
        name, equals, value = (word.strip() for word in part.partition("="))
        if not equals:
            raise BadInput(f"--retry {spec}: {_EXAMPLE}, got {part!r}")
        if name not in Retry.model_fields:
            raise BadInput(f"--retry {spec}: {_unknown(name)}")
        if name in told:
            raise BadInput(f"--retry {spec}: {name} is given twice")
        told[name] = tuple(filter(None, value.split("+"))) if name == "retry_on" else value
    try:
        return policy_of(Retry.model_validate(told))
    except ValidationError as error:
        first = error.errors()[0]
        expected = first["msg"][0].lower() + first["msg"][1:]
        raise BadInput(f"--retry {spec}: {first['loc'][0]}: {expected}, got {first['input']!r}") from error
    except BadInput as error:  # an error that cannot be found, or a wait that is too long
        raise BadInput(f"--retry {spec}: {error}") from error


def _unknown(name: str) -> str:
    close = get_close_matches(name, Retry.model_fields, n=1)
    said = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(Retry.model_fields)}"
    return f"unknown {name!r}: {said}"
