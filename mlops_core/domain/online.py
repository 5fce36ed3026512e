"""Values at inference time."""

from __future__ import annotations

from datetime import datetime

from mlops_core.domain.value import Value

__all__ = ["FeatureValue", "Key", "OnlineState"]

Key = int | str
FeatureValue = int | float | None


class OnlineState(Value):
    """What an online store holds for a use case: the instant its values stand at, and how many entities."""

    as_of: datetime
    rows: int
    digest: str
