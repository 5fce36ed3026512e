"""Rows in the order of their scores, sorted once and counted as often as needed.

Every figure on a ranking is a function of two cumulated counts at the ends of its runs of equal scores:
positives and rows so far. A bootstrap resample changes only how often each row counts, so it needs no new
sort: one gather and two cumulative sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from mlops_core.metrics.inputs import checked_labels, checked_scores, checked_weights

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Ranking", "Tally"]


@dataclass(frozen=True, slots=True)
class Tally:
    """A ranking with each of its n rows counted some number of times.

    `counts` (n,) are in rank order; `positives` and `rows` (k,) are cumulated to the end of each of the k
    runs of equal scores. Floats that hold whole numbers, so sums of them are exact below 2**53.
    """

    counts: NDArray[np.float64]
    positives: NDArray[np.float64]
    rows: NDArray[np.float64]

    @property
    def total(self) -> float:
        """Rows in all, as counted."""
        return float(self.rows[-1])

    @property
    def total_positives(self) -> float:
        """Positive rows in all, as counted."""
        return float(self.positives[-1])

    def average(self, values: NDArray[np.float64]) -> float:
        """Mean of a value per row (n,) in rank order, as counted."""
        # Not a dot product: BLAS would make its last bits depend on the number of threads.
        return float(np.sum(self.counts * values)) / self.total


@dataclass(frozen=True, slots=True)
class Ranking:
    """n rows by falling score: `order` (n,) takes rows as given there, `labels` and `scores` are there.

    `ends` (k,) is the last position of each of the k runs of equal scores.
    """

    order: NDArray[np.intp]
    labels: NDArray[np.float64]
    scores: NDArray[np.float64]
    ends: NDArray[np.intp]

    @classmethod
    def of(cls, labels: ArrayLike, scores: ArrayLike) -> Self:
        """Sort; raises `BadInput` for labels that are not 0 or 1 and scores that are not finite."""
        truth = checked_labels(labels)
        given = checked_scores(scores, len(truth))
        order = np.argsort(-given, kind="stable")
        ranked = given[order]
        ends = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1)
        return cls(order, truth[order], ranked, ends)

    def tally(self, weights: ArrayLike | None = None) -> Tally:
        """Count each row once, or as often as its weight (n,) says, given in the rows' own order."""
        if weights is None:
            return self.counted(np.ones(len(self.order)))
        return self.counted(checked_weights(weights, len(self.order)))

    def counted(self, counts: NDArray[np.float64]) -> Tally:
        """`tally` for counts that are known to be good."""
        ranked = counts[self.order]
        positives = np.cumsum(ranked * self.labels)
        rows = np.cumsum(ranked)
        if len(self.ends) < len(ranked):
            positives, rows = positives[self.ends], rows[self.ends]
        return Tally(ranked, positives, rows)
