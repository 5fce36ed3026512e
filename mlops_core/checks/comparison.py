"""Is the challenger better than the champion, or no worse, on the same rows?

Both are answered by a paired estimate of the gain and the lower end of its one-sided confidence interval
(`mlops_core.metrics.paired_gain`), so that a lucky draw of rows is no reason to change:

* superiority: the lower end lies above zero, and the gain itself reaches the smallest effect that counts;
* non-inferiority: the lower end lies above minus the margin (FDA, "Non-Inferiority Clinical Trials", 2016).

A gain that has no value, or is not finite, passes neither.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from mlops_core.checks.answer import answered, told
from mlops_core.domain.gates import NonInferiority, Superiority
from mlops_core.errors import MlopsError
from mlops_core.metrics import paired_gain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_core.checks.judged import Judged, Predictions
    from mlops_core.domain.gates import Check

__all__ = ["Pair", "compared"]


@dataclass(frozen=True)
class Pair:
    """Two models' predictions (n,) on the same rows; `number` is the champion's version."""

    truth: NDArray[np.float64]
    challenger: Predictions
    champion: Predictions
    number: int

    @classmethod
    def of(cls, judged: Judged) -> Self | None:
        """None when there is no champion, or none that can be compared with."""
        champion = judged.champion
        if champion is None or champion.predictions is None:
            return None
        return cls(judged.truth, judged.challenger, champion.predictions, champion.number)

    def within(self, mask: NDArray[np.bool_]) -> Self:
        """Some of the rows."""
        mine, theirs = (replace(one, scores=one.scores[mask]) for one in (self.challenger, self.champion))
        return replace(self, truth=self.truth[mask], challenger=mine, champion=theirs)

    @property
    def strange(self) -> str:
        """Says that a prediction is not finite; empty when all are."""
        who = {
            "the challenger": self.challenger.scores,
            f"version {self.number} in Production": self.champion.scores,
        }
        for name, scores in who.items():
            lost = int(np.sum(~np.isfinite(scores)))
            if lost:
                return f"{name} predicts something that is not finite for {lost:,} of {len(scores):,} rows"
        return ""

    @property
    def thresholds(self) -> tuple[float, float]:
        """From which score on a row is called positive, by each."""
        return self.challenger.threshold, self.champion.threshold


def compared(
    name: str,
    metric: str,
    wanted: Superiority | NonInferiority,
    pair: Pair,
    confidence: float,
    **about_rows: float,
) -> Check:
    """One paired comparison, with figures `about_rows` beside it. What cannot be computed fails."""
    lead = f"{metric} cannot be compared with version {pair.number} in Production"
    if pair.strange:
        return answered(name, False, f"{lead}: {pair.strange}", about_rows)
    try:
        gain = paired_gain(
            metric,
            pair.truth,
            pair.challenger.scores,
            pair.champion.scores,
            thresholds=pair.thresholds,
            confidence=confidence,
        )
    except MlopsError as error:
        return answered(name, False, f"{lead}: {error}", about_rows)
    low = min(gain.low, gain.value)  # a bootstrap's bound may lie above what it is the lower bound of
    figures = {**about_rows, "gain": gain.value, "low": low}
    if not (math.isfinite(gain.value) and math.isfinite(gain.low)):
        sentence = f"{lead} on {len(pair.truth):,} rows: the gain is {gain.value}, at worst {gain.low}"
        return answered(name, False, sentence, {**figures, "low": gain.low})
    good, verdict, bound = _verdict(wanted, gain.value, low)
    told_apart = f"{_lead(metric, gain.value, low, pair)}{_worst(gain.value, low, confidence)}"
    rows = f"on the same {len(pair.truth):,} rows ({gain.method})"
    return answered(name, good, f"{told_apart}, {rows}: {verdict}", {**figures, **bound})


def _verdict(
    wanted: Superiority | NonInferiority, value: float, low: float
) -> tuple[bool, str, dict[str, float]]:
    if isinstance(wanted, NonInferiority):
        good = low > -wanted.margin
        verdict = "not worse by {:g}, as wanted" if good else "perhaps worse by {:g} or more"
        return good, verdict.format(wanted.margin), {"margin": wanted.margin}
    least = wanted.smallest_effect
    bound = {"smallest_effect": least}
    if not low > 0:
        return False, "not surely better, as is wanted", bound
    if not value >= least:
        return False, f"better, but by less than the {least:g} that count", bound
    return True, "better, as wanted", bound


def _lead(metric: str, value: float, low: float, pair: Pair) -> str:
    """Such as "roc_auc is better than version 2 in Production by 0.0031"."""
    who = f"version {pair.number} in Production"
    if value:
        return f"{metric} is {'better' if value > 0 else 'worse'} than {who} by {told(abs(value), abs(low))}"
    if np.array_equal(pair.challenger.scores, pair.champion.scores):
        return f"it predicts just what {who} does, so {metric} is the same"
    return f"{metric} is the same as of {who}"


def _worst(value: float, low: float, confidence: float) -> str:
    """Such as ", at 95% confidence by at least 0.0004"."""
    if not low:
        return ""
    how = "by at least" if low > 0 else "by at most" if value < 0 else "perhaps worse by"
    return f", at {confidence:.0%} confidence {how} {told(abs(low), abs(value))}"
