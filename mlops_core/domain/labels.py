"""What is predicted, and for whom and when."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from mlops_core.domain.features import Name
from mlops_core.domain.time import in_words
from mlops_core.domain.value import Value

if TYPE_CHECKING:
    from mlops_core.domain.metrics import Task

__all__ = ["AnyLabel", "EveryMonth", "NoEventWithin", "SumWithin"]


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

    @property
    def task(self) -> Task:
        """What a model of it does."""
        return "classification"

    @property
    def meaning(self) -> str:
        """In words, such as "no event within 90 days"."""
        return f"no event within {in_words(self.horizon)}"


class SumWithin(Value):
    """The sum of a numeric column over the entity's events in (T, T + horizon]; 0.0 when there are none.

    Nulls count as nothing. It exists where its whole horizon had passed, as `NoEventWithin` does.
    """

    kind: Literal["sum_within"] = "sum_within"
    name: Name
    source: Name
    column: str
    horizon: Annotated[timedelta, AfterValidator(_ahead)]

    @property
    def task(self) -> Task:
        """What a model of it does."""
        return "regression"

    @property
    def meaning(self) -> str:
        """In words, such as "sum of usd within 90 days"."""
        return f"sum of {self.column} within {in_words(self.horizon)}"


AnyLabel = Annotated[NoEventWithin | SumWithin, Field(discriminator="kind")]


class EveryMonth(Value):
    """Snapshots at the close of each month: every entity with at least one event by then is a row.

    `history` is how many months before the evaluation snapshot are looked at, at most.
    """

    kind: Literal["every_month"] = "every_month"
    history: int = Field(default=24, ge=2, le=600)
