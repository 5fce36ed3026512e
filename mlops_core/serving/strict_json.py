"""JSON as RFC 8259 has it and two readers would agree on it (RFC 7493): what Python's reader lets through is
refused, for a caller who sends it means something that will not happen.
"""

from __future__ import annotations

import json
from typing import Any, Never

from mlops_core.errors import BadInput

__all__ = ["NO_BINARY", "parsed"]

NO_BINARY = "there are no binary tensors here; send JSON (tritonclient: binary_data=False)"


def parsed(body: bytes) -> object:
    """The value that a body holds. Raises `BadInput` for what is no JSON, without quoting it.

    Refused as well are a key that is twice in an object, NaN and Infinity, an encoding other than UTF-8,
    numbers of more than 4,300 digits and nesting beyond Python's own bounds.
    """
    try:
        return _DECODER.decode(body.decode())
    except BadInput:  # which is a ValueError, too
        raise
    except (ValueError, RecursionError):
        raise BadInput("the body must be one JSON object, in UTF-8") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise BadInput("the body names a field twice in one object")
    return made


def _not_finite(_: str) -> Never:
    raise BadInput("the body holds NaN or Infinity, which JSON has not; null stands for a missing value")


# Made once: `json.loads` with these makes one for every body
_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_not_finite)
