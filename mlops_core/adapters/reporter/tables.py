"""The tables of a report, as text ready to show."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlops_core.domain.metrics import greater_is_better

if TYPE_CHECKING:
    from mlops_core.domain.report import ReportContent

__all__ = [
    "Confusion",
    "MetricRow",
    "ValidationTable",
    "confusion",
    "directed",
    "metric_rows",
    "metric_title",
    "unskilled",
    "validation_table",
]

_TITLES = {
    "roc_auc": "ROC AUC",
    "average_precision": "Average precision",
    "log_loss": "Log loss",
    "brier": "Brier score",
    "calibration_error": "Calibration error",
    "accuracy": "Accuracy",
}


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A metric of the chosen candidate, its interval, and what one gets who always says the mean."""

    title: str
    value: str
    interval: str
    unskilled: str


@dataclass(frozen=True, slots=True)
class ValidationTable:
    """Candidates, the chosen one first, and (metric, its figures in that order)."""

    candidates: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts at the threshold, with their shares of all rows, and the rates made of them."""

    cells: dict[str, tuple[str, str]]
    rates: tuple[tuple[str, str, str], ...]


def metric_title(metric: str) -> str:
    """A metric's name as people write it."""
    return _TITLES.get(metric, metric.replace("_", " "))


def metric_rows(content: ReportContent) -> list[MetricRow]:
    """All metrics of the chosen candidate."""
    means = unskilled(float(content.labels.mean()))
    return [
        MetricRow(
            title=directed(metric),
            value=f"{interval.value:.4f}",
            interval=f"{interval.low:.4f} to {interval.high:.4f}",
            unskilled=f"{means[metric]:.4f}" if metric in means else "",
        )
        for metric, interval in content.metrics.items()
    ]


def validation_table(content: ReportContent) -> ValidationTable:
    """What the candidate was chosen by; a metric that a candidate lacks is left blank."""
    by_name = content.validation
    metrics = list(dict.fromkeys(metric for figures in by_name.values() for metric in figures))
    names = sorted(by_name, key=lambda name: (name != content.chosen, name))
    return ValidationTable(
        candidates=tuple(names),
        rows=tuple(
            (directed(metric), tuple(_figure(by_name[name].get(metric)) for name in names))
            for metric in metrics
        ),
    )


def confusion(content: ReportContent) -> Confusion:
    """The chosen candidate's calls at its threshold against what happened."""
    called, positive = content.scores[content.chosen] >= content.threshold, content.labels == 1
    counts = {
        "right_positive": int(np.sum(called & positive)),
        "wrong_positive": int(np.sum(called & ~positive)),
        "wrong_negative": int(np.sum(~called & positive)),
        "right_negative": int(np.sum(~called & ~positive)),
    }
    rows = len(content.labels)
    tp, fp, fn, tn = counts.values()
    return Confusion(
        cells={name: (f"{count:,}", f"{count / rows:.1%}") for name, count in counts.items()},
        rates=(
            ("Precision", _rate(tp, tp + fp), "of those called positive, are"),
            ("Recall", _rate(tp, tp + fn), "of positives, are called so"),
            ("Specificity", _rate(tn, tn + fp), "of negatives, are called so"),
            ("Called positive", _rate(tp + fp, rows), "of all rows"),
        ),
    )


def directed(metric: str) -> str:
    """The title, with an arrow to where it is better."""
    return f"{metric_title(metric)}\N{NO-BREAK SPACE}{'↑' if greater_is_better(metric) else '↓'}"


def unskilled(share: float) -> dict[str, float]:
    """What each metric is of a model that gives every row the share of positives, which is not 0 or 1."""
    return {
        "roc_auc": 0.5,
        "average_precision": share,
        "log_loss": -share * math.log(share) - (1 - share) * math.log(1 - share),
        "brier": share * (1 - share),
        "accuracy": max(share, 1 - share),
    }


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _rate(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "none"
