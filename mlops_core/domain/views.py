"""Groups of features: over a source, computed from others, and what a model is served with."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic.dataclasses import dataclass

from mlops_core.domain.expressions import names_in
from mlops_core.domain.features import AnyFeature, Latest, Name
from mlops_core.domain.value import Value

__all__ = ["FeatureService", "FeatureView", "OnDemand"]


class FeatureView(Value):
    """Features of one entity over one source: aggregates of its events, or the latest of its rows.

    `entity` names whose features they are (default: the use case's entity); its key columns must be among
    those of the use case's entity. `on` are the source's key columns where they are named otherwise.

    `visibility`: "known" sees an event from when it was recorded (its created timestamp), "event" from when
    it happened. The two differ only for a source with created timestamps.

    `ttl`, for latest values only: how old a row may be; one of exactly that age still counts. `staleness` is
    how old the online values may be when a prediction is asked for; beyond it, inference refuses.
    """

    name: Name
    source: Name
    features: tuple[AnyFeature, ...] = Field(min_length=1)
    entity: Name | None = None
    on: tuple[str, ...] | None = None
    visibility: Literal["known", "event"] = "known"
    ttl: timedelta | None = None
    staleness: timedelta | None = None

    @field_validator("ttl", "staleness")
    @classmethod
    def _positive(cls, age: timedelta | None) -> timedelta | None:
        if age is not None and age <= timedelta(0):
            raise ValueError(f"an age is more than zero, got {age}")
        return age

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        latest = [one.name for one in self.features if isinstance(one, Latest)]
        if latest and len(latest) < len(self.features):
            raise ValueError(
                f"view {self.name!r} mixes latest values ({', '.join(latest)}) with aggregates: "
                "give each kind a view of its own"
            )
        if self.ttl is not None and not latest:
            raise ValueError(f"view {self.name!r} has a ttl, which aggregates do not: use window=")
        return self

    @property
    def latest(self) -> bool:
        """Whether these are latest values, not aggregates."""
        return isinstance(self.features[0], Latest)


@dataclass(frozen=True)
class OnDemand:
    """A feature computed from others of the same row: `OnDemand("trend", "orders_30d - orders_60d")`.

    `formula` is of `mlops_core.domain.expressions`. float64; null where a feature it reads is null or where
    it has no finite value.
    """

    name: Name
    formula: str

    def __post_init__(self) -> None:
        names_in(self.formula)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The features it reads."""
        return names_in(self.formula)


class FeatureService(Value):
    """A named, versioned list of features: what a model is trained on and served with, in this order."""

    name: Name
    version: int = Field(default=1, ge=1)
    features: tuple[Name, ...] = Field(min_length=1)

    @property
    def label(self) -> str:
        """The name it is asked for by."""
        return f"{self.name}@{self.version}"
