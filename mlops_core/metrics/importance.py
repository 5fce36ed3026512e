"""Which features a fitted model leans on, by shuffling them one at a time.

Source: L. Breiman, "Random Forests", Machine Learning 45 (2001), section 10, with ROC AUC, or R² for numbers.
Features that say the same share their importance: each can stand in for the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from mlops_core.errors import BadInput
from mlops_core.metrics.figures import figure
from mlops_core.progress import told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mlops_core.domain.metrics import MetricName

__all__ = ["Predictor", "importances"]


class Predictor(Protocol):
    """What is needed of a model, such as any `mlops_core.ports.FittedModel`."""

    def predict(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability of the positive class, or a number, per row; shape (n, features) in, (n,) out."""


def importances(
    model: Predictor,
    rows: NDArray[np.float64],
    labels: NDArray[np.float64] | NDArray[np.int8],
    names: Sequence[str],
    *,
    metric: MetricName = "roc_auc",
    repeats: int = 3,
    sample: int = 5000,
    seed: int = 0,
) -> dict[str, tuple[float, float]]:
    """Fall in `metric` when a feature's column is shuffled: (mean, standard deviation) over `repeats`.

    Measured on at most `sample` rows, drawn without replacement. Features keep the order of `names`. Raises
    `BadInput` when names and columns differ in number, `DataError` when the sample has one class only.
    """
    if rows.ndim != 2 or rows.shape[1] != len(names):
        raise BadInput(f"there are {len(names)} feature names, but the rows have shape {rows.shape}")
    random = np.random.default_rng(seed)
    if len(rows) > sample:
        drawn = np.sort(random.choice(len(rows), sample, replace=False))
        rows, labels = rows[drawn], labels[drawn]
    whole = figure(metric, labels, model.predict(rows))
    found: dict[str, tuple[float, float]] = {}
    for column, name in enumerate(told(names, "shuffling one feature after another")):
        falls = [
            whole - figure(metric, labels, model.predict(_shuffled(rows, column, random)))
            for _ in range(repeats)
        ]
        found[name] = (float(np.mean(falls)), float(np.std(falls)))
    return found


def _shuffled(rows: NDArray[np.float64], column: int, random: np.random.Generator) -> NDArray[np.float64]:
    changed = rows.copy()
    changed[:, column] = random.permutation(rows[:, column])
    return changed
