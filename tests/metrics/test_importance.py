"""Permutation importance: what matters is found, what does not is not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mlops_core.errors import BadInput
from mlops_core.metrics import importances, roc_auc

Floats = NDArray[np.float64]


class FirstColumn:
    """A model that looks at its first feature only."""

    def predict(self, rows: Floats) -> Floats:
        """See `FittedModel.predict`."""
        return rows[:, 0]


def rows_and_labels(rows: int = 3000) -> tuple[Floats, NDArray[np.int8]]:
    """Three uniform columns; the label depends on the first."""
    random = np.random.default_rng(0)
    matrix = random.random((rows, 3))
    return matrix, (random.random(rows) < matrix[:, 0]).astype(np.int8)


def test_only_the_feature_that_is_read_matters() -> None:
    """Shuffling it costs all there is to lose, the way down to chance; the others cost exactly nothing."""
    matrix, labels = rows_and_labels()
    found = importances(FirstColumn(), matrix, labels, ["read", "idle", "spare"])
    assert list(found) == ["read", "idle", "spare"]
    assert found["idle"] == found["spare"] == (0.0, 0.0)
    mean, deviation = found["read"]
    assert mean == pytest.approx(roc_auc(labels, matrix[:, 0]) - 0.5, abs=0.03)
    assert 0 < deviation < 0.03


def test_a_sample_and_a_seed_decide_the_figures() -> None:
    """The rows themselves stay untouched."""
    matrix, labels = rows_and_labels()
    before = matrix.copy()
    once, again, other = (
        importances(FirstColumn(), matrix, labels, "abc", sample=500, seed=seed) for seed in (1, 1, 2)
    )
    assert once == again != other
    np.testing.assert_array_equal(matrix, before)


def test_names_must_fit_the_columns() -> None:
    """A name too few is refused."""
    with pytest.raises(BadInput, match="2 feature names, but the rows have shape"):
        importances(FirstColumn(), *rows_and_labels(10), ["a", "b"])
