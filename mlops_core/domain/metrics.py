"""The names of metrics, and which way each is better."""

from __future__ import annotations

from typing import Literal

__all__ = ["MetricName", "greater_is_better"]

MetricName = Literal["roc_auc", "average_precision", "log_loss", "brier", "calibration_error", "accuracy"]

_GREATER = frozenset({"roc_auc", "average_precision", "accuracy"})


def greater_is_better(metric: str) -> bool:
    """Whether a greater value is better; the others are losses."""
    return metric in _GREATER
