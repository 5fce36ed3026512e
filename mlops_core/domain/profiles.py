"""How the values of features lie, in a few numbers: what drift is measured against later."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from mlops_core.domain.value import Value

__all__ = ["Distribution", "FeatureProfile"]


class Distribution(Value):
    """Shares of rows between `edges`, which rise; a bin holds values above its lower edge up to its upper.

    There is one share more than edges, the outer bins being open; `missing` is the share of rows without a
    value. Together they are one, up to rounding.
    """

    edges: tuple[float, ...]
    shares: tuple[float, ...]
    missing: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.shares) != len(self.edges) + 1:
            raise ValueError(
                f"{len(self.edges)} edges make {len(self.edges) + 1} bins, got {len(self.shares)}"
            )
        if any(low >= high for low, high in zip(self.edges, self.edges[1:], strict=False)):
            raise ValueError("edges must rise")
        return self


class FeatureProfile(Value):
    """The distribution of each feature over some rows."""

    rows: int = Field(ge=1)
    features: dict[str, Distribution]
