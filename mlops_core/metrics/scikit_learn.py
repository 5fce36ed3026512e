"""The scorers of scikit-learn as figures on arrays; imported when a policy names one of them.

A scorer wraps a function of truth and predictions; here that function is called, with the scorer's options
and its sign, so that greater is better. For resamples it is called as cheaply as it allows: on the four cells
of the confusion matrix where calls are compared; once, row by row, where it is a mean over rows; else with
weights; and where it takes none, or takes medians of them, on the rows drawn.
"""

from __future__ import annotations

import inspect
import warnings
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn import config_context
from sklearn.metrics import class_likelihood_ratios, get_scorer

from mlops_core.domain.metrics import SCIKIT_LEARN

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["counted", "figure"]

# Weighted medians are not those of repeated rows.
_MEDIANS = frozenset({"neg_median_absolute_error", "d2_absolute_error_score"})
# Means over rows, whose errors scikit-learn tells; their namesakes with `root` are their square roots.
_MEANS = frozenset(
    {
        "neg_mean_absolute_error",
        "neg_mean_absolute_percentage_error",
        "neg_mean_squared_error",
        "neg_mean_squared_log_error",
    }
)
# Places in what the function behind both returns.
_LIKELIHOOD_RATIOS = {"positive_likelihood_ratio": 0, "neg_negative_likelihood_ratio": 1}


@dataclass(frozen=True, slots=True)
class _Scorer:
    """The function behind a scorer, its options given."""

    function: Callable[..., Any]
    sign: int

    @classmethod
    def of(cls, metric: str) -> Self:
        # What a scorer is made of has no public names; a test compares with scorers called in public.
        scorer = get_scorer(metric)
        return cls(partial(scorer._score_func, **scorer._kwargs), scorer._sign)

    def __call__(self, *arrays: Floats, **more: Any) -> float:
        found = _guarded(self.function, *arrays, **more)
        return float("nan") if found is None else float(self.sign * found)

    @property
    def takes_weights(self) -> bool:
        return "sample_weight" in inspect.signature(self.function).parameters


def figure(metric: str, truth: Floats, scores: Floats, threshold: float) -> float:
    """The scorer's value; NaN where scikit-learn has none, or refuses the values as outside its domain."""
    if SCIKIT_LEARN[metric] == "calls":
        return _Scorer.of(metric)(truth, np.asarray(scores >= threshold, dtype=np.float64))
    return _Scorer.of(metric)(truth, scores)


def counted(metric: str, truth: Floats, scores: Floats, threshold: float) -> Callable[[Floats], float]:
    """The scorer as a function of how often each row counts, shape (n,)."""
    if SCIKIT_LEARN[metric] == "calls":
        return _by_cells(metric, truth, scores >= threshold)
    if _mean_of(metric) in _MEANS:
        return _by_means(metric, truth, scores)
    scorer = _Scorer.of(metric)
    if scorer.takes_weights and metric not in _MEDIANS:
        return lambda counts: scorer(truth, scores, sample_weight=counts)
    return lambda counts: scorer(*(np.repeat(one, counts.astype(np.intp)) for one in (truth, scores)))


def _by_cells(metric: str, truth: Floats, calls: NDArray[np.bool_]) -> Callable[[Floats], float]:
    cell = (2 * truth + calls).astype(np.intp)
    true, called = np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.0, 1.0, 0.0, 1.0])
    scorer = _Scorer.of(metric)
    if metric in _LIKELIHOOD_RATIOS:
        scorer = replace(scorer, function=partial(_likelihood_ratio, _LIKELIHOOD_RATIOS[metric]))

    def of(counts: Floats) -> float:
        cells = np.bincount(cell, weights=counts, minlength=4)
        there = cells > 0  # a class that nothing belongs to would have a say in averages over classes
        return scorer(true[there], called[there], sample_weight=cells[there])

    return of


def _likelihood_ratio(place: int, *arrays: Floats, sample_weight: Floats) -> float:
    """As scikit-learn's two functions of one ratio, which take no weights, ask that of both."""
    both = class_likelihood_ratios(*arrays, sample_weight=sample_weight, replace_undefined_by=1.0)
    return float(both[place])


def _by_means(metric: str, truth: Floats, scores: Floats) -> Callable[[Floats], float]:
    function = _Scorer.of(_mean_of(metric)).function
    # One sample with as many outputs as there are rows: then the error of each output is that of a row.
    errors = _guarded(function, truth[None, :], scores[None, :], multioutput="raw_values")
    if errors is None:
        return lambda _: float("nan")
    rooted = _mean_of(metric) != metric

    def of(counts: Floats) -> float:
        mean = float(np.sum(counts * errors) / np.sum(counts))
        return -float(np.sqrt(mean)) if rooted else -mean

    return of


def _mean_of(metric: str) -> str:
    return metric.replace("neg_root_mean", "neg_mean")


def _guarded(function: Callable[..., Any], *arrays: Floats, **more: Any) -> Any:
    """What the function says, or None where it refuses the values; its warnings are told by NaN and 0."""
    with warnings.catch_warnings(), np.errstate(all="ignore"), config_context(skip_parameter_validation=True):
        warnings.simplefilter("ignore")
        try:
            return function(*arrays, **more)
        except ValueError:  # such as a negative prediction for a logarithmic error
            return None
