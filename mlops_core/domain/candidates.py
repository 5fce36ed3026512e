"""What may be trained: specifications of models, without the library that fits them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_core.domain.features import Name
from mlops_core.domain.value import Value

__all__ = ["AnyCandidate", "GradientBoosting", "LogisticRegression"]


class LogisticRegression(Value):
    """Logistic regression on standardised arsinh(x) of the features, missing values at the median.

    arsinh is a logarithm for large values that also takes 0 and negative ones.

    With `interactions`, squares and products of all pairs are added: on log scales a product of powers is a
    ratio, which is how purchase models speak (recency against tenure, orders against time).
    `regularisation` is the inverse strength C of the L2 penalty.
    """

    kind: Literal["logistic"] = "logistic"
    name: Name = "logistic"
    regularisation: float = Field(default=0.1, gt=0)
    interactions: bool = True
    max_iterations: int = Field(default=2000, ge=1)


class GradientBoosting(Value):
    """Histogram gradient boosting of decision trees; missing values are branched on as such."""

    kind: Literal["boosting"] = "boosting"
    name: Name = "boosting"
    trees: int = Field(default=150, ge=1)
    learning_rate: float = Field(default=0.05, gt=0)
    max_leaves: int = Field(default=8, ge=2)
    least_rows_per_leaf: int = Field(default=200, ge=1)
    regularisation: float = Field(default=1.0, ge=0)
    seed: int = 0


AnyCandidate = Annotated[LogisticRegression | GradientBoosting, Field(discriminator="kind")]
