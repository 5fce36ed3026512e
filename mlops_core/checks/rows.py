"""Are there rows enough to judge by, and can each be judged?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_core.checks.answer import answered

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_core.checks.judged import Judged
    from mlops_core.domain.gates import Check, GatePolicy

__all__ = ["enough_rows", "rarer_class"]


def enough_rows(policy: GatePolicy, judged: Judged) -> Check:
    """So many rows, and of binary labels so many of the rarer class, all with finite predictions."""
    rows, figures = len(judged.truth), {}
    good, counted, needed = rows >= policy.minimum_rows, "", ""
    if judged.task == "classification":
        rarer = rarer_class(judged.truth)
        good = good and rarer >= policy.minimum_per_class
        counted, needed = f", {rarer:,} of the rarer class", f" and {policy.minimum_per_class:,}"
        figures = {"rarer_class": rarer}
    sentence = f"{rows:,} evaluation rows{counted}; needed are {policy.minimum_rows:,}{needed}"
    lost = int(np.sum(~(np.isfinite(judged.truth) & np.isfinite(judged.challenger.scores))))
    if lost:
        sentence = f"{lost:,} of {rows:,} evaluation rows have a label or prediction that is not finite"
    return answered("enough rows", good and not lost, sentence, {"rows": rows, **figures, "not_finite": lost})


def rarer_class(truth: NDArray[np.float64]) -> int:
    """Rows of the rarer of two classes."""
    positives = int(np.sum(truth == 1))
    return min(positives, len(truth) - positives)
