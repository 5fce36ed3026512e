"""Percentile bootstrap: how far a figure could be off, had other rows been drawn.

Rows are drawn with replacement, n of n (B. Efron, R. Tibshirani, "An Introduction to the Bootstrap", 1993,
chapter 13). A resample is the counts of its rows, so rankings are sorted once and every replicate costs
O(n). A draw without both classes is drawn again. The same seed gives the same resamples to every function
here, whatever the scores: differences of two models are paired, row by row.

The calibration error is a sum of absolute values, which resampling can only stir up: its replicates lie
high, so its interval errs to the safe side. Intervals are widened to hold their own value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_core.domain.receipts import Interval
from mlops_core.errors import BadInput
from mlops_core.metrics.inputs import checked_labels, require_both_classes
from mlops_core.metrics.measure import METRICS, measure
from mlops_core.metrics.ranking import Ranking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from mlops_core.domain.metrics import MetricName

__all__ = ["intervals", "paired_difference"]


def intervals(
    labels: ArrayLike,
    scores: ArrayLike,
    threshold: float,
    *,
    replicates: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Interval]:
    """Every metric with its interval, on the same resamples.

    Raises `DataError` when there is one class only, and `BadInput` as the metrics do.
    """
    _check(replicates, confidence)
    ranking = Ranking.of(labels, scores)
    measures = [measure(metric, ranking, threshold) for metric in METRICS]
    figures = np.empty((replicates, len(METRICS)))
    for row, counts in zip(figures, _resamples(labels, replicates, seed), strict=True):
        tally = ranking.counted(counts)
        row[:] = [figure(tally) for figure in measures]
    points = [figure(ranking.tally()) for figure in measures]
    return {
        metric: _interval(point, column, confidence)
        for metric, point, column in zip(METRICS, points, figures.T, strict=True)
    }


def paired_difference(
    metric: MetricName,
    labels: ArrayLike,
    challenger: ArrayLike,
    champion: ArrayLike,
    *,
    thresholds: tuple[float, float] = (0.5, 0.5),
    replicates: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """The metric of the challenger's scores minus that of the champion's, on the same rows, with interval.

    Not turned round for losses: see `mlops_core.domain.metrics.greater_is_better`. `thresholds`
    (challenger's, champion's) matter to accuracy alone. Raises as `intervals` does.
    """
    _check(replicates, confidence)
    rankings = [Ranking.of(labels, scores) for scores in (challenger, champion)]
    ours, theirs = (
        measure(metric, ranking, threshold) for ranking, threshold in zip(rankings, thresholds, strict=True)
    )
    mine, other = rankings
    falls = np.array(
        [
            ours(mine.counted(counts)) - theirs(other.counted(counts))
            for counts in _resamples(labels, replicates, seed)
        ]
    )
    return _interval(ours(mine.tally()) - theirs(other.tally()), falls, confidence)


def _resamples(labels: ArrayLike, replicates: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """How often each row was drawn, shape (n,), for each replicate."""
    positive = checked_labels(labels)
    rows = len(positive)
    require_both_classes(positive.sum(), rows)
    random = np.random.default_rng(seed)
    for _ in range(replicates):
        positives = 0.0
        while not 0 < positives < rows:
            counts = np.bincount(random.integers(0, rows, rows), minlength=rows).astype(np.float64)
            positives = float(np.sum(counts * positive))
        yield counts


def _check(replicates: int, confidence: float) -> None:
    if not 0.0 < confidence < 1.0:
        raise BadInput(f"confidence must lie between 0 and 1, such as 0.95, not {confidence!r}")
    if replicates < 1:
        raise BadInput(
            f"an interval needs at least 1 bootstrap replicate (1000 is usual), not {replicates!r}"
        )


def _interval(value: float, replicates: NDArray[np.float64], confidence: float) -> Interval:
    low, high = np.quantile(replicates, [(1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0])
    return Interval(value=value, low=min(float(low), value), high=max(float(high), value))
