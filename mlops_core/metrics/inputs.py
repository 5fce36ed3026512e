"""What every figure demands of its labels, scores and weights, checked in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_core.errors import BadInput, DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["checked_labels", "checked_scores", "checked_weights", "require_both_classes"]


def checked_labels(labels: ArrayLike) -> NDArray[np.float64]:
    """Labels as floats, shape (n,); raises `BadInput` unless n > 0 and each is 0 or 1."""
    given = np.asarray(labels)
    if given.ndim != 1 or given.size == 0:
        raise BadInput(f"labels must be one row of at least one value, got shape {given.shape}")
    if given.dtype.kind not in "biuf" or not np.isin(given, (0, 1)).all():
        raise BadInput("labels must be 0 or 1 throughout; map other classes before asking for a metric")
    return given.astype(np.float64)


def checked_scores(scores: ArrayLike, rows: int) -> NDArray[np.float64]:
    """Scores as floats, shape (rows,); raises `BadInput` for another length, NaN or an infinity."""
    given = np.asarray(scores, dtype=np.float64)
    if given.shape != (rows,):
        raise BadInput(f"there are {rows} labels, so scores must have shape ({rows},), got {given.shape}")
    strange = ~np.isfinite(given)
    if strange.any():
        first = int(np.argmax(strange))
        raise BadInput(
            f"scores must be finite: {int(strange.sum())} of {rows} are not, the first in row {first}"
            f" ({given[first]}); the model that made them is broken"
        )
    return given


def checked_weights(weights: ArrayLike, rows: int) -> NDArray[np.float64]:
    """Weights as floats, shape (rows,); raises `BadInput` unless whole, not negative and not all zero.

    A weight is how often a row counts, as in a bootstrap resample.
    """
    given = np.asarray(weights)
    if given.shape != (rows,):
        raise BadInput(f"there are {rows} labels, so weights must have shape ({rows},), got {given.shape}")
    if given.dtype.kind not in "biu" or (given < 0).any() or not given.any():
        raise BadInput("weights must be whole numbers from 0, not all of them 0: how often each row counts")
    return given.astype(np.float64)


def require_both_classes(positives: float, rows: float) -> None:
    """Raise `DataError` where positives and negatives are compared but one of them is missing."""
    if not 0 < positives < rows:
        which = "positive" if positives else "negative"
        raise DataError(
            f"one class only: all {rows:.0f} rows are {which}, so no ranking can be judged on them;"
            " take a snapshot or a longer period with both"
        )
