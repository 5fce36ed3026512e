"""Two correlated ROC curves: is one area surely larger?

Source: E. DeLong, D. DeLong, D. Clarke-Pearson, "Comparing the Areas under Two or More Correlated Receiver
Operating Characteristic Curves: A Nonparametric Approach", Biometrics 44 (1988). The structural component of
a positive is the share of negatives below it, ties as half, and of a negative the share of positives above
it; the areas are their means, and the variance of a difference of areas follows from those of the
differences of components. They are found by sorting, as in X. Sun, W. Xu, "Fast Implementation of DeLong's
Algorithm", IEEE Signal Processing Letters 21 (2014): O(n log n) instead of one step a pair.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["components", "standard_error"]


def components(labels: Floats, scores: Floats) -> tuple[Floats, Floats]:
    """Structural components of the positives and of the negatives, in the order of their rows."""
    positives, negatives = scores[labels == 1], scores[labels != 1]
    return _below(positives, negatives), 1.0 - _below(negatives, positives)


def standard_error(labels: Floats, challenger: Floats, champion: Floats) -> float:
    """Of the difference of the two areas; NaN where a class has fewer than two rows."""
    variance = 0.0
    both = (components(labels, scores) for scores in (challenger, champion))
    for ours, theirs in zip(*both, strict=True):
        apart = ours - theirs
        if len(apart) < 2:
            return float("nan")
        variance += float(np.var(apart, ddof=1)) / len(apart)
    return math.sqrt(variance)


def _below(values: Floats, others: Floats) -> Floats:
    """For each value, the share of the others below it, ties as half."""
    ranked = np.sort(others)
    sides = np.searchsorted(ranked, values, "left") + np.searchsorted(ranked, values, "right")
    return np.asarray(sides / (2.0 * len(others)))
