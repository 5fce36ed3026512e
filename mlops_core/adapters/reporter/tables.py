"""The tables of a report, as text ready to show."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlops_core.adapters.reporter.numbers import Bins, always
from mlops_core.domain.readable import figure_text, higher_is_better, interval_text, number_text, title_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_core.domain.report import ReportContent

__all__ = [
    "BinRow",
    "Confusion",
    "MetricRow",
    "ValidationTable",
    "confusion",
    "directed",
    "metric_rows",
    "number_bins",
    "unskilled",
    "validation_table",
]


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A metric of the chosen candidate, its interval, and what those get who always say the same."""

    title: str
    value: str
    interval: str
    unskilled: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BinRow:
    """Rows of about the same prediction: how many, both means, and their share of the sum of what came."""

    rows: str
    predicted: str
    actual: str
    share: str


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


def metric_rows(content: ReportContent) -> list[MetricRow]:
    """All metrics of the chosen candidate."""
    constants = _constants(content)
    return [
        MetricRow(
            title=directed(metric),
            value=figure_text(metric, interval.value),
            interval=interval_text(metric, interval),
            unskilled=tuple(_figure(metric, one) for one in constants),
        )
        for metric, interval in content.metrics.items()
    ]


def _constants(content: ReportContent) -> list[dict[str, float]]:
    """The metrics of who always says the mean; of numbers of who always says the median as well."""
    labels = content.labels
    if content.threshold is not None:
        return [unskilled(float(labels.mean()))]
    return [always(labels, float(np.mean(labels))), always(labels, float(np.median(labels)))]


def number_bins(content: ReportContent) -> list[BinRow]:
    """Bins of equal count by the chosen candidate's prediction, the highest first; none of classes."""
    if content.threshold is not None:
        return []
    bins = Bins.of(content.labels, content.scores[content.chosen])
    total = float(content.labels.sum()) if float(content.labels.min()) >= 0 else 0.0
    most = float(max(np.abs(bins.predicted).max(), np.abs(bins.actual).max()))
    found = zip(bins.rows[::-1], bins.predicted[::-1], bins.actual[::-1], strict=True)
    return [
        BinRow(
            rows=f"{rows:,.0f}",
            predicted=number_text(float(predicted), like=most),
            actual=number_text(float(actual), like=most),
            share=f"{rows * actual / total:.1%}" if total else "",
        )
        for rows, predicted, actual in found
    ]


def validation_table(content: ReportContent) -> ValidationTable:
    """What the candidate was chosen by; a metric that a candidate lacks is left blank."""
    by_name = content.validation
    metrics = list(dict.fromkeys(metric for figures in by_name.values() for metric in figures))
    names = sorted(by_name, key=lambda name: (name != content.chosen, name))
    return ValidationTable(
        candidates=tuple(names),
        rows=tuple(
            (directed(metric), tuple(_figure(metric, by_name[name]) for name in names)) for metric in metrics
        ),
    )


def confusion(content: ReportContent, threshold: float) -> Confusion:
    """The chosen candidate's calls at its threshold against what happened."""
    called, positive = content.scores[content.chosen] >= threshold, content.labels == 1
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
    return f"{title_of(metric)}\N{NO-BREAK SPACE}{'↑' if higher_is_better(metric) else '↓'}"


def unskilled(share: float) -> dict[str, float]:
    """What each metric is of a model that gives every row the share of positives, which is not 0 or 1."""
    return {
        "roc_auc": 0.5,
        "average_precision": share,
        "log_loss": -share * math.log(share) - (1 - share) * math.log(1 - share),
        "brier": share * (1 - share),
        "accuracy": max(share, 1 - share),
    }


def _figure(metric: str, figures: Mapping[str, float]) -> str:
    return figure_text(metric, figures[metric]) if metric in figures else ""


def _rate(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "none"
