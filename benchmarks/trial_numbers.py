"""Releases of a model of numbers, for `python -m benchmarks.trial --numbers`.

Customers of eight features; what each spends next is nothing for most, and has a long tail: the mean is a
product of powers of the features, the amount is gamma-distributed about it, and four in five buy nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.trial import POPULATION, RELEASE, Candidate
from mlops_core.adapters.trainer.sklearn import SklearnTrainer
from mlops_core.domain.candidates import GradientBoostingRegression, PoissonRegression, Ridge

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["RELEASE_OF_NUMBERS", "candidates"]

LEARNT = 20_000
RELEASE_OF_NUMBERS = RELEASE.model_copy(update={"name": "spend", "threshold": None})


def population(seed: int, rows: int) -> tuple[Floats, Floats]:
    """Rows of orders, amount, days since the last order and five others, and what is spent next."""
    drawn = np.random.default_rng(seed)
    hidden = drawn.normal(size=(rows, 3))
    orders = np.floor(np.exp(0.5 + 0.9 * hidden[:, 0])) + 1
    amount = orders * np.exp(3.2 + 0.6 * hidden[:, 1])
    last = np.exp(4.5 - 0.5 * hidden[:, 0] + 0.8 * hidden[:, 2])
    table = np.column_stack([orders, amount, last, drawn.lognormal(1.0, 0.5, size=(rows, 5))])
    mean = 3.0 * orders**0.6 * (amount / orders) ** 0.7 * (1 + last / 30) ** -0.8
    bought = drawn.random(rows) < 0.2
    return table, np.where(bought, drawn.gamma(1.5, mean / (1.5 * 0.2)), 0.0)


def candidates() -> tuple[Floats, list[Candidate], list[Candidate]]:
    """Scores of what serves (trees for amounts), good releases and bad ones, on one population."""
    trainer, trees = SklearnTrainer(), GradientBoostingRegression(loss="poisson")
    learnt, amounts = population(1, LEARNT)
    more, more_amounts = population(2, LEARNT // 12)
    table, _ = population(3, POPULATION)
    serving = trainer.fit(trees, learnt, amounts)
    scores = serving.predict(table)
    later = trainer.fit(trees, np.concatenate([learnt, more]), np.concatenate([amounts, more_amounts]))
    never = np.zeros(POPULATION, dtype=np.bool_)
    outlier = scores.copy()
    outlier[0] = 1e6

    def made(name: str, changed: Floats) -> Candidate:
        return Candidate(name, changed, never)

    good = [
        made("the same model", scores),
        made("a month more to learn from", later.predict(table)),
        made("log-linear instead of trees", trainer.fit(PoissonRegression(), learnt, amounts).predict(table)),
        made("linear instead of trees", trainer.fit(Ridge(), learnt, amounts).predict(table)),
        made("one customer at a million", outlier),
    ]
    bad = [
        made("twice as much", 2 * scores),
        made("ten times as much", 10 * scores),
        made("a tenth", scores / 10),
        made("cents for dollars", 100 * scores),
        made("the sign turned", -scores),
        made("ten times, and one customer at a million", np.maximum(10 * scores, outlier)),
        made("orders and amount swapped", serving.predict(table[:, [1, 0, *range(2, 8)]])),
        made("amount and days swapped", serving.predict(table[:, [0, 2, 1, *range(3, 8)]])),
        made("one number for everybody", np.full(POPULATION, scores.mean())),
    ]
    return scores, good, bad
