"""What a model does as it serves: few rows quickly, and every bit as its estimator predicts them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mlops_core.adapters.trainer.quick import QuickModel, QuickTrainer
from mlops_core.adapters.trainer.scorer import FEW_ROWS, scorer_of
from mlops_core.adapters.trainer.sklearn import SklearnModel, SklearnTrainer
from mlops_core.domain.candidates import (
    AnyCandidate,
    GradientBoosting,
    GradientBoostingRegression,
    LogisticRegression,
    PoissonRegression,
    Ridge,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Models = dict[str, tuple[QuickModel, SklearnModel]]

FEATURES = 4
CANDIDATES: dict[str, AnyCandidate] = {
    "interactions": LogisticRegression(),
    "plain": LogisticRegression(interactions=False),
    "boosting": GradientBoosting(trees=40, least_rows_per_leaf=5),
    "large trees": GradientBoosting(trees=8, max_leaves=64, least_rows_per_leaf=1),
    "no splits": GradientBoosting(trees=3, least_rows_per_leaf=2000),
    "ridge": Ridge(),
    "poisson": PoissonRegression(interactions=False),
    "amounts": GradientBoostingRegression(trees=20, least_rows_per_leaf=5, loss="poisson"),
    "numbers": GradientBoostingRegression(trees=20, least_rows_per_leaf=5),
}

Values = st.one_of(
    st.just(float("nan")),
    st.sampled_from([0.0, -0.0, 1e-300, 1e18, -1e18]),
    st.floats(-100, 100),
)


def training() -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """1,000 rows with holes in all columns but one, of which one is constant."""
    random = np.random.default_rng(3)
    rows = random.normal(0, 20, (1000, FEATURES)).round(1)
    labels = (random.random(1000) < 1 / (1 + np.exp(-rows[:, 0] / 20 - rows[:, 1] / 30))).astype(np.int8)
    rows[:, 2] = 7.0
    rows[random.random(rows.shape) < 0.15] = np.nan
    return rows, labels


@pytest.fixture(scope="module")
def models() -> Models:
    """Each candidate's model as it serves, and as it was fitted: that one asks the estimator."""
    made = {}
    for name, candidate in CANDIDATES.items():
        fitted = SklearnTrainer().fit(candidate, *training())
        made[name] = QuickModel(fitted._estimator, candidate), fitted
    return made


@pytest.mark.parametrize("name", CANDIDATES)
@settings(deadline=None, max_examples=25)
@given(
    rows=st.integers(1, FEW_ROWS + 2).flatmap(
        lambda count: arrays(np.float64, (count, FEATURES), elements=Values)
    )
)
def test_few_rows_have_the_bits_of_the_estimator(
    models: Models, name: str, rows: NDArray[np.float64]
) -> None:
    """Whatever the values and however many rows, missing ones included."""
    quick, fitted = models[name]
    assert quick._few is not None
    assert quick.predict(rows).tobytes() == fitted.predict(rows).tobytes()


@pytest.mark.parametrize("name", ["boosting", "large trees"])
def test_a_value_at_a_threshold_goes_where_the_tree_sends_it(models: Models, name: str) -> None:
    """Thresholds of all trees, and the doubles next to them."""
    quick, fitted = models[name]
    for (tree,) in fitted._estimator._predictors:
        for split in tree.nodes[tree.nodes["is_leaf"] == 0][:6]:
            at = min(split["num_threshold"], 1e9)  # infinite where it parts the missing from all others
            rows = np.zeros((3, FEATURES))
            rows[:, split["feature_idx"]] = np.nextafter(at, -np.inf), at, np.nextafter(at, np.inf)
            assert np.array_equal(quick.predict(rows), fitted.predict(rows))


def test_trees_of_more_leaves_than_a_mask_has_bits_are_scored_by_their_estimator() -> None:
    """Slower, and right."""
    rows, labels = training()
    candidate = GradientBoosting(trees=2, max_leaves=65, least_rows_per_leaf=1)
    fitted = SklearnTrainer().fit(candidate, rows, labels)
    quick = QuickModel(fitted._estimator, candidate)
    assert quick._few is None
    assert np.array_equal(quick.predict(rows[:3]), fitted.predict(rows[:3]))


class _OtherArithmetic:
    """An estimator of another release: the same attributes, but it predicts otherwise in one bit."""

    def __init__(self, estimator: Any) -> None:
        self._estimator = estimator

    def __getattr__(self, name: str) -> Any:
        return getattr(self._estimator, name)

    def predict_proba(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.nextafter(self._estimator.predict_proba(rows), 1.0))


@pytest.mark.parametrize("name", ["interactions", "boosting"])
def test_an_estimator_that_predicts_otherwise_is_asked_itself(models: Models, name: str) -> None:
    """So another release of scikit-learn can make a prediction slower, but not wrong."""
    other = _OtherArithmetic(models[name][1]._estimator)
    rows = np.zeros((1, FEATURES))
    model = QuickModel(other, CANDIDATES[name])
    assert model._few is None
    assert np.array_equal(model.predict(rows), other.predict_proba(rows)[:, 1])


@pytest.mark.parametrize("name", ["interactions", "boosting"])
def test_an_estimator_without_the_expected_attributes_has_no_scorer(name: str) -> None:
    """Private attributes may go with any release."""
    bare = SimpleNamespace(n_features_in_=FEATURES, predict_proba=lambda rows: np.zeros((len(rows), 2)))
    assert scorer_of(bare, CANDIDATES[name]) is None


@pytest.mark.parametrize("name", ["interactions", "boosting"])
def test_a_loaded_model_is_quick_and_the_same(tmp_path: Path, name: str) -> None:
    """Its digest is that of what was saved, and predictions in any number agree."""
    rows, labels = training()
    fitted = SklearnTrainer().fit(CANDIDATES[name], rows, labels)
    fitted.save(tmp_path)
    loaded = QuickTrainer().load(tmp_path)
    assert loaded._few is not None
    assert loaded.digest() == fitted.digest()
    for count in (0, 1, FEW_ROWS, FEW_ROWS + 1, len(rows)):
        assert np.array_equal(loaded.predict(rows[:count]), fitted.predict(rows[:count]))
