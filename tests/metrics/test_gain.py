"""Paired gains: against slower and simpler ways to compute them, and what must not change them."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mlops_core.errors import BadInput
from mlops_core.metrics import figure, paired_gain
from mlops_core.metrics.delong import components, standard_error

Floats = NDArray[np.float64]


def two_models(seed: int, rows: int = 300) -> tuple[Floats, Floats, Floats]:
    """Labels, and two models that know about as much, with ties among their scores."""
    random = np.random.default_rng(seed)
    truth = random.random(rows)
    labels = (random.random(rows) < truth).astype(np.float64)
    ours, theirs = (np.clip(truth + random.normal(0, 0.2, rows), 0.01, 0.99).round(2) for _ in range(2))
    return labels, ours, theirs


def components_oracle(labels: Floats, scores: Floats) -> tuple[Floats, Floats]:
    """Equation by equation: every pair of a positive and a negative is looked at."""
    positives, negatives = scores[labels == 1], scores[labels == 0]
    better = (positives[:, None] > negatives) + 0.5 * (positives[:, None] == negatives)
    return better.mean(axis=1), better.mean(axis=0)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), rows=st.integers(8, 120))
def test_delong_equals_every_pair_looked_at(seed: int, rows: int) -> None:
    """Components, the covariance matrix of two areas and the bound that follows, by the paper's equations."""
    labels, ours, theirs = two_models(seed, rows)
    labels[:4] = [0, 0, 1, 1]
    v10, v01 = zip(components_oracle(labels, ours), components_oracle(labels, theirs), strict=True)
    for found, expected in zip(components(labels, ours), (v10[0], v01[0]), strict=True):
        assert found == pytest.approx(expected, abs=1e-12)
    covariance = np.cov(v10) / len(v10[0]) + np.cov(v01) / len(v01[0])
    contrast = np.array([1.0, -1.0])
    expected_error = np.sqrt(max(contrast @ covariance @ contrast, 0.0))
    assert standard_error(labels, ours, theirs) == pytest.approx(expected_error, abs=1e-9)
    gain = paired_gain("roc_auc", labels, ours, theirs, confidence=0.9)
    value = v10[0].mean() - v10[1].mean()
    assert gain.method == "DeLong"
    assert gain.value == pytest.approx(value, abs=1e-12)
    assert gain.low == pytest.approx(value - 1.2815515655446004 * expected_error, abs=1e-8)


@pytest.mark.parametrize("metric", ["accuracy", "brier", "neg_mean_absolute_error"])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_the_bootstrap_of_a_mean_agrees_with_the_normal_bound(metric: str, confidence: float) -> None:
    """A mean over 4,000 rows is normal enough: value minus z standard errors, up to Monte Carlo error."""
    labels, ours, theirs = two_models(1, 4000)
    calls = [np.where(scores >= 0.5, labels, 1 - labels) for scores in (ours, theirs)]
    losses = {
        "accuracy": [1 - right for right in calls],
        "brier": [(scores - labels) ** 2 for scores in (ours, theirs)],
        "neg_mean_absolute_error": [np.abs(scores - labels) for scores in (ours, theirs)],
    }[metric]
    gains = losses[1] - losses[0]
    error = gains.std() / np.sqrt(len(gains))
    gain = paired_gain(metric, labels, ours, theirs, confidence=confidence, replicates=4000)
    assert gain.method == "paired bootstrap"
    assert gain.value == pytest.approx(gains.mean(), abs=1e-12)
    expected = gains.mean() - NormalDist().inv_cdf(confidence) * error
    assert gain.low == pytest.approx(expected, abs=0.15 * error)


@pytest.mark.parametrize("metric", ["roc_auc", "average_precision", "log_loss", "calibration_error", "f1"])
def test_a_model_gains_nothing_over_itself(metric: str) -> None:
    """For sure: superiority fails, non-inferiority passes."""
    labels, scores, _ = two_models(2)
    gain = paired_gain(metric, labels, scores, scores.copy(), replicates=40)
    assert (gain.value, gain.low) == (0.0, 0.0)


