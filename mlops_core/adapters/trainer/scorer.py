"""What scores a few rows quickly, where a fitted estimator allows it: bit for bit what the estimator says.

The scorers read fitted attributes, some of them private ones of scikit-learn. So one is used only after it
has given the estimator's very bits for rows of all kinds; another release of scikit-learn that stores
something else means the slow way, never another prediction.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_core.adapters.trainer.pipeline_scorer import PipelineScorer
from mlops_core.adapters.trainer.tree_scorer import TreeScorer
from mlops_core.domain.candidates import LinearCandidate

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.adapters.trainer.matrix import Matrix
    from mlops_core.domain.candidates import AnyCandidate

__all__ = ["FEW_ROWS", "predicted", "scorer_of"]

FEW_ROWS = 32  # an estimator's own way is the faster one for some hundred rows

_LOG = logging.getLogger(__name__)
_TRIED = 16


def scorer_of(estimator: Any, candidate: AnyCandidate) -> Callable[[Matrix], Matrix] | None:
    """What scores up to `FEW_ROWS` rows (n, features); None where only the estimator itself can."""
    try:
        kind = PipelineScorer if isinstance(candidate, LinearCandidate) else TreeScorer
        scorer: Callable[[Matrix], Matrix] = kind(estimator)
        for rows in _trial(int(estimator.n_features_in_)):
            if not np.array_equal(scorer(rows), predicted(estimator, rows)):
                raise ValueError("its predictions differ from the estimator's")
    except Exception as error:  # anything may be missing or other in another release of scikit-learn
        _LOG.info("a %s model is scored by its estimator alone, few rows, too: %s", candidate.kind, error)
        return None
    return scorer


def predicted(estimator: Any, rows: Matrix) -> Matrix:
    """What a fitted estimator says of rows (n, features): the probability of class 1, or a number; (n,)."""
    if hasattr(estimator, "predict_proba"):
        return np.ascontiguousarray(estimator.predict_proba(rows)[:, 1])
    return np.asarray(estimator.predict(rows), dtype=np.float64)


def _trial(features: int) -> list[Matrix]:
    """One row, a few, and some: of all magnitudes and signs, one in four missing, and one of them all."""
    random = np.random.default_rng(0)
    rows = random.choice([-1.0, 1.0, 1.0], (_TRIED, features)) * 10 ** random.uniform(
        -3, 5, (_TRIED, features)
    )
    rows[random.random(rows.shape) < 0.25] = np.nan
    rows[0] = np.nan
    rows[1] = 0.0
    return [rows, *rows[:4, None]]
