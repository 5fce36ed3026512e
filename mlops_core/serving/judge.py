"""Whether a release on trial may go on answering callers: its figures in, a sentence out when it may not.

Errors count against it when what serves answered the same request. Latency is decided as soon as nothing that
comes could mend it: 2 slow requests are more than 1 in 100 of the first 100, whatever the other 98 take.

Scores are compared by the population stability index (see `mlops_core.metrics.shift`) of one row a request:
rows of one request are no sample of what callers ask. Of k bins, samples of n and m scores of one and the
same model come to an index of about (k - 1)(1/n + 1/m), give or take sqrt(2(k - 1))(1/n + 1/m) (B. Yurdakul,
"Statistical Properties of Population Stability Index", 2018). So much and three times the latter is allowed
beyond the bound, since it is looked at again and again while they come.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mlops_core.metrics.shift import BINS, shift_by_task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_core.domain.metrics import Task
    from mlops_core.domain.traffic import Bounds

    Floats = NDArray[np.float64]

__all__ = ["Figures", "by_chance", "index", "judged", "too_slow"]

_DEVIATIONS = 3.0
_SLOWEST = 0.01  # the 99th percentile is beyond a bound when more than 1 in 100 is
_DISTINCT = 20  # scores of fewer different requests say nothing of a population
_NONE = np.empty(0)


@dataclass(frozen=True)
class Figures:
    """What the last requests of a trial came to, `requests` of them.

    `errors` failed, `in_a_row` of them one after the other up to now; `slow` took longer than the bound or do
    so right now. `scores` are those of the release on trial, `reference` those of what serves; `task` says
    whether they are probabilities or numbers.
    """

    requests: int = 0
    errors: int = 0
    in_a_row: int = 0
    slow: int = 0
    scores: Floats = field(default_factory=lambda: _NONE)
    reference: Floats = field(default_factory=lambda: _NONE)
    task: Task = "classification"


def judged(figures: Figures, bounds: Bounds) -> str | None:
    """Why it may not go on; None while it may. Without scores these are not looked at."""
    return _failing(figures, bounds) or _slow(figures, bounds) or _shifted(figures, bounds)


def too_slow(slow: int, requests: int, bounds: Bounds) -> bool:
    """Whether so many slow requests are too many, by now or for certain once there are `Bounds.fewest`."""
    return bounds.latency_ms is not None and slow > _SLOWEST * max(requests, bounds.fewest)


def index(figures: Figures, bounds: Bounds) -> float | None:
    """How far scores moved; None while there are too few of them."""
    few = min(len(figures.scores), len(figures.reference))
    if few < bounds.fewest or len(np.unique(figures.reference)) < _DISTINCT:
        return None
    return shift_by_task(figures.reference, figures.scores, figures.task)


def by_chance(scores: int, reference: int) -> float:
    """What the index of so many scores is at most when nothing changed."""
    return (BINS - 1 + _DEVIATIONS * math.sqrt(2 * (BINS - 1))) * (1 / scores + 1 / reference)


def _failing(figures: Figures, bounds: Bounds) -> str | None:
    if bounds.error_rate is None:
        return None
    if figures.in_a_row >= bounds.failures:
        return f"{figures.in_a_row} of its requests in a row failed"
    if figures.requests < bounds.fewest or figures.errors <= bounds.error_rate * figures.requests:
        return None
    return (
        f"{figures.errors} of its last {figures.requests:,} requests failed, "
        f"more than {bounds.error_rate:.3g} of them"
    )


def _slow(figures: Figures, bounds: Bounds) -> str | None:
    if not too_slow(figures.slow, figures.requests, bounds):
        return None
    among = max(figures.requests, bounds.fewest)
    return (
        f"{figures.slow} of its last {figures.requests:,} requests took more than {bounds.latency_ms:g} ms: "
        f"that is more than 1 in 100 of {among:,}"
    )


def _shifted(figures: Figures, bounds: Bounds) -> str | None:
    moved = index(figures, bounds) if bounds.shift is not None else None
    if moved is None or bounds.shift is None:
        return None
    chance = by_chance(len(figures.scores), len(figures.reference))
    if moved <= bounds.shift + chance:
        return None
    mean_then, mean_now = (_told(one, figures.task) for one in (figures.reference, figures.scores))
    return (
        f"its scores moved from those of what serves by a population stability index of {moved:.2f} over "
        f"{len(figures.scores):,} requests, in the mean from {mean_then} to {mean_now}: more than "
        f"{bounds.shift:g} and the {chance:.2f} that chance may make of so few"
    )


def _told(scores: Floats, task: Task) -> str:
    """Their mean: of numbers six digits, wherever the point is."""
    mean = float(scores.mean())
    return f"{mean:.3f}" if task == "classification" else f"{mean:,.6g}"
