"""Metrics are known by name: which there are, which way is better, and what they judge."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError
from sklearn.metrics import get_scorer, get_scorer_names

from mlops_core.domain.metrics import OWN_METRICS, SCIKIT_LEARN, MetricName, greater_is_better, suits
from mlops_core.metrics import figure

ALL = (*OWN_METRICS, *SCIKIT_LEARN)
NAME = TypeAdapter(MetricName)

# Of several classes, of several labels a row, or of partitions: they mean nothing for one label a row.
# Those of our own names are ours. Jaccard and its like of samples are of several labels.
MEANT_FOR_OTHERS = {
    *("adjusted_mutual_info_score", "adjusted_rand_score", "completeness_score", "fowlkes_mallows_score"),
    *("homogeneity_score", "mutual_info_score", "normalized_mutual_info_score", "rand_score"),
    *("v_measure_score", "top_k_accuracy", "f1_samples", "jaccard_samples", "precision_samples"),
    *("recall_samples", "roc_auc_ovo", "roc_auc_ovo_weighted", "roc_auc_ovr", "roc_auc_ovr_weighted"),
}


def test_every_scorer_of_scikit_learn_can_be_named_or_is_known_to_be_of_no_use() -> None:
    """A release that adds one is noticed here."""
    assert set(get_scorer_names()) - MEANT_FOR_OTHERS - set(OWN_METRICS) == set(SCIKIT_LEARN)


@pytest.mark.parametrize("name", SCIKIT_LEARN)
def test_a_scorer_is_given_the_predictions_it_wants(name: str) -> None:
    """Probabilities, or what is predicted: a class or a number."""
    wanted = "predict_proba" if SCIKIT_LEARN[name] == "probabilities" else "predict"
    assert get_scorer(name)._response_method == wanted


Arrays = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def of_numbers() -> Arrays:
    """Truth, good predictions and bad ones."""
    random = np.random.default_rng(3)
    truth = random.uniform(1, 2, 400)
    return truth, truth + random.normal(0, 0.05, 400), truth + random.normal(0.5, 0.2, 400)


def of_classes() -> Arrays:
    """The same of labels; the good ones are not perfect, for which some ratios have no value."""
    random = np.random.default_rng(3)
    truth = (random.random(400) < 0.5).astype(np.float64)
    good, bad = (
        np.clip(truth * 0.8 + 0.1 + random.normal(0, noise, 400), 0.01, 0.99) for noise in (0.3, 0.9)
    )
    return truth, good, bad


@pytest.mark.parametrize("name", ALL)
def test_better_predictions_have_the_better_value(name: str) -> None:
    """By the sign that each metric is said to have."""
    sign = 1 if greater_is_better(name) else -1
    truth, good, bad = of_numbers() if suits(name, "regression") else of_classes()
    assert sign * figure(name, truth, good) > sign * figure(name, truth, bad)


@pytest.mark.parametrize("name", ALL)
def test_a_metric_suits_one_task(name: str) -> None:
    """Our own suit classes."""
    assert suits(name, "classification") != suits(name, "regression")
    assert suits(name, "classification") or name not in OWN_METRICS


def test_names_are_used_as_they_are() -> None:
    """No alias, no other spelling."""
    for name in ALL:
        assert NAME.validate_python(name) == name
        with pytest.raises(ValidationError):
            NAME.validate_python(name.upper())


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("rocauc", "did you mean 'roc_auc'?"),
        ("logloss", "did you mean 'log_loss'?"),
        ("mean_absolute_error", "did you mean 'neg_mean_absolute_error'?"),
        ("r_2", "did you mean 'r2'?"),
        ("balanced_acuracy", "did you mean 'balanced_accuracy'?"),
        ("homogeneity_score", "no metric 'homogeneity_score'"),
        ("", "ours are roc_auc, average_precision, log_loss, brier, calibration_error, accuracy."),
    ],
)
def test_a_name_that_is_none_is_met_with_what_may_have_been_meant(written: str, hint: str) -> None:
    """Also without the "neg_" of scikit-learn's losses."""
    with pytest.raises(ValidationError) as caught:
        NAME.validate_python(written)
    assert hint in str(caught.value)


@given(st.text(max_size=30).filter(lambda text: text not in ALL))
def test_no_other_text_is_a_metric(written: str) -> None:
    """Whatever hint there is names one that is."""
    with pytest.raises(ValidationError) as caught:
        NAME.validate_python(written)
    _, found, hint = str(caught.value).rpartition("did you mean '")
    if found:
        assert hint.partition("'")[0] in ALL
