"""The names of metrics, and which way each is better.

Six are our own: they are measured on every model, with intervals. Any scorer of scikit-learn can be named
beside them, under scikit-learn's own name (`sklearn.metrics.get_scorer_names()`): those are always "greater
is better", so losses begin with `neg_`. Scorers that compare partitions (clustering) or need several classes
or labels are not among them: they mean nothing for one label a row.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, Literal

from pydantic import AfterValidator

__all__ = [
    "MEASURED",
    "OWN_METRICS",
    "SCIKIT_LEARN",
    "MetricName",
    "Task",
    "greater_is_better",
    "suits",
    "task_of",
]

Task = Literal["classification", "regression"]
"""What is predicted: the probability of a binary label, or a number."""

OWN_METRICS = ("roc_auc", "average_precision", "log_loss", "brier", "calibration_error", "accuracy")
"""On binary labels. Other names of the first two and of accuracy are scikit-learn's as well, and the same."""

_LOSSES = frozenset({"log_loss", "brier", "calibration_error"})

# What a scorer is called with: probabilities, the classes called at the threshold, or predicted numbers.
_BY_CALLS = (
    *("balanced_accuracy", "matthews_corrcoef", "neg_negative_likelihood_ratio", "positive_likelihood_ratio"),
    *(f"{name}{of}" for name in ("f1", "jaccard", "precision", "recall") for of in ("", "_macro", "_micro")),
    *(f"{name}_weighted" for name in ("f1", "jaccard", "precision", "recall")),
)
_BY_PROBABILITIES = ("d2_brier_score", "d2_log_loss_score", "neg_brier_score", "neg_log_loss")
_BY_NUMBERS = (
    *("d2_absolute_error_score", "explained_variance", "r2", "neg_max_error", "neg_mean_absolute_error"),
    *("neg_mean_absolute_percentage_error", "neg_mean_gamma_deviance", "neg_mean_poisson_deviance"),
    *("neg_mean_squared_error", "neg_mean_squared_log_error", "neg_median_absolute_error"),
    *("neg_root_mean_squared_error", "neg_root_mean_squared_log_error"),
)
SCIKIT_LEARN: dict[str, Literal["calls", "probabilities", "numbers"]] = {
    **dict.fromkeys(_BY_CALLS, "calls"),
    **dict.fromkeys(_BY_PROBABILITIES, "probabilities"),
    **dict.fromkeys(_BY_NUMBERS, "numbers"),
}
"""Scorers of scikit-learn 1.9 by name, and what each is given as the prediction."""

MEASURED: dict[Task, tuple[str, ...]] = {
    "classification": OWN_METRICS,
    "regression": ("neg_root_mean_squared_error", "neg_mean_absolute_error", "r2"),
}
"""What is measured on every model, whatever its policy names."""


def _known(name: str) -> str:
    names = (*OWN_METRICS, *SCIKIT_LEARN)
    if name not in names:
        close = get_close_matches(name, [*names, *(known.removeprefix("neg_") for known in names)], n=1)
        found = close[0] if close and close[0] in names else f"neg_{close[0]}" if close else None
        hint = f"did you mean {found!r}?" if found else f"ours are {', '.join(OWN_METRICS)}."
        raise ValueError(f"no metric {name!r}: {hint} Others go by the names of scikit-learn's scorers")
    return name


MetricName = Annotated[str, AfterValidator(_known)]
"""The name of a metric, checked where it is written."""


def greater_is_better(metric: str) -> bool:
    """Whether a greater value is better; three of our own are losses, scikit-learn's scorers never are."""
    return metric not in _LOSSES


def suits(metric: str, task: Task) -> bool:
    """Whether a metric can judge predictions of this kind."""
    of_numbers = SCIKIT_LEARN.get(metric) == "numbers"
    return of_numbers == (task == "regression")


def task_of(threshold: float | None) -> Task:
    """What a model does, by its threshold: only calls of a binary label are made at one."""
    return "regression" if threshold is None else "classification"
