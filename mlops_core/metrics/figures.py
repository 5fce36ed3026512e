"""Any metric by its name: once, or as a function of how often each row counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_core.domain.metrics import SCIKIT_LEARN
from mlops_core.errors import BadInput, DataError
from mlops_core.metrics.inputs import checked_labels
from mlops_core.metrics.measure import MEANS, measure, row_values
from mlops_core.metrics.ranking import Ranking

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from mlops_core.domain.metrics import MetricName

    Floats = NDArray[np.float64]

__all__ = ["counted", "figure"]


def figure(metric: MetricName, truth: ArrayLike, scores: ArrayLike, threshold: float = 0.5) -> float:
    """The metric of scores (n,) on truth (n,), labels 0 and 1 or numbers; scikit-learn's with its own sign.

    NaN or infinite where the metric is: a score that is not finite, one class only for a ranking, a value
    outside a scorer's domain. `threshold` matters to metrics on calls: a row is called positive when its
    score is at least that. Raises `BadInput` for labels that are not 0 or 1 (metrics on numbers take any),
    for lengths that differ, and for finite scores outside [0, 1] where one of our own needs probabilities.
    """
    known, given = arrays(metric, truth, scores)
    if not (np.isfinite(known).all() and np.isfinite(given).all()):
        return float("nan")
    if metric in SCIKIT_LEARN:
        from mlops_core.metrics import scikit_learn  # takes a second to import

        return scikit_learn.figure(metric, known, given, threshold)
    ranking = Ranking.of(known, given)
    try:
        return measure(metric, ranking, threshold)(ranking.tally())
    except DataError:
        return float("nan")


def counted(
    metric: MetricName, truth: ArrayLike, scores: ArrayLike, threshold: float
) -> Callable[[Floats], float]:
    """The metric as a function of how often each row counts (n,), prepared once and cheap for every resample.

    Truth and scores are finite, with both classes where the metric needs them: `figure` has looked.
    """
    known, given = arrays(metric, truth, scores)
    if metric in SCIKIT_LEARN:
        from mlops_core.metrics import scikit_learn

        return scikit_learn.counted(metric, known, given, threshold)
    if metric in MEANS:
        values = row_values(metric, known, given, threshold)
        return lambda counts: float(np.sum(counts * values) / np.sum(counts))
    ranking = Ranking.of(known, given)
    of = measure(metric, ranking, threshold)
    return lambda counts: of(ranking.counted(counts))


def arrays(metric: MetricName, truth: ArrayLike, scores: ArrayLike) -> tuple[Floats, Floats]:
    """Truth and scores as floats of one length; raises `BadInput` as `figure` does."""
    of_numbers = SCIKIT_LEARN.get(metric) == "numbers"
    known = np.asarray(truth, dtype=np.float64) if of_numbers else checked_labels(truth)
    given = np.asarray(scores, dtype=np.float64)
    if known.ndim != 1 or known.size == 0 or given.shape != known.shape:
        raise BadInput(
            f"{metric} needs one score for each true value, and at least one:"
            f" got shapes {given.shape} and {known.shape}"
        )
    return known, given
