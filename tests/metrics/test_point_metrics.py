"""The six figures against scikit-learn and against repeated rows, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sklearn.metrics as oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import mlops_core.metrics as metrics
from mlops_core.errors import BadInput, DataError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PAIRS = {
    "roc_auc": (metrics.roc_auc, oracle.roc_auc_score),
    "average_precision": (metrics.average_precision, oracle.average_precision_score),
    "log_loss": (
        metrics.log_loss,
        lambda y, s, sample_weight: oracle.log_loss(y, s, sample_weight=sample_weight),
    ),
    "brier": (metrics.brier, oracle.brier_score_loss),
    "accuracy": (
        lambda y, s, w: metrics.accuracy(y, s, 0.4, w),
        lambda y, s, sample_weight: oracle.accuracy_score(y, s >= 0.4, sample_weight=sample_weight),
    ),
}


@st.composite
def scored(draw: st.DrawFn) -> tuple[Ints, Floats, Ints]:
    """Labels of both classes, scores with many ties inside (0, 1), weights with zeros, both classes left."""
    size = draw(st.integers(2, 60))
    labels = draw(st.lists(st.integers(0, 1), min_size=size, max_size=size))
    grid = draw(st.sampled_from([4, 20, 1000]))
    scores = draw(st.lists(st.integers(1, grid - 1), min_size=size, max_size=size))
    weights = draw(st.lists(st.integers(0, 4), min_size=size, max_size=size))
    labels[:2], weights[:2] = [0, 1], [max(1, weight) for weight in weights[:2]]
    return np.array(labels), np.array(scores) / grid, np.array(weights)


def calibration_oracle(labels: Ints, scores: Floats) -> float:
    """The definition read aloud: every row looks for its bin alone, by the middle of its tied ranks."""
    bins: dict[int, list[float]] = {}
    for label, score in zip(labels, scores, strict=True):
        above, same = int(np.sum(scores > score)), int(np.sum(scores == score))
        number = 10 * (2 * above + same) // (2 * len(scores))
        bins.setdefault(number, []).append(float(score - label))
    return sum(abs(sum(excess)) for excess in bins.values()) / len(scores)


@pytest.mark.parametrize("name", PAIRS)
@settings(max_examples=30)
@given(data=scored())
def test_a_metric_equals_scikit_learns(name: str, data: tuple[Ints, Floats, Ints]) -> None:
    """On tied scores and with weights, some of them zero, to 1e-12."""
    labels, scores, weights = data
    ours: Any
    ours, theirs = PAIRS[name]
    assert ours(labels, scores, weights) == pytest.approx(
        theirs(labels, scores, sample_weight=weights), abs=1e-12
    )


@given(data=scored())
def test_calibration_error_is_what_its_definition_says(data: tuple[Ints, Floats, Ints]) -> None:
    """Equal to an implementation that looks up each row's bin on its own."""
    labels, scores, _ = data
    assert metrics.calibration_error(labels, scores) == pytest.approx(
        calibration_oracle(labels, scores), abs=1e-12
    )


@settings(max_examples=50)
@given(data=scored())
def test_a_weight_counts_like_repeated_rows(data: tuple[Ints, Floats, Ints]) -> None:
    """Also for the calibration error, whose bins must not move; and the order of rows never matters."""
    labels, scores, weights = data
    labels_twice, scores_twice = np.repeat(labels, weights)[::-1], np.repeat(scores, weights)[::-1]
    for metric in (metrics.roc_auc, metrics.average_precision, metrics.calibration_error, metrics.brier):
        assert metric(labels, scores, weights) == pytest.approx(metric(labels_twice, scores_twice), abs=1e-12)


@settings(max_examples=20)
@given(data=scored())
def test_all_at_once_are_the_single_ones(data: tuple[Ints, Floats, Ints]) -> None:
    """`point_metrics` sorts once and says the same as the functions."""
    labels, scores, _ = data
    found = metrics.point_metrics(labels, scores, 0.3)
    assert found["accuracy"] == metrics.accuracy(labels, scores, 0.3)
    singles = [getattr(metrics, name)(labels, scores) for name in metrics.METRICS if name != "accuracy"]
    assert [found[name] for name in metrics.METRICS if name != "accuracy"] == singles


def test_bins_hold_equal_counts_when_nothing_is_tied() -> None:
    """A hundred different scores make ten bins of ten, and their average gap is the calibration error."""
    random = np.random.default_rng(1)
    scores = random.permutation(np.arange(100) / 100)
    labels = (random.random(100) < scores).astype(np.int8)
    bins = metrics.calibration_bins(labels, scores)
    assert bins.rows.tolist() == [10.0] * 10
    assert (np.diff(bins.score) > 0).all()
    gap = float(np.mean(np.abs(bins.score - bins.share)))
    assert gap == pytest.approx(metrics.calibration_error(labels, scores))


def test_a_certain_mistake_costs_a_bounded_log_loss() -> None:
    """Probabilities are clipped at 1e-15."""
    assert metrics.log_loss([0, 1], [1.0, 1.0]) == pytest.approx(-np.log(1e-15) / 2, rel=1e-3)


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_cannot_be_ranked(label: int) -> None:
    """The ranking metrics say so instead of NaN; the losses are defined all the same."""
    labels, scores = np.full(5, label), np.linspace(0, 1, 5)
    for metric in (metrics.roc_auc, metrics.average_precision):
        with pytest.raises(DataError, match="one class only"):
            metric(labels, scores)
    assert metrics.brier(labels, scores) == pytest.approx(0.375)


@pytest.mark.parametrize(
    ("labels", "scores", "weights", "message"),
    [
        ([0, 1], [0.1, float("nan")], None, r"1 of 2 are not, the first in row 1 \(nan\)"),
        ([0, 1], [float("inf"), 0.1], None, r"first in row 0 \(inf\)"),
        ([0, 1], [0.1], None, r"shape \(2,\), got \(1,\)"),
        ([0, 2], [0.1, 0.2], None, "labels must be 0 or 1"),
        (["a", "b"], [0.1, 0.2], None, "labels must be 0 or 1"),
        ([], [], None, "at least one value"),
        ([0, 1], [0.1, 0.2], [0.5, 0.5], "whole numbers"),
        ([0, 1], [0.1, 0.2], [1, -1], "whole numbers"),
        ([0, 1], [0.1, 0.2], [0, 0], "not all of them 0"),
        ([0, 1], [0.1, 0.2], [1], "so weights must have shape"),
    ],
)
def test_broken_input_is_named(labels: Any, scores: Any, weights: Any, message: str) -> None:
    """What cannot be measured is refused with the place and the reason."""
    with pytest.raises(BadInput, match=message):
        metrics.roc_auc(labels, scores, weights)


@pytest.mark.parametrize("metric", [metrics.log_loss, metrics.brier, metrics.calibration_error])
def test_scores_that_are_no_probabilities_are_refused_where_it_matters(metric: Any) -> None:
    """A ranking by days is fine for ROC AUC, but has no log loss."""
    labels, days = [1, 0, 1], [-30.0, 2.0, 1.0]
    assert metrics.roc_auc(labels, days) == 0.0
    with pytest.raises(BadInput, match="reach from -30 to 2"):
        metric(labels, days)
