"""A platform in this process: the smallest thing that keeps the contract of `Platform`. A fake.

It runs the server of each release it is told of, and sends every so many requests to the one on trial.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from mlops_core.adapters.deployer.platform import Placed, Seen, Trial
from mlops_core.adapters.deployer.published import PublishedReleases
from mlops_core.adapters.deployer.remote import RemoteDeployer
from mlops_core.adapters.trainer.memory import MemoryTrainer
from mlops_core.errors import BadInput, MlopsError, Unavailable
from tests.deployer.release_server import ONE_ROW, ReleaseServer
from tests.deployer.rig import Fault, Killed, Rig

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from mlops_core.domain.release import Release

__all__ = ["MemoryPlatform", "MemoryPlatformRig"]


class MemoryPlatform:
    """What is known of each name is in `names`; `failing` is raised by every call while it is set."""

    target = "memory platform"

    def __init__(self) -> None:
        self.names: dict[str, Seen] = {}
        self.failing: MlopsError | None = None
        self.lives: int | None = None
        self.liar: Placed | None = None

    def serve(self, placed: Placed) -> None:
        """See `Platform.serve`."""
        self._step()
        ReleaseServer(placed.environment)
        self._step()
        self.names[placed.name] = Seen(state="ready", serving=placed)

    def share(self, trial: Trial) -> None:
        """See `Platform.share`."""
        self._step()
        ReleaseServer(trial.placed.environment)
        self._step()
        name = trial.placed.name
        self.names[name] = self.names[name].model_copy(update={"trial": trial})

    def withdraw(self, name: str) -> None:
        """See `Platform.withdraw`."""
        self._step()
        if name in self.names:
            self.names[name] = self.names[name].model_copy(update={"trial": None})

    def seen(self, name: str) -> Seen:
        """See `Platform.seen`."""
        self._step()
        return self.names.get(name, Seen())

    def ask(self, placed: Placed, request: Mapping[str, Any]) -> dict[str, Any]:
        """See `Platform.ask`."""
        self._step()
        answer: dict[str, Any] = ReleaseServer(placed.environment).infer(request)[1]
        if self.liar is not None and (self.liar.version, self.liar.digest) == (placed.version, placed.digest):
            answer["outputs"][0]["data"] = [0.123 for _ in answer["outputs"][0]["data"]]
        return answer

    def _step(self) -> None:
        if self.failing is not None:
            raise self.failing
        if self.lives is not None:
            self.lives -= 1
            if self.lives < 0:
                raise Killed


class MemoryPlatformRig(Rig):
    """`RemoteDeployer` on that platform, releases published in a folder."""

    target = "memory platform"

    def __init__(self, folder: Path) -> None:
        self.platform = MemoryPlatform()
        self._url = f"file://{folder}"

    @property
    def deployer(self) -> RemoteDeployer:
        """A new one on the same platform."""
        return RemoteDeployer(self.platform, PublishedReleases(self._url, MemoryTrainer()))

    def call(self, name: str, times: int) -> Counter[int]:
        """Every hundred requests, the share's number goes to the trial."""
        seen = self.platform.names[name]
        assert seen.serving is not None
        serving = ReleaseServer(seen.serving.environment)
        trial = seen.trial if seen.trial and not seen.trial.shadow else None
        beside = ReleaseServer(trial.placed.environment) if trial else None
        found: Counter[int] = Counter()
        for number in range(times):
            to_trial = trial is not None and number * 37 % 100 < trial.percent
            status, answer = (beside if to_trial and beside else serving).infer(ONE_ROW)
            assert status == 200, answer
            found[int(answer["model_version"])] += 1
        return found

    def tamper(self, release: Release) -> None:
        """A byte more."""
        from urllib.parse import urlparse

        path = urlparse(release.uri).path
        with open(f"{path}/model/model.json", "ab") as stream:  # noqa: PTH123 - a path out of a URL
            stream.write(b" ")

    def faults(self) -> tuple[Fault, ...]:
        """Errors that a platform translated."""
        errors: dict[str, MlopsError] = {
            "credentials": BadInput("no credentials"),
            "quota": BadInput("the quota is used up"),
            "time-out": Unavailable("not done in time"),
        }
        return tuple(
            Fault(name, partial(self._failing, error), type(error), str(error))
            for name, error in errors.items()
        )

    def dies_after(self, calls: int) -> AbstractContextManager[object]:
        """The platform counts."""
        return self._living(calls)

    def lying(self, release: Release) -> AbstractContextManager[object]:
        """The platform answers by another model."""
        return self._lying(release)

    @contextmanager
    def _failing(self, error: MlopsError) -> Iterator[None]:
        self.platform.failing = error
        yield
        self.platform.failing = None

    @contextmanager
    def _living(self, calls: int) -> Iterator[None]:
        self.platform.lives = calls
        try:
            yield
        finally:
            self.platform.lives = None

    @contextmanager
    def _lying(self, release: Release) -> Iterator[None]:
        self.platform.liar = Placed.of(release, "0" * 64)
        yield
        self.platform.liar = None
