"""What the gate looks at: two models on the same rows, and what they were trained on. Arrays, no engines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from mlops_core.domain.metrics import Task
    from mlops_core.domain.profiles import FeatureProfile
    from mlops_core.domain.receipts import Interval

__all__ = ["Champion", "Judged", "Predictions"]


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """A model's predictions (n,): probabilities of the positive class, or numbers.

    `threshold` is the score from which a row is called positive.
    """

    scores: NDArray[np.float64]
    threshold: float = 0.5


@dataclass(frozen=True, kw_only=True)
class Champion:
    """The version in Production: its predictions on the same rows, and how its training rows lay.

    `predictions` is None when it cannot be compared with, and `obstacle` says why.
    """

    number: int
    profile: FeatureProfile
    predictions: Predictions | None = None
    obstacle: str = ""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A challenger on the n rows of the evaluation snapshot.

    `truth` (n,) are labels, 0 and 1 or numbers; `rows` the feature columns of the same n rows, for slices;
    `training` the feature columns of the challenger's training rows, for drift. `intervals` are its metrics.
    `latency_ms` is the median time of one prediction, `size_mb` that of its files.
    """

    task: Task
    truth: NDArray[np.float64]
    challenger: Predictions
    champion: Champion | None
    rows: pa.Table
    training: pa.Table
    intervals: Mapping[str, Interval]
    latency_ms: float
    size_mb: float
