"""Figures on predicted probabilities, with intervals. NumPy only; every figure can be weighted by counts."""

from mlops_core.metrics.bootstrap import intervals, paired_difference
from mlops_core.metrics.calibration import CalibrationBins, calibration_bins
from mlops_core.metrics.importance import importances
from mlops_core.metrics.measure import METRICS, measure
from mlops_core.metrics.point import (
    accuracy,
    average_precision,
    brier,
    calibration_error,
    log_loss,
    point_metrics,
    roc_auc,
)
from mlops_core.metrics.ranking import Ranking, Tally
from mlops_core.metrics.threshold import best_threshold

__all__ = [
    "METRICS",
    "CalibrationBins",
    "Ranking",
    "Tally",
    "accuracy",
    "average_precision",
    "best_threshold",
    "brier",
    "calibration_bins",
    "calibration_error",
    "importances",
    "intervals",
    "log_loss",
    "measure",
    "paired_difference",
    "point_metrics",
    "roc_auc",
]
