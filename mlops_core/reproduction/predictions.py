"""How far the reproduced model's probabilities lie from those of the registered one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.reproduction.reproduction import Moved
from mlops_core.stages.matrix import matrix, read_splits

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlops_core.domain.release import Probes
    from mlops_core.ports import FittedModel

__all__ = ["moved", "probes_missed_by"]


def probes_missed_by(model: FittedModel, probes: Probes) -> float:
    """The largest absolute difference from what the probes expect."""
    import numpy as np

    rows = np.array(probes.rows, dtype=np.float64)  # None becomes NaN
    return float(np.max(np.abs(model.predict(rows) - np.array(probes.expected)), initial=0.0))


def moved(
    registered: FittedModel,
    reproduced: FittedModel,
    thresholds: tuple[float, float],
    file: Path,
    names: Sequence[str],
) -> Moved:
    """Both models on the evaluation rows of the training set in `file`, whose features are `names`."""
    import numpy as np

    rows = matrix(read_splits(file, "evaluation"), names)
    then, now = registered.predict(rows), reproduced.predict(rows)
    apart = np.abs(then - now)
    calls = (then >= thresholds[0]) != (now >= thresholds[1])
    return Moved(
        rows=len(rows),
        largest=float(np.max(apart)),
        mean=float(np.mean(apart)),
        calls_changed=int(calls.sum()),
    )
