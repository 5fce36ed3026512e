"""Do probabilities mean what they say: ten bins of equal count, and the gap in each.

A run of equal scores goes into one bin, by the middle of its ranks: counted from the highest score, a run
that covers ranks (a, b] of W rows lies in bin floor(10 (a + b) / 2 W). So bins hold equal counts up to ties,
no row is split, and counting a row twice is the same as having it twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlops_core.metrics.ranking import Ranking, Tally

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["BINS", "CalibrationBins", "bias", "bin_ends", "calibration_bins", "gap"]

BINS = 10


@dataclass(frozen=True, slots=True)
class CalibrationBins:
    """Bins that are not empty, by rising score: mean score, share of positives and number of rows in each."""

    score: NDArray[np.float64]
    share: NDArray[np.float64]
    rows: NDArray[np.float64]


def bin_ends(tally: Tally) -> NDArray[np.intp]:
    """Number of runs before the end of each bin, highest scores first; shape (BINS,), rising."""
    doubled = tally.rows.copy()
    doubled[1:] += tally.rows[:-1]
    # Whole numbers on both sides, so a run on an edge always falls the same way.
    edges = np.arange(1, BINS) * (2.0 * tally.total)
    return np.append(np.searchsorted(BINS * doubled, edges), len(doubled))


def gap(ranking: Ranking, tally: Tally, excess: NDArray[np.float64]) -> float:
    """Expected calibration error: the bins' |mean score - share of positives|, averaged by their rows.

    `excess` (n,) is score minus label in rank order. Source: M. P. Naeini, G. Cooper, M. Hauskrecht,
    "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI 2015, with bins of equal count.
    """
    rows = _row_ends(ranking, bin_ends(tally))
    upto = np.concatenate(([0.0], np.cumsum(tally.counts * excess)))[rows]
    return float(np.sum(np.abs(np.diff(upto, prepend=0.0)))) / tally.total


def calibration_bins(labels: ArrayLike, scores: ArrayLike) -> CalibrationBins:
    """The bins that `calibration_error` is the average of."""
    ranking = Ranking.of(labels, scores)
    ends = _row_ends(ranking, bin_ends(ranking.tally()))
    starts = np.concatenate(([0], ends[:-1]))
    rows = (ends - starts)[::-1]
    score, share = (_sums(values, starts, ends)[::-1] for values in (ranking.scores, ranking.labels))
    filled = rows > 0
    counts = rows[filled].astype(np.float64)
    return CalibrationBins(score[filled] / counts, share[filled] / counts, counts)


def bias(truth: ArrayLike, scores: ArrayLike) -> float:
    """How far predicted numbers lie from the truth on average, in (population) standard deviations of it.

    NaN when a value is not finite, or when the truth is constant and they lie elsewhere.
    """
    known, given = np.asarray(truth, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    if not (np.isfinite(known).all() and np.isfinite(given).all()):
        return float("nan")
    apart, spread = abs(float(given.mean() - known.mean())), float(known.std())
    if spread == 0.0:
        return 0.0 if apart == 0.0 else float("nan")
    return apart / spread


def _row_ends(ranking: Ranking, runs: NDArray[np.intp]) -> NDArray[np.intp]:
    return np.concatenate(([0], ranking.ends + 1))[runs]


def _sums(
    values: NDArray[np.float64], starts: NDArray[np.intp], ends: NDArray[np.intp]
) -> NDArray[np.float64]:
    return np.array([values[start:end].sum() for start, end in zip(starts, ends, strict=True)])
