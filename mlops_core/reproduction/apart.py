"""Engines that compute as the others do, in a workspace of their own, and can reach nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops_core.ports import ComputingEngines, OfflineStore, Trainer
    from mlops_core.provenance import Code
    from mlops_core.workspace import Workspace

__all__ = ["Apart"]


class Apart:
    """`ComputingEngines` that find nothing that was made before, and keep nothing where it could be found."""

    def __init__(self, engines: ComputingEngines, workspace: Workspace) -> None:
        self._engines, self._workspace = engines, workspace

    @property
    def workspace(self) -> Workspace:
        """A folder of its own: nothing that was made before can be found in it."""
        return self._workspace

    @property
    def offline(self) -> OfflineStore:
        """Stateless, so it is the same."""
        return self._engines.offline

    @property
    def trainer(self) -> Trainer:
        """Stateless as well."""
        return self._engines.trainer

    @property
    def code(self) -> Code:
        """The code that runs now."""
        return self._engines.code
