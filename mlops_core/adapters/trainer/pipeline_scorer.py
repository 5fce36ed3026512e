"""A few rows through the pipeline of a linear model: the same arithmetic on the fitted arrays.

A pipeline checks and copies its rows at each of six steps, which is nearly all of the half millisecond that
one row takes. The operations below are those of the steps, in their order, so every bit is scikit-learn's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.adapters.trainer.matrix import Matrix

__all__ = ["PipelineScorer"]

# From what is linear to what is predicted: the inverse of each model's link
_MEANS: dict[type, Callable[[Matrix], Matrix]] = {
    LogisticRegression: expit,
    PoissonRegressor: np.exp,
    Ridge: np.asarray,
}


class PipelineScorer:
    """Scores rows (n, features), NaN where missing, by the pipeline that `estimators.estimator_for` makes.

    Raises an `AttributeError`, `KeyError` or `ValueError` when the pipeline is not that.
    """

    def __init__(self, pipeline: Any) -> None:
        steps = dict(pipeline.steps)
        self._medians = np.asarray(steps["impute"].statistics_, dtype=np.float64)
        self._mean, self._scale = steps["standardise"].mean_, steps["standardise"].scale_
        features = len(self._medians)
        self._interactions = "interact" in steps
        # scikit-learn's order: each feature with itself and with those behind it
        self._one, self._other = np.triu_indices(features)
        if self._interactions:
            again = steps["restandardise"]
            self._again_mean, self._again_scale = again.mean_, again.scale_
        model = pipeline.steps[-1][1]
        self._weights, self._intercept = model.coef_.T, model.intercept_
        width = features + len(self._one) * self._interactions
        # A classifier has a row of weights a class; of one number there is one row, without a second axis
        self._mean_of, shape = _MEANS[type(model)], (width, 1) if "classify" in steps else (width,)
        if self._weights.shape != shape:
            raise ValueError("not the pipeline of a linear model for two classes or one number")

    def __call__(self, rows: Matrix) -> Matrix:
        """Probability or number per row (n,); rows are finite or NaN."""
        values = np.arcsinh(np.where(np.isnan(rows), self._medians, rows))
        values -= self._mean
        values /= self._scale
        if self._interactions:
            values = np.concatenate([values, values[:, self._other] * values[:, self._one]], axis=1)
            values -= self._again_mean
            values /= self._again_scale
        # The same matrix product: BLAS may add in another order for another shape
        return np.asarray(self._mean_of((values @ self._weights + self._intercept).reshape(-1)))
