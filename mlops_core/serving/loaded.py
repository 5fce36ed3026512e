"""A release that is loaded already, for a server that serves nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops_core.domain.release import Release
    from mlops_core.ports import FittedModel

__all__ = ["SELDOM", "Loaded"]

SELDOM = 3600.0  # seconds between two looks for another release: there is none


@dataclass(frozen=True)
class Loaded:
    """One release and its model: a `ReleaseSource` that holds nothing else, ever."""

    release: Release
    model: FittedModel

    def signature(self, name: str) -> object:
        """See `ReleaseSource.signature`."""
        return name, self.release.digest

    def current(self, name: str) -> Release | None:  # noqa: ARG002 - it has one
        """See `ReleaseSource.current`."""
        return self.release

    def load(self, release: Release) -> FittedModel:  # noqa: ARG002 - it has one
        """See `ReleaseSource.load`: it was proved before it came here."""
        return self.model
