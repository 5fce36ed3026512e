"""How far the scores of one model lie from those of another, on the same entities.

The population stability index over tenths of the range that both have: the sum of (share - reference share)
ln(share / reference share). A score counts to the two nearest grid points, by how near it is to each (linear
binning: M. P. Wand, "Fast computation of multivariate kernel estimators", 1994).

Not over deciles of the reference, as is usual where one model meets two populations. Most entities of a use
case like churn score within a few hundredths, so that deciles are thousandths wide: a new model that is
better, and a hundredth higher there, came to an index of 1.5 to 4. Nor over bins with hard edges, which many
equal scores cross together.

Predicted numbers have no common range: amounts have tails, and one of a million leaves all others in the
first tenth. They are looked at on a scale that is straight about the median and logarithmic far from it, on
both sides: arsinh((x - median) / interquartile range), both of all scores together (arsinh rather than a
logarithm, as numbers may be zero or negative: J. B. Burbidge, L. Magee, A. L. Robb, "Alternative
transformations to handle extreme values of the dependent variable", JASA 83, 1988).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_core.metrics.profiles import LEAST_SHARE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_core.domain.metrics import Task

    Floats = NDArray[np.float64]

__all__ = ["BINS", "shift", "shift_by_task"]

_TENTHS = 10

BINS = _TENTHS + 1
"""Grid points that scores count to."""


def shift(reference: Floats, scores: Floats) -> float:
    """The index of scores (n,) from the reference's (m,); 0 when they lie alike, and never negative."""
    low = min(reference.min(), scores.min())
    width = max(reference.max(), scores.max()) - low
    if width == 0:
        return 0.0
    then, now = (np.maximum(_shares((one - low) / width), LEAST_SHARE) for one in (reference, scores))
    return float(np.sum((now - then) * np.log(now / then)))


def shift_by_task(reference: Floats, scores: Floats, task: Task) -> float:
    """The index of probabilities, or of numbers on the scale that is theirs; of no unit either way."""
    if task == "classification":
        return shift(reference, scores)
    both = np.concatenate([reference, scores])
    low, middle, high = np.quantile(both, (0.25, 0.5, 0.75))
    spread = high - low or np.mean(np.abs(both - middle))  # most may be one number
    if spread == 0:
        return 0.0
    return shift(np.arcsinh((reference - middle) / spread), np.arcsinh((scores - middle) / spread))


def _shares(places: Floats) -> Floats:
    """Shares at the grid points, of places from 0 to 1."""
    scaled = places * _TENTHS
    below = np.minimum(scaled.astype(np.intp), _TENTHS - 1)
    above = scaled - below
    lower = np.bincount(below, 1 - above, BINS)
    upper = np.bincount(below + 1, above, BINS)
    return (lower + upper) / len(places)
