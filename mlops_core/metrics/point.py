"""The metrics, one function each: labels (n,) of 0 and 1, scores (n,), and how often each row counts.

All raise `BadInput` for labels that are not 0 or 1, scores that are not finite and weights that are not
counts. `scores` are probabilities of class 1; the two on rankings and accuracy take any finite number.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mlops_core.domain.metrics import MEASURED, task_of
from mlops_core.metrics.figures import figure
from mlops_core.metrics.measure import METRICS, measure
from mlops_core.metrics.ranking import Ranking

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from mlops_core.domain.metrics import MetricName

__all__ = [
    "accuracy",
    "average_precision",
    "brier",
    "calibration_error",
    "log_loss",
    "point_metrics",
    "roc_auc",
]


def roc_auc(labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Share of (positive, negative) pairs in the right order, ties as half; `DataError` for one class."""
    return _point("roc_auc", labels, scores, weights)


def average_precision(labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Precision averaged over steps of recall, not interpolated; `DataError` for one class."""
    return _point("average_precision", labels, scores, weights)


def log_loss(labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Mean negative log likelihood in nats, probabilities clipped to [1e-15, 1 - 1e-15]."""
    return _point("log_loss", labels, scores, weights)


def brier(labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Mean squared difference of probability and label (G. W. Brier, Monthly Weather Review 78, 1950)."""
    return _point("brier", labels, scores, weights)


def calibration_error(labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Expected calibration error in ten bins of equal count; see `mlops_core.metrics.calibration`."""
    return _point("calibration_error", labels, scores, weights)


def accuracy(
    labels: ArrayLike, scores: ArrayLike, threshold: float, weights: ArrayLike | None = None
) -> float:
    """Share of rows called right when those with a score of at least `threshold` are called positive."""
    return _point("accuracy", labels, scores, weights, threshold)


def point_metrics(labels: ArrayLike, scores: ArrayLike, threshold: float | None) -> dict[str, float]:
    """What is always measured, those finite; `DataError` when there is one class only.

    Our own six at once, sorted once; without a threshold `scores` are numbers, and so are `labels`.
    """
    if threshold is None:
        found = {metric: figure(metric, labels, scores) for metric in MEASURED[task_of(threshold)]}
        return {metric: value for metric, value in found.items() if math.isfinite(value)}
    ranking = Ranking.of(labels, scores)
    tally = ranking.tally()
    return {metric: measure(metric, ranking, threshold)(tally) for metric in METRICS}


def _point(
    metric: MetricName,
    labels: ArrayLike,
    scores: ArrayLike,
    weights: ArrayLike | None,
    threshold: float = 0.5,
) -> float:
    ranking = Ranking.of(labels, scores)
    return measure(metric, ranking, threshold)(ranking.tally(weights))
