"""Intervals: the same with the same seed, paired where two models are compared, and as wide as they say."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mlops_core.errors import BadInput, DataError
from mlops_core.metrics import METRICS, accuracy, figure, intervals, paired_difference, point_metrics, roc_auc

Floats = NDArray[np.float64]


def sample(seed: int, rows: int = 400) -> tuple[NDArray[np.int8], Floats]:
    """Calibrated probabilities, uniform and rounded to make ties, with their labels: its true AUC is 5/6."""
    random = np.random.default_rng(seed)
    scores = random.random(rows).round(3)
    return (random.random(rows) < scores).astype(np.int8), scores


def test_a_seed_fixes_every_figure() -> None:
    """Twice the same; with another seed the values stay and the intervals move."""
    labels, scores = sample(0)
    once, again, other = (intervals(labels, scores, 0.5, replicates=50, seed=seed) for seed in (3, 3, 4))
    assert once == again
    assert {name: figure.value for name, figure in other.items()} == point_metrics(labels, scores, 0.5)
    assert list(once) == list(METRICS)
    assert once != other


def test_an_interval_equals_one_from_drawn_rows() -> None:
    """Counting and repeating rows give the same resamples, drawn with the same generator."""
    labels, scores = sample(1, rows=60)
    random = np.random.default_rng(7)
    draws = [random.integers(0, 60, 60) for _ in range(40)]
    figures = [point_metrics(labels[rows], scores[rows], 0.4) for rows in draws]
    found = intervals(labels, scores, 0.4, replicates=40, confidence=0.8, seed=7)
    for name in ("roc_auc", "average_precision", "log_loss", "brier", "accuracy"):
        low, high = np.quantile([figure[name] for figure in figures], [0.1, 0.9])
        assert (found[name].low, found[name].high) == pytest.approx((low, high), abs=1e-12)


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """Of 200 samples, about 90 % of the 90 % intervals hold the true AUC; 5 standard errors are allowed."""
    held = 0
    for seed in range(200):
        labels, scores = sample(seed, rows=150)
        found = intervals(labels, scores, 0.5, replicates=100, confidence=0.9, seed=seed)["roc_auc"]
        held += found.low <= 5 / 6 <= found.high
    assert 0.9 - 0.107 <= held / 200 <= 0.9 + 0.107


def test_further_metrics_share_the_resamples() -> None:
    """They come after our own, which stay as they are; one that is both is there once."""
    labels, scores = sample(6)
    own = intervals(labels, scores, 0.5, replicates=40)
    found = intervals(labels, scores, 0.5, replicates=40, more=("f1", "brier", "neg_brier_score"))
    assert list(found) == [*METRICS, "f1", "neg_brier_score"]
    assert {name: found[name] for name in METRICS} == own
    brier, negative = found["brier"], found["neg_brier_score"]
    assert (negative.value, negative.low, negative.high) == pytest.approx(
        (-brier.value, -brier.high, -brier.low), abs=1e-12
    )


def test_numbers_have_the_metrics_that_are_named() -> None:
    """Our own are of labels; an interval of numbers equals one from drawn rows as well."""
    random = np.random.default_rng(8)
    truth = random.normal(size=200)
    scores = truth + random.normal(0, 0.5, 200)
    found = intervals(
        truth, scores, 0.5, replicates=30, seed=2, task="regression", more=("r2", "neg_max_error")
    )
    assert list(found) == ["r2", "neg_max_error"]
    random = np.random.default_rng(2)
    draws = [random.integers(0, 200, 200) for _ in range(30)]
    figures = [figure("r2", truth[rows], scores[rows]) for rows in draws]
    low, high = np.quantile(figures, [0.025, 0.975])
    assert (found["r2"].low, found["r2"].high) == pytest.approx((low, high), abs=1e-12)


def test_a_metric_without_a_finite_value_is_left_out() -> None:
    """An interval cannot hold it, and a gate that looks for it fails."""
    truth, scores = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, -2.0, 3.0, 4.5])
    wanted = ("neg_mean_squared_log_error", "r2")
    assert list(intervals(truth, scores, 0.5, replicates=5, task="regression", more=wanted)) == ["r2"]
    scores[0] = np.nan
    assert intervals(truth, scores, 0.5, replicates=5, task="regression", more=wanted) == {}


def test_an_interval_holds_its_value() -> None:
    """Also that of the calibration error of a calibrated model, which resampling can only make worse."""
    for seed in range(5):
        found = intervals(*sample(seed, rows=2000), 0.5, replicates=60)
        assert all(figure.low <= figure.value <= figure.high for figure in found.values())


def test_a_model_does_not_differ_from_itself() -> None:
    """The same resamples for both: the difference is exactly nothing, and so is its interval."""
    labels, scores = sample(2)
    same = paired_difference("average_precision", labels, scores, scores, replicates=30)
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)


def test_pairing_makes_a_small_difference_visible() -> None:
    """The paired interval of two alike models is far narrower than either model's own, and mirrors."""
    labels, scores = sample(3, rows=2000)
    noisy = np.clip(scores + np.random.default_rng(0).normal(0, 0.05, 2000), 0, 1)
    ahead = paired_difference("roc_auc", labels, scores, noisy, replicates=200)
    behind = paired_difference("roc_auc", labels, noisy, scores, replicates=200)
    own = intervals(labels, scores, 0.5, replicates=200)["roc_auc"]
    assert ahead.value == roc_auc(labels, scores) - roc_auc(labels, noisy)
    assert ahead.high - ahead.low < (own.high - own.low) / 3
    assert (behind.low, behind.high) == pytest.approx((-ahead.high, -ahead.low))


def test_each_model_is_called_at_its_own_threshold() -> None:
    """Accuracy is the one metric that depends on it."""
    labels, scores = sample(4)
    found = paired_difference("accuracy", labels, scores, scores, thresholds=(0.3, 0.6), replicates=5)
    assert found.value == pytest.approx(accuracy(labels, scores, 0.3) - accuracy(labels, scores, 0.6))


def test_a_draw_without_both_classes_is_drawn_again() -> None:
    """With one positive in ten, a third of all draws would have no AUC."""
    labels, scores = np.array([1] + [0] * 9), np.linspace(0, 1, 10)
    found = intervals(labels, scores, 0.5, replicates=200)["roc_auc"]
    assert np.isfinite([found.low, found.high]).all()


def test_nonsense_is_refused() -> None:
    """No replicates, a confidence of one, one class only."""
    labels, scores = sample(5)
    with pytest.raises(BadInput, match="at least 1 bootstrap replicate"):
        intervals(labels, scores, 0.5, replicates=0)
    with pytest.raises(BadInput, match="confidence must lie between"):
        paired_difference("brier", labels, scores, scores, confidence=1.0)
    with pytest.raises(DataError, match="one class only"):
        paired_difference("brier", np.zeros(400, np.int8), scores, scores)
