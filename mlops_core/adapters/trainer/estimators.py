"""Candidates as scikit-learn estimators, of NumPy's and scikit-learn's own parts: they load without us."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import sklearn.ensemble as ensemble
import sklearn.linear_model as linear
import sklearn.preprocessing as preprocessing
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline

from mlops_core.domain.candidates import (
    GradientBoostingRegression,
    LinearCandidate,
    LogisticRegression,
    PoissonRegression,
    Ridge,
)

if TYPE_CHECKING:
    from mlops_core.domain.candidates import AnyCandidate, TreesCandidate

__all__ = ["estimator_for"]


def estimator_for(candidate: AnyCandidate) -> Any:  # Any: scikit-learn has no type for "a classifier"
    """The unfitted estimator that a candidate specifies, every source of chance pinned."""
    if isinstance(candidate, LinearCandidate):
        return _linear(candidate)
    return _boosting(candidate)


def _linear(candidate: LinearCandidate) -> Any:
    steps = [
        ("impute", SimpleImputer(strategy="median", keep_empty_features=True)),
        # arsinh(x) = log(x + sqrt(x² + 1)): a logarithm that counts of 0 and refunds below it have, too.
        ("log", preprocessing.FunctionTransformer(np.arcsinh)),
        # In place: each gets an array that the step before has just made. Saves a copy of the widest matrix.
        ("standardise", preprocessing.StandardScaler(copy=False)),
    ]
    if candidate.interactions:
        steps += [
            ("interact", preprocessing.PolynomialFeatures(2, include_bias=False)),
            ("restandardise", preprocessing.StandardScaler(copy=False)),
        ]
    return Pipeline([*steps, _last_step(candidate)])


def _last_step(candidate: LinearCandidate) -> tuple[str, Any]:
    # With many more rows than columns, Newton's method needs 5 steps where L-BFGS needs 100, and comes
    # closer to the optimum in a fraction of the time.
    newton: dict[str, Any] = {"solver": "newton-cholesky", "tol": 1e-6}
    match candidate:
        case LogisticRegression(regularisation=inverse, max_iterations=most):
            return "classify", linear.LogisticRegression(C=inverse, max_iter=most, **newton)
        case PoissonRegression(regularisation=alpha, max_iterations=most):
            return "regress", linear.PoissonRegressor(alpha=alpha, max_iter=most, **newton)
        case Ridge(regularisation=alpha):
            return "regress", linear.Ridge(alpha=alpha, solver="cholesky")


def _boosting(candidate: TreesCandidate) -> Any:
    make: Any = ensemble.HistGradientBoostingClassifier
    if isinstance(candidate, GradientBoostingRegression):
        make = partial(ensemble.HistGradientBoostingRegressor, loss=candidate.loss)
    return make(
        max_iter=candidate.trees,
        learning_rate=candidate.learning_rate,
        max_leaf_nodes=candidate.max_leaves,
        min_samples_leaf=candidate.least_rows_per_leaf,
        l2_regularization=candidate.regularisation,
        categorical_features=None,
        early_stopping=False,
        random_state=candidate.seed,
    )
