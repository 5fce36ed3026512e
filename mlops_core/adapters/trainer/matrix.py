"""What every trainer demands of the rows and labels it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlops_core.domain.candidates import PoissonRegression
from mlops_core.errors import BadInput, DataError

if TYPE_CHECKING:
    from mlops_core.domain.candidates import AnyCandidate

__all__ = ["Labels", "Matrix", "check_rows", "check_training"]

Matrix = NDArray[np.float64]
Labels = NDArray[np.float64] | NDArray[np.int8]
"""0 and 1, or numbers."""


def check_rows(rows: Matrix, features: int) -> None:
    """Raise `BadInput` unless `rows` has shape (n, features) and no infinity; NaN means missing."""
    if rows.ndim != 2 or rows.shape[1] != features:
        raise BadInput(f"the model takes rows of {features} features, got an array of shape {rows.shape}")
    if np.isinf(rows).any():
        column = int(np.argmax(np.isinf(rows).any(axis=0)))
        raise BadInput(f"feature in column {column} (from 0) is infinite; give NaN where a value is missing")


def check_training(candidate: AnyCandidate, rows: Matrix, labels: Labels) -> None:
    """Raise `BadInput` for rows or labels of the wrong kind, `DataError` for labels that teach nothing.

    One class only, one number only, or amounts that a candidate for amounts cannot take.
    """
    if rows.ndim != 2 or 0 in rows.shape or labels.shape != (len(rows),):
        raise BadInput(
            f"training needs rows of shape (n, features) and n labels, none of them 0,"
            f" got {rows.shape} and {labels.shape}"
        )
    check_rows(rows, rows.shape[1])
    if candidate.task == "regression":
        _check_numbers(candidate, labels)
        return
    if not np.isin(labels, (0, 1)).all():
        raise BadInput("training labels must be 0 or 1")
    if labels.min() == labels.max():
        raise DataError(f"one class only: all {len(labels)} training labels are {labels[0]}; train on both")


def _check_numbers(candidate: AnyCandidate, labels: Labels) -> None:
    if not np.isfinite(labels).all():
        raise BadInput("training labels must be finite numbers")
    if labels.min() == labels.max():
        raise DataError(f"all {len(labels)} training labels are {labels[0]:g}: there is nothing to learn")
    poisson = isinstance(candidate, PoissonRegression) or getattr(candidate, "loss", "") == "poisson"
    if poisson and labels.min() < 0:
        raise DataError(
            f"candidate {candidate.name!r} is for amounts that are never negative, but"
            f" {int((labels < 0).sum())} of {len(labels)} training labels are, the least {labels.min():g};"
            " take Ridge, or GradientBoostingRegression with squared_error"
        )
