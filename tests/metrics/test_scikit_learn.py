"""The scorers of scikit-learn: the table of names fits the installed version, and the figures are its own."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import get_scorer, get_scorer_names

from mlops_core.domain.metrics import OWN_METRICS, SCIKIT_LEARN, greater_is_better
from mlops_core.errors import BadInput
from mlops_core.metrics import figure
from mlops_core.metrics.figures import counted

Floats = NDArray[np.float64]

OURS_TOO = ("accuracy", "average_precision", "roc_auc")
CLUSTERING = re.compile(
    "adjusted_|completeness_|fowlkes_|homogeneity_|mutual_info|normalized_mutual|rand_|v_meas"
)
MULTICLASS = re.compile("roc_auc_ov|top_k_accuracy|.*_samples$")


class Told(BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """A fitted model that predicts what it was told; scorers ask models."""

    def __init__(self, scores: Floats, threshold: float) -> None:
        self.scores, self.threshold = scores, threshold

    def fit(self) -> Told:
        """Marks itself as fitted."""
        self.classes_ = np.array([0.0, 1.0])
        return self


class Classifier(ClassifierMixin, Told):  # type: ignore[misc] # as above
    def predict(self, _: Floats) -> Floats:
        return (self.scores >= self.threshold).astype(np.float64)

    def predict_proba(self, _: Floats) -> Floats:
        return np.column_stack([1 - self.scores, self.scores])


class Regressor(RegressorMixin, Told):  # type: ignore[misc] # as above
    def predict(self, _: Floats) -> Floats:
        return self.scores


def drawn(seed: int = 0, rows: int = 80) -> tuple[Floats, Floats]:
    random = np.random.default_rng(seed)
    scores = random.uniform(0.02, 0.98, rows).round(2)
    return (random.random(rows) < scores).astype(np.float64), scores


def data_for(metric: str) -> tuple[Floats, Floats]:
    """Labels with probabilities, or positive numbers that every regression metric takes."""
    labels, scores = drawn()
    if SCIKIT_LEARN.get(metric) == "numbers":
        return labels * 3 + scores + 0.5, scores * 4 + 0.1
    return labels, scores


def test_every_name_is_a_scorer_of_the_installed_version() -> None:
    """Nothing is promised that scikit-learn does not have, and none hides one of ours."""
    assert set(SCIKIT_LEARN) <= set(get_scorer_names())
    assert not set(SCIKIT_LEARN) & set(OWN_METRICS)


def test_what_is_left_out_means_nothing_for_one_label_a_row() -> None:
    """A scorer of a later version that is none of these kinds makes this fail: it belongs in the table."""
    left = set(get_scorer_names()) - set(SCIKIT_LEARN) - set(OURS_TOO)
    assert [name for name in sorted(left) if not (CLUSTERING.match(name) or MULTICLASS.match(name))] == []


@pytest.mark.parametrize("metric", SCIKIT_LEARN)
def test_each_is_given_what_its_scorer_asks_models_for(metric: str) -> None:
    """Classes, probabilities or numbers."""
    scorer, wants = get_scorer(metric), SCIKIT_LEARN[metric]
    assert scorer._response_method == ("predict_proba" if wants == "probabilities" else "predict")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@pytest.mark.parametrize("metric", [*SCIKIT_LEARN, *OURS_TOO])
def test_a_figure_is_what_the_scorer_says_of_a_model(metric: str) -> None:
    """With its sign and its options, by the public way: a scorer that is called with a model."""
    truth, scores = data_for(metric)
    kind = Regressor if SCIKIT_LEARN.get(metric) == "numbers" else Classifier
    said = get_scorer(metric)(kind(scores, 0.4).fit(), scores[:, None], truth)
    assert figure(metric, truth, scores, 0.4) == pytest.approx(said, abs=1e-12)


def test_our_losses_are_scikit_learns_turned_round() -> None:
    """The names without `neg_` are ours, and lesser is better."""
    truth, scores = drawn()
    for ours, theirs in {"log_loss": "neg_log_loss", "brier": "neg_brier_score"}.items():
        assert figure(ours, truth, scores) == pytest.approx(-figure(theirs, truth, scores), abs=1e-12)
        assert (greater_is_better(ours), greater_is_better(theirs)) == (False, True)


@pytest.mark.parametrize("metric", [*OWN_METRICS, *SCIKIT_LEARN])
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_counting_rows_is_repeating_them(metric: str, seed: int) -> None:
    """However a scorer is called for resamples, it says what it says of the rows drawn."""
    truth, scores = data_for(metric)
    random = np.random.default_rng(seed)
    counts = np.bincount(random.integers(0, len(truth), len(truth)), minlength=len(truth))
    drawn_truth, drawn_scores = np.repeat(truth, counts), np.repeat(scores, counts)
    expected = figure(metric, drawn_truth, drawn_scores, 0.4)
    assert counted(metric, truth, scores, 0.4)(counts.astype(np.float64)) == pytest.approx(
        expected, nan_ok=True
    )


@pytest.mark.parametrize("metric", [name for name, wants in SCIKIT_LEARN.items() if wants == "calls"])
@pytest.mark.parametrize("cells", [(0, 0, 3, 4), (5, 0, 4, 0), (0, 2, 0, 0), (4, 0, 0, 6)])
def test_a_class_that_no_row_has_or_is_called_has_no_say(metric: str, cells: tuple[int, ...]) -> None:
    """Where the confusion matrix has empty cells, four weighted rows still say what all rows do."""
    truth, scores = np.repeat([0.0, 0.0, 1.0, 1.0], 10), np.tile(np.repeat([0.1, 0.9], 10), 2)
    counts = np.concatenate([np.arange(10) < count for count in cells]).astype(np.float64)
    there = counts > 0
    expected = figure(metric, truth[there], scores[there])
    assert counted(metric, truth, scores, 0.5)(counts) == pytest.approx(expected, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("metric", [*OWN_METRICS, *SCIKIT_LEARN])
@pytest.mark.parametrize("strange", [np.nan, np.inf])
def test_a_prediction_that_is_not_finite_has_no_figure(metric: str, strange: float) -> None:
    """NaN, whatever the metric: nothing is raised, and nothing can pass."""
    truth, scores = data_for(metric)
    scores[3] = strange
    assert np.isnan(figure(metric, truth, scores))


def test_what_a_metric_cannot_take_has_no_figure() -> None:
    """One class only for rankings, a negative number for a logarithm."""
    ones, scores = np.ones(4), np.array([0.1, 0.2, 0.3, 0.4])
    assert np.isnan(figure("roc_auc", ones, scores))
    assert np.isnan(figure("average_precision", ones, scores))
    assert np.isnan(figure("neg_mean_squared_log_error", ones, scores - 3))
    assert np.isnan(counted("neg_mean_squared_log_error", ones, scores - 3, 0.5)(ones))


def test_lengths_that_differ_are_refused() -> None:
    """And so are labels that are none, where the metric is not one of numbers."""
    with pytest.raises(BadInput, match=r"got shapes \(3,\) and \(2,\)"):
        figure("r2", np.ones(2), np.ones(3))
    with pytest.raises(BadInput, match="labels must be 0 or 1"):
        figure("f1", np.array([0.5, 1.0]), np.ones(2))
