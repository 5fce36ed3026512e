"""What botocore leaves to the service, checked before a request leaves: enums, patterns, lengths and ranges.

botocore refuses unknown and missing keys and wrong types. The rest stands in the service's own model, which
comes with it; this walks a request along that model.
"""

from __future__ import annotations

import re
from typing import Any

__all__ = ["RefusedRequest", "check_requests", "faults"]

_CLASSES = {r"\p{L}": r"\w", r"\p{N}": r"\d", r"\p{Z}": " ", r"\p{Print}": " -~", r"\z": r"\Z"}


class RefusedRequest(AssertionError):
    """A request that the real service would refuse."""


def check_requests(session: Any) -> None:
    """Have every client that this boto3 session makes refuse what the service would."""
    session.events.register("before-parameter-build", _checked)


def faults(shape: Any, value: Any, where: str = "") -> list[str]:
    """What is wrong with a value, by its shape in the model of a service."""
    found = _own_faults(shape, value, where)
    parts: list[tuple[Any, Any, str]] = []
    if shape.type_name == "structure":
        parts = [(shape.members[key], one, f"{where}.{key}") for key, one in value.items()]
    elif shape.type_name == "list":
        parts = [(shape.member, one, f"{where}[{number}]") for number, one in enumerate(value)]
    elif shape.type_name == "map":
        parts = [(shape.key, key, f"{where} key") for key in value]
        parts += [(shape.value, one, f"{where}[{key!r}]") for key, one in value.items()]
    return found + [fault for part in parts for fault in faults(*part)]


def _own_faults(shape: Any, value: Any, where: str) -> list[str]:
    told = shape.metadata
    found = []
    if "enum" in told and value not in told["enum"]:
        found.append(f"{where} is {value!r}, not one of {told['enum']}")
    if "pattern" in told and not _matches(told["pattern"], str(value)):
        found.append(f"{where} is {value!r}, which {told['pattern']} does not match")
    size = _size(shape.type_name, value)
    if size is not None and not told.get("min", 0) <= size <= told.get("max", float("inf")):
        found.append(f"{where} has {size:g}, not {told.get('min', 0)} to {told.get('max', 'any number')}")
    return found


def _size(kind: str, value: Any) -> float | None:
    """What a range is about: a number, or how long something is."""
    if kind in ("string", "blob", "list", "map"):
        return len(value)
    return float(value) if kind in ("integer", "long", "float", "double") else None


def _matches(pattern: str, value: str) -> bool:
    """Whether the whole value is matched, as services do; Java's names of classes are spelled as Python's."""
    for java, ours in _CLASSES.items():
        pattern = pattern.replace(java, ours)
    pattern = pattern.replace(r"\p{ASCII}", r"[\x00-\x7f]")
    return re.fullmatch(pattern, value) is not None


def _checked(params: dict[str, Any], model: Any, **_: Any) -> None:
    found = faults(model.input_shape, params)
    if found:
        raise RefusedRequest(f"{model.name}: {'; '.join(found)}")
