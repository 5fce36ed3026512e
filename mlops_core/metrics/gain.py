"""How much better one model is than another on the same rows, and at least how much for sure.

Areas under ROC curves are compared by DeLong's test, all else by the paired bootstrap: the same resamples for
both models. Its bound is the lower of the percentile and the basic one (A. Davison, D. Hinkley, "Bootstrap
Methods and their Application", 1997, chapter 5). That was chosen by simulation, 500 rows of which 14 % are
positive: how often a bound at 95 % lay above the truth, in 800 or 1,000 samples, hence give or take 1.5 %:

============================================  ==========  =====  =====  ===========  =========
two models, and the metric                    percentile  basic    BCa  studentised  the lower
============================================  ==========  =====  =====  ===========  =========
equally good, brier                                 6.0    5.1    6.2          5.5        4.6
equally good, average precision                     4.3    5.4    5.9            -        3.7
equally good, calibration error                     0.0    8.5    9.0            -        0.0
equal but for 1 % of rows, accuracy                 2.4    0.6    6.9          7.5        0.5
overconfident against timid, log loss               6.6    6.7    6.1          5.5        6.2
overconfident against timid, accuracy               7.5    7.2    7.1          6.4        6.7
overconfident against timid, calibration            8.9   12.4   10.6            -        7.3
equally good, squared errors, heavy tails           6.1    2.9   11.0          9.8        2.6
biased against not, squared errors, as heavy       19.4   15.2   20.7         20.5       14.4
============================================  ==========  =====  =====  ===========  =========

No bound holds on the last: errors of a log-normal label, squared, have so heavy a tail that 500 rows seldom
hold what matters. Compare such numbers by `neg_mean_absolute_error`: 5.5 % there. A comparison takes twice
the time of the metric's intervals (`mlops_core.metrics.intervals`).
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal

import numpy as np

from mlops_core.domain.metrics import greater_is_better, suits
from mlops_core.metrics.bootstrap import checked_plan, resamples
from mlops_core.metrics.delong import standard_error
from mlops_core.metrics.figures import arrays, counted, figure

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from mlops_core.domain.metrics import MetricName, Task

    Floats = NDArray[np.float64]

__all__ = ["Gain", "paired_gain"]


@dataclass(frozen=True, slots=True)
class Gain:
    """How much better the challenger is, in units of the metric, and the lower confidence bound of that.

    Positive is better whatever the metric. Both are NaN where a metric is not finite.
    """

    value: float
    low: float
    method: Literal["DeLong", "paired bootstrap"]


def paired_gain(
    metric: MetricName,
    truth: ArrayLike,
    challenger: ArrayLike,
    champion: ArrayLike,
    *,
    thresholds: tuple[float, float] = (0.5, 0.5),
    confidence: float = 0.95,
    replicates: int = 1000,
    seed: int = 0,
) -> Gain:
    """The challenger's gain on the rows (n,) that both were asked, with its one-sided lower bound.

    In `confidence` of all cases the true gain lies above `low`. Equal predictions gain 0, for sure.
    `thresholds` (challenger's, champion's) matter to metrics on calls. Raises `BadInput` as `figure` does.
    """
    checked_plan(replicates, confidence)
    sign = 1.0 if greater_is_better(metric) else -1.0
    models = tuple(zip((challenger, champion), thresholds, strict=True))
    ours, theirs = (figure(metric, truth, scores, threshold) for scores, threshold in models)
    value = sign * (ours - theirs)
    if metric == "roc_auc":
        return Gain(value, _delong_bound(value, truth, challenger, champion, confidence), "DeLong")
    if not np.isfinite(value):
        return Gain(float("nan"), float("nan"), "paired bootstrap")
    of_ours, of_theirs = (counted(metric, truth, scores, threshold) for scores, threshold in models)
    known, _ = arrays(metric, truth, challenger)
    task: Task = "regression" if suits(metric, "regression") else "classification"
    drawn = np.array(
        [
            sign * (of_ours(counts) - of_theirs(counts))
            for counts in resamples(known, replicates, seed, task=task)
        ]
    )
    return Gain(value, _bound(value, drawn, confidence), "paired bootstrap")


def _delong_bound(
    value: float, truth: ArrayLike, challenger: ArrayLike, champion: ArrayLike, confidence: float
) -> float:
    if not np.isfinite(value):
        return float("nan")
    labels, ours = arrays("roc_auc", truth, challenger)
    _, theirs = arrays("roc_auc", truth, champion)
    return value - NormalDist().inv_cdf(confidence) * standard_error(labels, ours, theirs)


def _bound(value: float, drawn: Floats, confidence: float) -> float:
    """The lower of the percentile and the basic bound; NaN when a resample has no figure."""
    lowest, highest = np.quantile(drawn, [1.0 - confidence, confidence])
    return float(np.min([value, lowest, 2.0 * value - highest]))
