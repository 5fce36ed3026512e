"""Metrics as people read them: their titles, their figures, and which way is better.

Policies, receipts and JSON have scikit-learn's names, by which a loss of predicted numbers is negative:
`neg_root_mean_squared_error` is -55.1. To people it is RMSE 55.1, and lower is better. Whatever a person
reads asks here, so that no page shows the one and the next the other. A gain is always for the better and
keeps its sign.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mlops_core.domain.metrics import greater_is_better, suits

if TYPE_CHECKING:
    from mlops_core.domain.receipts import Interval

__all__ = [
    "column_of",
    "figure_text",
    "figure_with_interval",
    "gain_text",
    "higher_is_better",
    "interval_text",
    "number_text",
    "readable",
    "title_of",
]

_TITLES = {
    "roc_auc": "ROC AUC",
    "average_precision": "Average precision",
    "log_loss": "Log loss",
    "brier": "Brier score",
    "calibration_error": "Calibration error",
    "accuracy": "Accuracy",
    "r2": "R²",
    "explained_variance": "Explained variance",
    "d2_absolute_error_score": "D² of absolute error",
    "neg_max_error": "Largest error",
    "neg_mean_absolute_error": "MAE",
    "neg_mean_absolute_percentage_error": "MAPE",
    "neg_mean_gamma_deviance": "Gamma deviance",
    "neg_mean_poisson_deviance": "Poisson deviance",
    "neg_mean_squared_error": "MSE",
    "neg_mean_squared_log_error": "MSLE",
    "neg_median_absolute_error": "Median absolute error",
    "neg_root_mean_squared_error": "RMSE",
    "neg_root_mean_squared_log_error": "RMSLE",
}

_IN_UNITS = frozenset(
    {
        "neg_max_error",
        "neg_mean_absolute_error",
        "neg_mean_poisson_deviance",
        "neg_mean_squared_error",
        "neg_median_absolute_error",
        "neg_root_mean_squared_error",
    }
)
"""Figures as great as what is predicted; all others are about one."""


def title_of(metric: str) -> str:
    """A metric's name as people write it, such as "ROC AUC" or "RMSE"."""
    return _TITLES.get(metric, metric.replace("_", " "))


def column_of(metric: str) -> str:
    """What a figure is called at a terminal: its title for numbers, else the name that policies have."""
    return title_of(metric) if _of_numbers(metric) else metric


def readable(metric: str, value: float) -> float:
    """The figure as it is shown: a loss of numbers without the sign that scorers give it."""
    return 0.0 - value if _negated(metric) else value


def higher_is_better(metric: str) -> bool:
    """Whether a greater figure, as it is shown, is better."""
    return greater_is_better(metric) and not _negated(metric)


def figure_text(metric: str, value: float, *, like: float | None = None) -> str:
    """The figure to four places, or four digits where it is as great as what is predicted.

    With `like`, to the places of that figure of the metric.
    """
    return _text(metric, readable(metric, value), value if like is None else like)


def interval_text(metric: str, interval: Interval) -> str:
    """Such as "0.8334 to 0.8489": lower end first, as it is shown."""
    low, high = sorted(readable(metric, end) for end in (interval.low, interval.high))
    return f"{_text(metric, low, interval.value)} to {_text(metric, high, interval.value)}"


def figure_with_interval(metric: str, interval: Interval) -> str:
    """Such as "0.8414 (0.8334 to 0.8489)"."""
    return f"{figure_text(metric, interval.value)} ({interval_text(metric, interval)})"


def gain_text(metric: str, gain: float) -> str:
    """A gain with its sign; positive is better whatever the metric."""
    return f"{gain:+,.{_places(gain)}f}" if metric in _IN_UNITS else f"{gain:+.4f}"


def number_text(value: float, *, like: float | None = None) -> str:
    """A predicted number, or one to be predicted: four digits, at most six places, all before the point.

    With `like`, to the places of that number.
    """
    return f"{value:,.{_places(value if like is None else like)}f}"


def _text(metric: str, shown: float, like: float) -> str:
    return f"{shown:,.{_places(like)}f}" if metric in _IN_UNITS else f"{shown:.4f}"


def _places(size: float) -> int:
    if size == 0 or not math.isfinite(size):
        return 0
    return min(6, max(0, 3 - math.floor(math.log10(abs(size)))))


def _of_numbers(metric: str) -> bool:
    return suits(metric, "regression")


def _negated(metric: str) -> bool:
    return metric.startswith("neg_") and _of_numbers(metric)
