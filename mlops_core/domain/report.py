"""What a model report is drawn from: arrays in memory, not a value that travels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from mlops_core.domain.receipts import Interval

__all__ = ["ReportContent"]


@dataclass(frozen=True, kw_only=True)
class ReportContent:
    """Everything that a report shows, on the n rows of the evaluation snapshot.

    `scores` are the predictions of each candidate, `chosen` among them: probabilities, or numbers where
    `threshold` is None. `metrics` and `threshold` are the chosen one's; `validation` are the metrics by
    candidate that it was chosen by. `importances` are the falls in `importance_metric` when a feature is
    shuffled, as (mean, standard deviation). `facts` are (caption, value) pairs: what data, which window,
    which digests.
    """

    title: str
    chosen: str
    threshold: float | None
    labels: NDArray[np.float64]
    scores: Mapping[str, NDArray[np.float64]]
    metrics: Mapping[str, Interval]
    validation: Mapping[str, Mapping[str, float]]
    importances: Mapping[str, tuple[float, float]]
    importance_metric: str = "roc_auc"
    facts: Sequence[tuple[str, str]]
