"""What the plots draw, thinned: at most `POINTS` points, whatever the number of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from mlops_core.adapters.reporter.plot import Curve
from mlops_core.metrics import Ranking, Tally, measure

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["POINTS", "Ranked", "histogram"]

POINTS = 240


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate's scores in order: its curves, and its ROC AUC."""

    name: str
    scores: NDArray[np.float64]
    tally: Tally
    roc_auc: float

    @classmethod
    def of(cls, name: str, labels: NDArray[np.float64], scores: NDArray[np.float64]) -> Self:
        """Sort once; raises `DataError` when there is one class only."""
        ranking = Ranking.of(labels, scores)
        tally = ranking.tally()
        return cls(name, ranking.scores[ranking.ends], tally, measure("roc_auc", ranking, 0.5)(tally))

    def roc(self) -> Curve:
        """Share of negatives called positive, and of positives, at each cut."""
        negatives = self.tally.rows - self.tally.positives
        return _thin(_from_zero(negatives), _from_zero(self.tally.positives))

    def gains(self) -> Curve:
        """Share of rows taken, highest scores first, and of the positives among them."""
        return _thin(_from_zero(self.tally.rows), _from_zero(self.tally.positives))

    def precision_recall(self) -> Curve:
        """Recall and precision at each cut."""
        recall = self.tally.positives / self.tally.total_positives
        return _thin(recall, self.tally.positives / self.tally.rows)

    def rates_at(self, threshold: float) -> tuple[float, float, float]:
        """False positive rate, recall and precision (1 when nothing is called positive) at a threshold."""
        runs = int(np.searchsorted(-self.scores, -threshold, side="right"))
        positives, rows = (self.tally.positives[runs - 1], self.tally.rows[runs - 1]) if runs else (0.0, 0.0)
        negatives = self.tally.total - self.tally.total_positives
        precision = positives / rows if rows else 1.0
        return float((rows - positives) / negatives), float(positives / self.tally.total_positives), precision

    def found_in_first(self, share: float) -> float:
        """Share of the positives among the first `share` of rows; equal scores share theirs out evenly."""
        return float(np.interp(share, _from_zero(self.tally.rows), _from_zero(self.tally.positives)))


def histogram(scores: NDArray[np.float64], bins: int = 40) -> Curve:
    """The outline of a histogram on [0, 1]: share of the scores in each bin."""
    counts, edges = np.histogram(np.clip(scores, 0.0, 1.0), bins=bins, range=(0.0, 1.0))
    return Curve(np.repeat(edges, 2)[1:-1], np.repeat(counts / max(len(scores), 1), 2))


def _from_zero(cumulated: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.append(0.0, cumulated / cumulated[-1])


def _thin(x: NDArray[np.float64], y: NDArray[np.float64]) -> Curve:
    """About evenly spread along x, and along y where y only rises; first and last point stay."""
    if len(x) <= POINTS:
        return Curve(x, y)
    way = x + np.maximum.accumulate(y)
    wanted = np.searchsorted(way, np.linspace(way[0], way[-1], POINTS))
    kept = np.unique(np.concatenate(([0], wanted, [len(x) - 1])))[: POINTS + 2]
    return Curve(x[kept], y[kept])
