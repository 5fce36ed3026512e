"""Predicted numbers beside what came, counted and summed for figures and tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from mlops_core.errors import BadInput, DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BINS", "Bins", "Gains", "always", "checked"]

BINS = 10


@dataclass(frozen=True, slots=True)
class Bins:
    """Bins of equal count by rising prediction, without empty ones: means, and rows in each, (k,) all.

    Equal predictions lie in one bin, by the middle of their ranks.
    """

    predicted: NDArray[np.float64]
    actual: NDArray[np.float64]
    rows: NDArray[np.float64]

    @classmethod
    def of(cls, actual: NDArray[np.float64], predicted: NDArray[np.float64]) -> Self:
        """Of n rows."""
        _, run, counts = np.unique(predicted, return_inverse=True, return_counts=True)
        middle = np.cumsum(counts) - counts / 2
        number = (BINS * middle / len(predicted)).astype(np.intp)[run]
        rows = np.bincount(number, minlength=BINS)
        filled = rows > 0
        means = [
            np.bincount(number, weights=values, minlength=BINS)[filled] / rows[filled]
            for values in (predicted, actual)
        ]
        return cls(means[0], means[1], rows[filled].astype(np.float64))


@dataclass(frozen=True, slots=True)
class Gains:
    """The share of the sum that the first rows hold, highest prediction first, at each end of equal ones."""

    rows: NDArray[np.float64]
    held: NDArray[np.float64]

    @classmethod
    def of(cls, actual: NDArray[np.float64], predicted: NDArray[np.float64]) -> Self | None:
        """Of n rows; None where there are no shares: something is negative, or all is zero."""
        total = float(actual.sum())
        if float(actual.min()) < 0 or not total > 0:
            return None
        _, run, counts = np.unique(-predicted, return_inverse=True, return_counts=True)
        sums = np.bincount(run, weights=actual)
        return cls(_from_zero(counts / len(actual)), _from_zero(sums / sums.sum()))

    def held_by(self, share: float) -> float:
        """The share of the sum that the first `share` of rows hold; equal predictions share theirs evenly."""
        return float(np.interp(share, self.rows, self.held))

    @property
    def gini(self) -> float:
        """Twice the area between the curve and the diagonal: 0 by chance."""
        return 2 * float(np.sum(np.diff(self.rows) * (self.held[1:] + self.held[:-1]) / 2)) - 1


def always(actual: NDArray[np.float64], value: float) -> dict[str, float]:
    """What the common metrics are, by scikit-learn's names, of a model that predicts `value` for every row.

    Without R² where all rows are the same.
    """
    off = actual - value
    squared, spread = float(np.mean(off**2)), float(np.var(actual))
    found = {
        "neg_root_mean_squared_error": -(squared**0.5),
        "neg_mean_squared_error": -squared,
        "neg_mean_absolute_error": -float(np.mean(np.abs(off))),
        "neg_median_absolute_error": -float(np.median(np.abs(off))),
        "neg_max_error": -float(np.max(np.abs(off))),
    }
    return found | ({"r2": 1 - squared / spread} if spread else {})


def checked(actual: NDArray[np.float64], predicted: NDArray[np.float64], name: str) -> None:
    """Raises `DataError` without rows and for labels that are no numbers, `BadInput` for such predictions."""
    if not len(actual) or not np.isfinite(actual).all():
        raise DataError(
            f"a report needs rows whose labels are numbers, and of {len(actual):,} rows "
            f"{int((~np.isfinite(actual)).sum()):,} have one that is not finite: look at the label's column"
        )
    if predicted.shape != actual.shape or not np.isfinite(predicted).all():
        wrong = int((~np.isfinite(predicted)).sum())
        raise BadInput(
            f"candidate {name!r} predicts {len(predicted):,} values for {len(actual):,} rows, {wrong:,} of "
            "them not finite: a report takes one finite number a row"
        )


def _from_zero(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.append(0.0, np.cumsum(shares))
