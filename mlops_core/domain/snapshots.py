"""Which snapshots a model is fitted, chosen and judged on, so that no label leaks from one to the next.

Time runs left to right; each snapshot's label looks `horizon` ahead::

    fit … fit │ embargo … │ validation │ (purged) … │ evaluation │ … as_of
    └ labels closed by ──────▲                           ▲
      validation              └ labels closed by ─────────┘

- *evaluation* is the last snapshot whose label window had closed at `as_of`;
- training snapshots are those whose label windows had closed at the evaluation snapshot; later ones are
  purged because their labels reach into what is judged;
- *validation* is the last of these, *fit* those whose labels had closed by then, and the ones between, whose
  labels reach into validation, are *embargoed* from the choice of a candidate.

See M. Lopez de Prado, "Advances in Financial Machine Learning" (2018), chapter 7, on purging and embargo.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from mlops_core.domain.time import month_ends
from mlops_core.domain.value import Value
from mlops_core.errors import DataError

__all__ = ["Snapshots"]


class Snapshots(Value):
    """The instants of each part, ascending."""

    fit: tuple[datetime, ...]
    embargo: tuple[datetime, ...]
    validation: datetime
    evaluation: datetime

    @classmethod
    def monthly(cls, *, first: datetime, as_of: datetime, horizon: timedelta, history: int) -> Snapshots:
        """Month ends from the first event on, at most `history` months back from evaluation.

        Raises `DataError` when the events do not reach far enough for one fit snapshot.
        """
        closed = [instant for instant in month_ends(first, as_of) if instant + horizon <= as_of]
        if closed:
            evaluation = closed[-1]
            training = [instant for instant in closed if instant + horizon <= evaluation][-history:]
            fit = [instant for instant in training if instant + horizon <= training[-1]]
            if fit:
                embargo = tuple(instant for instant in training[:-1] if instant > fit[-1])
                return cls(fit=tuple(fit), embargo=embargo, validation=training[-1], evaluation=evaluation)
        raise DataError(
            f"too little history: events from {first:%Y-%m-%d}, as of {as_of:%Y-%m-%d}, leave no snapshot to "
            f"fit on. With labels that look {horizon.days} days ahead, fit, validation and evaluation need "
            f"about {3 * horizon.days + 31} days: give more history, a later as-of date or a shorter horizon."
        )

    @property
    def all(self) -> tuple[datetime, ...]:
        """Every instant, ascending."""
        return (*self.fit, *self.embargo, self.validation, self.evaluation)
