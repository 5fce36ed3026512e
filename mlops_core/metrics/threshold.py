"""Where to cut probabilities into yes and no."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_core.metrics.ranking import Ranking

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["best_threshold"]


def best_threshold(labels: ArrayLike, scores: ArrayLike) -> float:
    """The threshold of greatest accuracy, when scores of at least that are called positive.

    Accuracy changes at scores only, so one threshold stands for each gap between neighbouring scores: 0.5
    where it lies in the gap, else the gap's middle; beyond the ends, half-way to 0 and to 1. Of equally
    accurate ones the nearest to 0.5 is taken, of two at the same distance the lower.
    """
    ranking = Ranking.of(labels, scores)
    tally = ranking.tally()
    # Cutting above the first run, then after each: true positives gained minus false positives gained.
    gained = np.concatenate(([0.0], 2.0 * tally.positives - tally.rows))
    runs = ranking.scores[ranking.ends]
    upper = np.concatenate(([max(1.0, runs[0])], runs))
    lower = np.append(runs, min(0.0, runs[-1]))
    # A threshold lies above the lower score and reaches the upper one, but at the ends it may pass them.
    cuts = np.maximum((lower + upper) / 2.0, np.nextafter(lower, np.inf))
    cuts[-1] = min(cuts[-1], upper[-1])
    cuts[(lower < 0.5) & (upper >= 0.5)] = 0.5
    best = cuts[gained == gained.max()]
    return float(min(best, key=lambda cut: (abs(cut - 0.5), cut)))
