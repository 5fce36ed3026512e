"""What things of ours are called at SageMaker, and by which tags they are known as ours.

Models and configurations cannot be changed there, so their names hold a digest of what they were made of: a
call that was killed finds what it made, and nothing of another kind is ever taken for it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from mlops_core.adapters.deployer.platform import plain_name
from mlops_core.domain.digest import digest_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_core.adapters.deployer.platform import Placed

__all__ = [
    "NAME",
    "SERVING",
    "SHADOW",
    "TRIAL",
    "config_name",
    "endpoint_name",
    "is_config",
    "is_model",
    "mark",
    "model_name",
    "stem",
    "tags_of",
]

SERVING, TRIAL, SHADOW = "serving", "trial", "shadow"
"""Variants of an endpoint. A guarded update wants the same names before and after, so they never change."""

NAME = "mlops:name"
_STEM = 20  # signs of a use case's name in a model's: 63 are allowed, and a label may have 29 of them


def endpoint_name(name: str) -> str:
    """The endpoint of a use case."""
    return f"mlops-{plain_name(name)}"


def stem(name: str) -> str:
    """What the names of a use case's models, configurations and alarms begin with."""
    return f"mlops-{plain_name(name, longest=_STEM)}-"


def mark(made_of: Any) -> str:
    """Twelve hexadecimal digits of what something was made of."""
    return digest_bytes(json.dumps(made_of, sort_keys=True).encode())[:12]


def model_name(placed: Placed, made_of: Any) -> str:
    """The model of a release, run in just that way."""
    return f"{stem(placed.name)}{placed.label}-{mark(made_of)[:6]}"


def config_name(name: str, version: int, made_of: Any) -> str:
    """A configuration with that version serving, and just these variants."""
    return f"{stem(name)}{version}-{mark(made_of)}"


def is_model(name: str, found: str) -> bool:
    """Whether a model's name is one of those above."""
    return bool(re.fullmatch(re.escape(stem(name)) + r"\d+-[0-9a-f]{12}-[0-9a-f]{8}-[0-9a-f]{6}", found))


def is_config(name: str, found: str) -> bool:
    """Whether a configuration's name is."""
    return bool(re.fullmatch(re.escape(stem(name)) + r"\d+-[0-9a-f]{12}", found))


def tags_of(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as AWS is told of them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
