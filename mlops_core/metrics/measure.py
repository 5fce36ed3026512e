"""The six metrics as functions of a tally: prepared once for a ranking, then cheap for every resample."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np

from mlops_core.domain.metrics import MetricName
from mlops_core.errors import BadInput
from mlops_core.metrics.calibration import gap
from mlops_core.metrics.inputs import require_both_classes

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mlops_core.metrics.ranking import Ranking, Tally

__all__ = ["METRICS", "measure"]

METRICS: tuple[MetricName, ...] = get_args(MetricName)

_LEAST_PROBABILITY = 1e-15


def measure(metric: MetricName, ranking: Ranking, threshold: float) -> Callable[[Tally], float]:
    """The metric on this ranking, as a function of how often its rows count.

    `threshold` matters to accuracy alone: a row is called positive when its score is at least that. Raises
    `BadInput` when the metric needs probabilities and a score lies outside [0, 1]; what it returns raises
    `DataError` when the metric needs both classes and the tally has one only.
    """
    if metric == "roc_auc":
        return _roc_auc
    if metric == "average_precision":
        return _average_precision
    if metric == "accuracy":
        right = (ranking.scores >= threshold) == (ranking.labels == 1)
        return _averaged(right.astype(np.float64))
    probabilities = _probabilities(ranking.scores, metric)
    if metric == "log_loss":
        return _averaged(_log_losses(ranking.labels, probabilities))
    excess = probabilities - ranking.labels
    if metric == "brier":
        return _averaged(excess * excess)
    return lambda tally: gap(ranking, tally, excess)


def _roc_auc(tally: Tally) -> float:
    positives, negatives = tally.positives, tally.rows - tally.positives
    require_both_classes(tally.total_positives, tally.total)
    # Trapezoids: rows of equal score count as half right. Twice their area, in whole numbers.
    steps = np.diff(negatives, prepend=0.0)
    area = np.sum(steps[1:] * (positives[1:] + positives[:-1])) + steps[0] * positives[0]
    return float(area) / (2.0 * tally.total_positives * (tally.total - tally.total_positives))


def _average_precision(tally: Tally) -> float:
    require_both_classes(tally.total_positives, tally.total)
    # Leading runs that do not count have no precision, and no positives to weigh it with.
    precision = tally.positives / np.maximum(tally.rows, 1.0)
    return float(np.sum(np.diff(tally.positives, prepend=0.0) * precision)) / tally.total_positives


def _log_losses(labels: NDArray[np.float64], probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    clipped = np.clip(probabilities, _LEAST_PROBABILITY, 1.0 - _LEAST_PROBABILITY)
    return -np.log(np.where(labels == 1, clipped, 1.0 - clipped))


def _averaged(values: NDArray[np.float64]) -> Callable[[Tally], float]:
    return lambda tally: tally.average(values)


def _probabilities(scores: NDArray[np.float64], metric: MetricName) -> NDArray[np.float64]:
    if scores[0] > 1.0 or scores[-1] < 0.0:
        raise BadInput(
            f"{metric} needs probabilities, but the scores reach from {scores[-1]:g} to {scores[0]:g};"
            " only roc_auc, average_precision and accuracy take any score"
        )
    return scores