@pytest.mark.parametrize("metric", ["roc_auc", "brier", "recall", "r2"])
def test_swapped_models_gain_the_opposite(metric: str) -> None:
    """Better is positive whatever the metric, and the bound is never above the value."""
    labels, ours, theirs = two_models(3)
    ahead = paired_gain(metric, labels, ours, theirs, replicates=60)
    behind = paired_gain(metric, labels, theirs, ours, replicates=60)
    assert ahead.value == -behind.value != 0
    assert ahead.low < ahead.value
    assert behind.low < behind.value
    assert ahead.low < -behind.low


def test_less_of_a_loss_is_a_gain() -> None:
    """A model that errs less gains in every metric, turned round where lesser is better."""
    labels, _, _ = two_models(4)
    sure, unsure = 0.2 + 0.6 * labels, 0.4 + 0.2 * labels
    unsure[:60] = 1 - unsure[:60]
    for metric in ("roc_auc", "brier", "log_loss", "accuracy", "neg_brier_score", "neg_mean_squared_error"):
        assert paired_gain(metric, labels, sure, unsure, replicates=60).low > 0, metric


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_rows_does_not_matter(seed: int) -> None:
    """To the gain in any metric, and to DeLong's bound; the bootstrap draws rows by their place."""
    labels, ours, theirs = two_models(seed, 120)
    order = np.random.default_rng(seed).permutation(120)
    for metric in ("roc_auc", "average_precision", "calibration_error", "brier", "f1"):
        once = paired_gain(metric, labels, ours, theirs, replicates=2)
        again = paired_gain(metric, labels[order], ours[order], theirs[order], replicates=2)
        assert again.value == pytest.approx(once.value, abs=1e-12)
        if metric == "roc_auc":
            assert again.low == pytest.approx(once.low, abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), power=st.sampled_from([0.5, 3.0]))
def test_a_ranking_is_all_that_an_area_sees(seed: int, power: float) -> None:
    """Rising transformations of a model's scores leave value and bound of roc_auc as they were."""
    labels, ours, theirs = two_models(seed, 120)
    once = paired_gain("roc_auc", labels, ours, theirs)
    assert paired_gain("roc_auc", labels, ours**power * 10 - 4, theirs) == once
    moved = paired_gain("roc_auc", labels, ours**power, ours)
    assert (moved.value, moved.low) == (0.0, 0.0)


@pytest.mark.parametrize("metric", ["roc_auc", "brier", "f1", "neg_mean_squared_error"])
@pytest.mark.parametrize("whose", [0, 1])
def test_a_gain_over_or_of_nonsense_is_none(metric: str, whose: int) -> None:
    """One NaN in either model's scores: no value and no bound, so no check can pass on them."""
    labels, *models = two_models(5)
    models[whose][7] = np.nan
    gain = paired_gain(metric, labels, *models)
    assert np.isnan([gain.value, gain.low]).all()


def test_one_class_is_enough_for_a_mean_and_nothing_for_a_ranking() -> None:
    """A slice may have one class only."""
    _, ours, theirs = two_models(6)
    nobody = np.zeros(300)
    assert np.isnan(paired_gain("roc_auc", nobody, ours, theirs).low)
    assert np.isnan(paired_gain("average_precision", nobody, ours, theirs).low)
    assert np.isfinite(paired_gain("brier", nobody, ours, theirs, replicates=20).low)


def test_an_area_over_a_single_positive_has_no_bound() -> None:
    """Its variance cannot be told from one row."""
    labels = np.zeros(300)
    labels[0] = 1
    gain = paired_gain("roc_auc", labels, *two_models(7)[1:])
    assert np.isfinite(gain.value)
    assert np.isnan(gain.low)


def test_each_model_is_called_at_its_own_threshold() -> None:
    """As each would be when it serves."""
    labels, ours, theirs = two_models(8)
    gain = paired_gain("f1", labels, ours, theirs, thresholds=(0.3, 0.6), replicates=5)
    assert gain.value == figure("f1", labels, ours, 0.3) - figure("f1", labels, theirs, 0.6)


def test_a_seed_fixes_the_bound() -> None:
    """The same resamples for the same seed; others move the bound a little, and the value never."""
    once, again, other = (
        paired_gain("brier", *two_models(9), replicates=100, seed=seed) for seed in (1, 1, 2)
    )
    assert once == again
    assert once.value == other.value
    assert once.low != other.low


def test_a_confidence_of_one_is_refused() -> None:
    """There is no such bound."""
    with pytest.raises(BadInput, match="confidence must lie between"):
        paired_gain("brier", *two_models(10), confidence=1.0)
