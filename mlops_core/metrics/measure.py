"""Our own six metrics as functions of a tally: prepared once for a ranking, then cheap for every resample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_core.domain.metrics import OWN_METRICS, MetricName
from mlops_core.errors import BadInput
from mlops_core.metrics.calibration import gap
from mlops_core.metrics.inputs import require_both_classes

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mlops_core.metrics.ranking import Ranking, Tally

__all__ = ["MEANS", "METRICS", "measure", "row_values"]

METRICS: tuple[MetricName, ...] = OWN_METRICS
MEANS = frozenset({"accuracy", "brier", "log_loss"})
"""Those of them that are a mean over rows."""

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
    values = row_values(metric, ranking.labels, ranking.scores, threshold)
    if metric in MEANS:
        return lambda tally: tally.average(values)
    return lambda tally: gap(ranking, tally, values)


def row_values(
    metric: MetricName, labels: NDArray[np.float64], scores: NDArray[np.float64], threshold: float
) -> NDArray[np.float64]:
    """What each row (n,) adds to a metric that is a mean; its excess of score over label for the other.

    Raises `BadInput` as `measure` does.
    """
    if metric == "accuracy":
        return np.asarray((scores >= threshold) == (labels == 1), dtype=np.float64)
    _require_probabilities(scores, metric)
    if metric == "log_loss":
        return _log_losses(labels, scores)
    excess = scores - labels
    return excess * excess if metric == "brier" else excess


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


def _require_probabilities(scores: NDArray[np.float64], metric: MetricName) -> None:
    low, high = scores.min(), scores.max()
    if high > 1.0 or low < 0.0:
        raise BadInput(
            f"{metric} needs probabilities, but the scores reach from {low:g} to {high:g};"
            " only roc_auc, average_precision and accuracy take any score"
        )
