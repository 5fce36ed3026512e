"""Values at inference time."""

from __future__ import annotations

from datetime import datetime

from mlops_core.domain.value import Value

__all__ = ["ExpectedValues", "FeatureValue", "Key", "OnlineState"]

KeyPart = int | str
Key = KeyPart | tuple[KeyPart, ...]
"""An entity's key: one value, or for a composite key a tuple in the order of the entity's key columns."""

FeatureValue = int | float | None


class ExpectedValues(Value):
    """What history says that some entities' values are: a value a key, by feature."""

    keys: tuple[Key, ...]
    values: dict[str, tuple[FeatureValue, ...]]


class OnlineState(Value):
    """What an online store holds for a use case: the instant its values stand at, and how many entities."""

    as_of: datetime
    rows: int
    digest: str
