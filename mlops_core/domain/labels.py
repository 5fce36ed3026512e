"""What is predicted, and for whom and when."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from mlops_core.domain.features import Name
from mlops_core.domain.value import Value

__all__ = ["EveryMonth", "NoEventWithin"]


def _ahead(horizon: timedelta) -> timedelta:
    if horizon <= timedelta(0):
        raise ValueError(f"a horizon reaches ahead: give more than zero, got {horizon}")
    return horizon


class NoEventWithin(Value):
    """True when the entity has no event in (T, T + horizon].

    A label exists only where its whole horizon had passed at the run's `as_of`; before that it is immature,
    not negative, and the snapshot is left out.
    """

    kind: Literal["no_event_within"] = "no_event_within"
    name: Name
    source: Name
    horizon: Annotated[timedelta, AfterValidator(_ahead)]


class EveryMonth(Value):
    """Snapshots at the close of each month: every entity with at least one event by then is a row.

    `history` is how many months before the evaluation snapshot are looked at, at most.
    """

    kind: Literal["every_month"] = "every_month"
    history: int = Field(default=24, ge=2, le=600)
