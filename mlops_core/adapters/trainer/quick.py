"""A scikit-learn model as it serves: one row in some microseconds, to the bits that its estimator gives.

Stages fit and evaluate with the estimator itself (`sklearn.py`). What serves is loaded by this trainer, and
proved, like any release, by predicting the probes as the stages did: two ways that have to agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core.adapters.trainer.matrix import check_rows
from mlops_core.adapters.trainer.scorer import FEW_ROWS, scorer_of
from mlops_core.adapters.trainer.sklearn import SklearnModel, SklearnTrainer

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_core.adapters.trainer.matrix import Matrix
    from mlops_core.domain.candidates import AnyCandidate

__all__ = ["QuickModel", "QuickTrainer"]


class QuickModel(SklearnModel):
    """A `FittedModel` that scores up to `FEW_ROWS` rows at once from the fitted arrays."""

    def __init__(self, estimator: Any, candidate: AnyCandidate) -> None:
        super().__init__(estimator, candidate)
        with self._openmp.limit(limits=1):
            self._few = scorer_of(estimator, candidate)

    def predict(self, rows: Matrix) -> Matrix:
        """See `SklearnModel.predict`."""
        if self._few is None or not 0 < len(rows) <= FEW_ROWS:
            return super().predict(rows)
        check_rows(rows, self._features)
        return self._few(rows)


class QuickTrainer(SklearnTrainer):
    """A `Trainer` whose models, once loaded, are quick with few rows."""

    def load(self, folder: Path) -> QuickModel:
        """See `SklearnTrainer.load`."""
        model = super().load(folder)
        return QuickModel(model._estimator, model._candidate)
