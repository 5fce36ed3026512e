"""The targets of this project itself: releases in a process, and on this machine."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from mlops_core.adapters.deployer.local import LocalDeployer
from mlops_core.adapters.deployer.memory import MemoryDeployer
from mlops_core.adapters.online_store.memory import MemoryOnlineStore
from mlops_core.adapters.trainer.memory import MemoryTrainer
from mlops_core.serving.app import create_app
from mlops_core.serving.follower import ReleaseFollower
from tests.deployer.release_server import ONE_ROW, asked

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_core.domain.release import Release

from tests.deployer.rig import Rig

__all__ = ["LocalRig", "MemoryRig"]


class MemoryRig(Rig):
    """One deployer: what it holds is gone with it."""

    target = "memory"
    is_fake = False

    def __init__(self) -> None:
        self._deployer = MemoryDeployer(MemoryTrainer())

    @property
    def deployer(self) -> MemoryDeployer:
        """The one there is."""
        return self._deployer

    def call(self, name: str, times: int) -> Counter[int]:
        """By the deployer itself."""
        return Counter(self._deployer.answering(name).version for _ in range(times))

    def tamper(self, release: Release) -> None:
        """As if its model had been exchanged."""
        self._deployer.damage(release)


class LocalRig(Rig):
    """Callers are those of a server that follows the state folder."""

    target = "local"
    is_fake = False

    def __init__(self, home: Path) -> None:
        self._home = home

    @property
    def deployer(self) -> LocalDeployer:
        """A new one on the same folder."""
        return LocalDeployer(home=self._home, trainer=MemoryTrainer())

    def call(self, name: str, times: int) -> Counter[int]:
        """A server that began just now."""
        follower = ReleaseFollower(name=name, source=self.deployer, store=MemoryOnlineStore())
        follower.refresh()
        app = create_app(follower=follower)
        found: Counter[int] = Counter()
        for _ in range(times):
            status, answer = asked(app, "POST", f"/v2/models/{name}/infer", ONE_ROW)
            assert status == 200, answer
            found[int(answer["model_version"])] += 1
        return found

    def tamper(self, release: Release) -> None:
        """A byte more."""
        with (self._home / release.uri / "model" / "model.json").open("ab") as stream:
            stream.write(b" ")
