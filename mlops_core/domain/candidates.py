"""What may be trained: specifications of models, without the library that fits them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from mlops_core.domain.features import Name
from mlops_core.domain.value import Value

if TYPE_CHECKING:
    from mlops_core.domain.metrics import Task

__all__ = [
    "AnyCandidate",
    "GradientBoosting",
    "GradientBoostingRegression",
    "LinearCandidate",
    "LogisticRegression",
    "PoissonRegression",
    "Ridge",
    "TreesCandidate",
]


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

    @property
    def task(self) -> Task:
        """What it predicts."""
        return "classification"


class Ridge(Value):
    """Linear regression with an L2 penalty, on features made ready as `LogisticRegression` does.

    `regularisation` is the strength alpha of the penalty on the sum of squared errors: greater is stronger.
    """

    kind: Literal["ridge"] = "ridge"
    name: Name = "ridge"
    regularisation: float = Field(default=10.0, gt=0)
    interactions: bool = True

    @property
    def task(self) -> Task:
        """What it predicts."""
        return "regression"


class PoissonRegression(Value):
    """Log-linear regression of amounts that are never negative, on features as `LogisticRegression` has them.

    The logarithm of what is expected is linear in the logarithms of the features: a product of powers. Fitted
    by Poisson deviance, which is right for the mean of any such amount, whatever its distribution (C.
    Gourieroux, A. Monfort, A. Trognon, "Pseudo Maximum Likelihood Methods", Econometrica 52, 1984).
    `regularisation` is the strength alpha of the L2 penalty, beside half the mean deviance.
    """

    kind: Literal["poisson"] = "poisson"
    name: Name = "poisson"
    regularisation: float = Field(default=0.1, gt=0)
    interactions: bool = True
    max_iterations: int = Field(default=2000, ge=1)

    @property
    def task(self) -> Task:
        """What it predicts."""
        return "regression"


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

    @property
    def task(self) -> Task:
        """What it predicts."""
        return "classification"


class GradientBoostingRegression(Value):
    """The same trees for numbers. `loss` "poisson" is for amounts that are never negative (log link)."""

    kind: Literal["boosting_regression"] = "boosting_regression"
    name: Name = "boosting"
    loss: Literal["squared_error", "poisson"] = "squared_error"
    trees: int = Field(default=150, ge=1)
    learning_rate: float = Field(default=0.05, gt=0)
    max_leaves: int = Field(default=8, ge=2)
    least_rows_per_leaf: int = Field(default=200, ge=1)
    regularisation: float = Field(default=1.0, ge=0)
    seed: int = 0

    @property
    def task(self) -> Task:
        """What it predicts."""
        return "regression"


LinearCandidate = LogisticRegression | Ridge | PoissonRegression
"""Linear models, on transformed features."""

TreesCandidate = GradientBoosting | GradientBoostingRegression

AnyCandidate = Annotated[LinearCandidate | TreesCandidate, Field(discriminator="kind")]
