"""Engines that compute as the others do, in a workspace of their own, and can reach nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from mlops_core.ports import Engines, OfflineStore, Trainer
    from mlops_core.provenance import Code
    from mlops_core.workspace import Workspace

__all__ = ["Apart"]


class Apart:
    """What a stage needs to compute; what it could change the world by is not there."""

    def __init__(self, engines: Engines, workspace: Workspace) -> None:
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

    @property
    def online(self) -> NoReturn:
        """Out of reach."""
        raise NotImplementedError("a reproduction has no online store")

    @property
    def registry(self) -> NoReturn:
        """Out of reach."""
        raise NotImplementedError("a reproduction registers nothing")

    @property
    def ledger(self) -> NoReturn:
        """Out of reach."""
        raise NotImplementedError("a reproduction enters nothing")

    @property
    def actor(self) -> NoReturn:
        """Nobody: nothing is signed."""
        raise NotImplementedError("a reproduction signs nothing")

    @property
    def deployer(self) -> NoReturn:
        """Out of reach."""
        raise NotImplementedError("a reproduction serves nothing")

    @property
    def reporter(self) -> NoReturn:
        """Not needed."""
        raise NotImplementedError("a reproduction draws nothing")
