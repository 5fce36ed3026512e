"""Figures on predictions, with intervals and paired gains. NumPy only, but for scikit-learn's scorers."""

from mlops_core.metrics.bootstrap import intervals, paired_difference
from mlops_core.metrics.calibration import CalibrationBins, bias, calibration_bins
from mlops_core.metrics.figures import figure
from mlops_core.metrics.gain import Gain, paired_gain
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
from mlops_core.metrics.profiles import LEAST_SHARE, population_stability, profile_of
from mlops_core.metrics.ranking import Ranking, Tally
from mlops_core.metrics.threshold import best_threshold

__all__ = [
    "LEAST_SHARE",
    "METRICS",
    "CalibrationBins",
    "Gain",
    "Ranking",
    "Tally",
    "accuracy",
    "average_precision",
    "best_threshold",
    "bias",
    "brier",
    "calibration_bins",
    "calibration_error",
    "figure",
    "importances",
    "intervals",
    "log_loss",
    "measure",
    "paired_difference",
    "paired_gain",
    "point_metrics",
    "population_stability",
    "profile_of",
    "roc_auc",
]
