"""What every trainer does with labels that are numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from mlops_core.adapters.trainer.memory import MemoryTrainer
from mlops_core.adapters.trainer.quick import QuickTrainer
from mlops_core.adapters.trainer.sklearn import SklearnTrainer
from mlops_core.domain.candidates import (
    GradientBoosting,
    GradientBoostingRegression,
    PoissonRegression,
    Ridge,
)
from mlops_core.errors import BadInput, DataError, DefinitionError, IntegrityError
from mlops_core.metrics import figure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_core.domain.candidates import AnyCandidate
    from mlops_core.ports import FittedModel, Trainer

    Save = Callable[[FittedModel], Path]

Data = tuple[NDArray[np.float64], NDArray[np.float64]]

CANDIDATES: dict[str, AnyCandidate] = {
    "ridge": Ridge(),
    "poisson": PoissonRegression(),
    "squares": GradientBoostingRegression(trees=8, least_rows_per_leaf=20),
    "amounts": GradientBoostingRegression(trees=8, least_rows_per_leaf=20, loss="poisson"),
}


@pytest.fixture(scope="module")
def amounts() -> Data:
    """1,000 rows with holes; amounts, many of them 0."""
    random = np.random.default_rng(2)
    rows = random.normal(5, 5, (1000, 3))
    expected = np.exp(0.2 * np.arcsinh(rows[:, 0]) + 0.4 * np.arcsinh(rows[:, 1]))
    labels = np.where(random.random(1000) < 0.5, 0.0, random.gamma(2.0, expected))
    rows[::9, 0] = np.nan
    return rows, labels


@pytest.fixture(params=[MemoryTrainer, SklearnTrainer, QuickTrainer])
def trainer(request: pytest.FixtureRequest) -> Trainer:
    """Every trainer there is."""
    made: Trainer = request.param()
    return made


@pytest.fixture(params=CANDIDATES)
def candidate(request: pytest.FixtureRequest) -> AnyCandidate:
    """Every kind for numbers."""
    return CANDIDATES[request.param]


def test_predictions_are_expected_numbers(trainer: Trainer, candidate: AnyCandidate, amounts: Data) -> None:
    """About right on average, and nearer than the mean of all; by scikit-learn's."""
    rows, labels = amounts
    found = trainer.fit(candidate, rows, labels).predict(rows)
    assert found.shape == (len(rows),)
    assert found.dtype == np.float64
    assert found.mean() == pytest.approx(labels.mean(), rel=0.1)
    if not isinstance(trainer, MemoryTrainer):
        assert figure("r2", labels, found) > 0.05


def test_a_saved_model_is_the_same_when_loaded(
    trainer: Trainer, candidate: AnyCandidate, amounts: Data, saved: Save
) -> None:
    """Digest and predictions to the last bit; equal fits are equal, and one other label is another model."""
    rows, labels = amounts
    model = trainer.fit(candidate, rows, labels)
    loaded = trainer.load(saved(model))
    np.testing.assert_array_equal(loaded.predict(rows), model.predict(rows))
    np.testing.assert_allclose(loaded.predict(rows[:3]), model.predict(rows)[:3], rtol=1e-12)
    assert loaded.digest() == model.digest() == trainer.fit(candidate, rows, labels).digest()
    other = labels.copy()
    other[0] += 1.0
    assert trainer.fit(candidate, rows, other).digest() != model.digest()


def test_what_cannot_be_learnt_from_is_refused(
    trainer: Trainer, candidate: AnyCandidate, amounts: Data
) -> None:
    """One number only, and what is no number."""
    rows, labels = amounts
    with pytest.raises(DataError, match="all 1000 training labels are 3"):
        trainer.fit(candidate, rows, np.full(1000, 3.0))
    for strange in (np.nan, np.inf):
        with pytest.raises(BadInput, match="must be finite numbers"):
            trainer.fit(candidate, rows, np.append(labels[1:], strange))


@pytest.mark.parametrize("name", ["poisson", "amounts"])
def test_a_model_of_amounts_takes_none_below_nothing(trainer: Trainer, name: str, amounts: Data) -> None:
    """It says what does."""
    rows, labels = amounts
    with pytest.raises(DataError, match=r"1 of 1000 training labels are, the least -1; take Ridge"):
        trainer.fit(CANDIDATES[name], rows, np.append(labels[1:], -1.0))


def test_numbers_below_nothing_are_learnt_by_the_others(amounts: Data) -> None:
    """What was spent less what was returned."""
    rows, labels = amounts
    for name in ("ridge", "squares"):
        assert SklearnTrainer().fit(CANDIDATES[name], rows, labels - 5).predict(rows).min() < 0


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_fit_that_has_not_settled_is_refused(amounts: Data) -> None:
    """Rather than one that depends on where it stopped."""
    with pytest.raises(DefinitionError, match="'poisson' has not settled after 1 iterations"):
        SklearnTrainer().fit(PoissonRegression(max_iterations=1), *amounts)


def test_a_file_of_another_kind_is_refused(amounts: Data, saved: Save) -> None:
    """A classifier's manifest beside a model of numbers, and the other way round."""
    folder = saved(SklearnTrainer().fit(CANDIDATES["squares"], *amounts))
    manifest = (folder / "model.json").read_text()
    forged = GradientBoosting(trees=8, least_rows_per_leaf=20).model_dump_json()
    start = manifest.index('"candidate"')
    end = manifest.index("}", start) + 1
    (folder / "model.json").write_text(f'{manifest[:start]}"candidate": {forged}{manifest[end:]}')
    with pytest.raises(IntegrityError, match=r"holds sklearn\.ensemble.*Regressor"):
        SklearnTrainer().load(folder)
