"""Predictions of two models whose quality is known exactly, for `benchmarks.gates`.

*Classification*: 14 % of rows are of the rarer class, as in churn. Scores are binormal, with an area under
the ROC curve of 0.84 for the champion, made probabilities by Bayes' rule, so that both models are calibrated.
Within a class their scores correlate by 0.95; two fits of the bundled churn data on different samples have
0.89 to 0.99. A gain is one of area.

*Regression*: what no model can predict has variance 1 and Student's t distribution with 5 degrees of freedom,
for heavy tails. Each model adds an error of its own, of variance 0.05 for the champion; the two correlate by
0.9. A gain is one of mean squared error, in shares of the champion's.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["CHAMPIONS_ERROR", "Drawn", "classification", "regression"]

PREVALENCE, AREA, LIKENESS = 0.14, 0.84, 0.95
OWN_VARIANCE, OWN_LIKENESS, DEGREES = 0.05, 0.9, 5
CHAMPIONS_ERROR = 1.0 + OWN_VARIANCE


class Drawn(NamedTuple):
    """Rows (n,) with what both models predict for them."""

    truth: Floats
    challenger: Floats
    champion: Floats


def classification(random: np.random.Generator, rows: int, gains: Sequence[float]) -> Iterator[Drawn]:
    """The same rows and champion once for each gain of the challenger."""
    truth = (random.random(rows) < PREVALENCE).astype(np.float64)
    mine, theirs = _alike(random, rows, LIKENESS)
    champion = _probabilities(truth, theirs, AREA)
    for gain in gains:
        yield Drawn(truth, _probabilities(truth, mine, AREA + gain), champion)


def regression(random: np.random.Generator, rows: int, gains: Sequence[float]) -> Iterator[Drawn]:
    """As `classification`; gains are at most 0.047, the champion's own share of its error."""
    signal = random.normal(size=rows)
    truth = signal + random.standard_t(DEGREES, rows) / math.sqrt(DEGREES / (DEGREES - 2))
    mine, theirs = _alike(random, rows, OWN_LIKENESS)
    champion = signal + math.sqrt(OWN_VARIANCE) * theirs
    for gain in gains:
        variance = OWN_VARIANCE - gain * CHAMPIONS_ERROR
        yield Drawn(truth, signal + math.sqrt(variance) * mine, champion)


def _alike(random: np.random.Generator, rows: int, likeness: float) -> tuple[Floats, Floats]:
    """Two standard normal columns with this correlation."""
    shared, one, other = random.normal(size=(3, rows))
    common, own = math.sqrt(likeness) * shared, math.sqrt(1.0 - likeness)
    return common + own * one, common + own * other


def _probabilities(truth: Floats, noise: Floats, area: float) -> Floats:
    """Of class 1, given scores that are standard normal around 0, and around `apart` in class 1."""
    apart = math.sqrt(2.0) * NormalDist().inv_cdf(area)
    odds = math.log(PREVALENCE / (1.0 - PREVALENCE)) + apart * (truth * apart + noise) - apart * apart / 2.0
    return np.asarray(1.0 / (1.0 + np.exp(-odds)))
