"""How the label would come out, on the training snapshots alone: the evaluation's are for the gate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_core.domain.snapshots import Snapshots
from mlops_core.domain.time import close_of_day, days
from mlops_core.errors import BadInput, DataError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    import pyarrow as pa

    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import OfflineStore

__all__ = ["HORIZONS", "Preview", "horizons_that_fit", "previewed", "snapshots_for"]

HORIZONS = (90, 60, 30, 14, 7, 3, 1)
"""Days that are tried, the longest first."""


@dataclass(frozen=True)
class Preview:
    """Rows, and the label's mean (for churn: the share of positives) at the training snapshots.

    `deviation` is its standard deviation, `one_value` whether all labels are the same. `evaluation_rows` are
    those that the gate will judge on; their labels were not looked at.
    """

    snapshots: Snapshots
    rows: int
    mean: float
    zeros: float
    evaluation_rows: int
    deviation: float = 0.0
    one_value: bool = True


def snapshots_for(bounds: tuple[datetime, datetime], horizon: int, history: int = 24) -> Snapshots | None:
    """The snapshots that events between two instants leave; None when they do not reach far enough."""
    first, last = bounds
    try:
        return Snapshots.monthly(
            first=first, as_of=close_of_day(last), horizon=days(horizon), history=history
        )
    except DataError:
        return None


def horizons_that_fit(bounds: tuple[datetime, datetime]) -> dict[int, int]:
    """Of the horizons that are tried, those that leave a snapshot to fit on, and how many; longest first."""
    found = {one: snapshots_for(bounds, one) for one in HORIZONS}
    return {one: len(snapshots.fit) for one, snapshots in found.items() if snapshots is not None}


def previewed(
    use_case: UseCase, offline: OfflineStore, events: Path, bounds: tuple[datetime, datetime]
) -> Preview:
    """Ask the offline store, as training will. `events` are canonical. Raises `BadInput`."""
    snapshots = snapshots_for(bounds, use_case.label.horizon.days, use_case.spine.history)
    if snapshots is None:
        raise BadInput(too_long(use_case.label.horizon.days, bounds))
    training = [*snapshots.fit, *snapshots.embargo, snapshots.validation]
    spine = offline.spine(use_case, events, training)
    judged = offline.spine(use_case, events, [snapshots.evaluation]).num_rows
    labels: pa.ChunkedArray = offline.labels(use_case, events, spine).column(use_case.label.name)
    if not len(labels):
        return Preview(snapshots, 0, 0.0, 0.0, judged)
    numbers = labels.to_numpy().astype(float)
    return Preview(
        snapshots,
        len(labels),
        mean=float(numbers.mean()),
        zeros=float((numbers == 0).mean()),
        evaluation_rows=judged,
        deviation=float(numbers.std()),
        one_value=bool(numbers.min() == numbers.max()),
    )


def too_long(horizon: int, bounds: tuple[datetime, datetime]) -> str:
    """Why no snapshot is left, and what would fit."""
    first, last = bounds
    fit = horizons_that_fit(bounds)
    hint = f"--horizon {max(fit)} would fit" if fit else "no horizon fits: give a longer history"
    return (
        f"--horizon {horizon}: labels that look {horizon} days ahead need about {3 * horizon + 31} days of "
        f"events for a snapshot each to fit, choose and judge on, but {first:%Y-%m-%d} to {last:%Y-%m-%d} is "
        f"{(last - first).days} days: {hint}"
    )
