"""How far the reproduced model's predictions lie from those of the registered one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.reproduction.reproduction import Moved
from mlops_core.stages.matrix import matrix, read_splits

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlops_core.domain.release import Probes
    from mlops_core.ports import FittedModel

__all__ = ["Thresholds", "moved", "probes_missed_by", "scale_of"]

Thresholds = tuple[float | None, float | None]
"""Those of the registered and of the reproduced model; None for models of a number."""


def probes_missed_by(model: FittedModel, probes: Probes) -> float:
    """The largest absolute difference from what the probes expect."""
    import numpy as np

    rows = np.array(probes.rows, dtype=np.float64)  # None becomes NaN
    return float(np.max(np.abs(model.predict(rows) - np.array(probes.expected)), initial=0.0))


def scale_of(probes: Probes, thresholds: Thresholds) -> float:
    """What differences are measured by: 1 for probabilities, for numbers the greatest that is expected.

    A sum of floats is wrong by a share of its terms, so one tolerance for cents and for millions is none.
    """
    if None not in thresholds:
        return 1.0
    return max(map(abs, probes.expected), default=0.0) or 1.0


def moved(
    registered: FittedModel,
    reproduced: FittedModel,
    thresholds: Thresholds,
    file: Path,
    names: Sequence[str],
) -> Moved:
    """Both models on the evaluation rows of the training set in `file`, whose features are `names`."""
    import numpy as np

    rows = matrix(read_splits(file, "evaluation"), names)
    then, now = registered.predict(rows), reproduced.predict(rows)
    apart = np.abs(then - now)
    calls = None
    if thresholds[0] is not None and thresholds[1] is not None:
        calls = int(((then >= thresholds[0]) != (now >= thresholds[1])).sum())
    return Moved(
        rows=len(rows),
        largest=float(np.max(apart)),
        mean=float(np.mean(apart)),
        calls_changed=calls,
    )
