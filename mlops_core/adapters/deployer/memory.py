"""Releases in this process: for tests, and for the demonstration that needs no disk."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_core.adapters.deployer.proof import (
    check_bundle,
    check_share,
    different,
    folder_name,
    prove,
    release_of,
    same_model,
    valid_name,
)
from mlops_core.domain.digest import file_digests
from mlops_core.domain.traffic import Bounds, Served, TargetStatus
from mlops_core.domain.trial import OnTrial, share_told
from mlops_core.errors import IntegrityError, NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.domain.release import Bundle, Release
    from mlops_core.domain.traffic import Share
    from mlops_core.domain.trial import Tally, Verdict
    from mlops_core.ports import FittedModel, Trainer

__all__ = ["MemoryDeployer"]


class MemoryDeployer:
    """A `Deployer` that keeps loaded models in dicts; gone with the process."""

    def __init__(self, trainer: Trainer, *, draw: Callable[[], float] = random.random) -> None:
        self._trainer, self._draw = trainer, draw
        self._releases: dict[str, tuple[Release, FittedModel]] = {}
        self._current: dict[str, str] = {}
        self._trials: dict[str, OnTrial] = {}
        self._verdicts: dict[str, Verdict] = {}  # by share, like what follows
        self._tallies: dict[str, dict[str, Tally]] = {}
        self._shares = count(1)
        self._damaged: set[str] = set()

    def prepare(self, bundle: Bundle) -> Release:
        """See `Deployer.prepare`."""
        check_bundle(bundle)
        uri = f"memory/{bundle.name}/{folder_name(bundle.version, bundle.digest)}"
        if uri in self._releases:
            return self._again(uri, bundle)
        files = file_digests(Path(bundle.model_folder))
        if not files:
            raise NotFound(
                f"{bundle.model_folder} holds no files: the model of {bundle.name!r} is read from there"
            )
        model = self._trainer.load(Path(bundle.model_folder))
        prove(model, bundle)
        release = release_of(bundle, uri=uri, released_at=datetime.now(UTC), files=files)
        self._releases[uri] = (release, model)
        return release

    def find(self, name: str, version: int, digest: str) -> Release | None:
        """See `Deployer.find`."""
        found = self._releases.get(f"memory/{valid_name(name)}/{folder_name(version, digest)}")
        return None if found is None else self._kept(found[0])[0]

    def activate(self, release: Release) -> None:
        """See `Deployer.activate`."""
        self._kept(release)
        self._current[release.name] = release.uri
        self.withdraw(release.name)

    def current(self, name: str) -> Release | None:
        """See `Deployer.current`."""
        uri = self._current.get(valid_name(name))
        return None if uri is None else self._kept(self._releases[uri][0])[0]

    def share(
        self, release: Release, percent: int, *, shadow: bool = False, bounds: Bounds | None = None
    ) -> None:
        """See `Deployer.share`."""
        current = self.current(release.name)
        check_share(release, _served(current) if current else None, percent, shadow=shadow)
        release = self._kept(release)[0]
        held = bounds or Bounds()
        before = self.on_trial(release.name)
        share = before.share if before else ""
        trial = OnTrial(share=share, release=release, percent=percent, shadow=shadow, bounds=held)
        if trial != before:
            self.withdraw(release.name)
            share = f"{release.name}-{next(self._shares)}"
            self._trials[release.name] = trial.model_copy(update={"share": share})

    def withdraw(self, name: str) -> None:
        """See `Deployer.withdraw`."""
        trial = self._trials.pop(valid_name(name), None)
        if trial is not None:
            self._verdicts.pop(trial.share, None)
            self._tallies.pop(trial.share, None)

    def status(self, name: str) -> TargetStatus:
        """See `Deployer.status`."""
        uri, trial = self._current.get(valid_name(name)), self._trials.get(name)
        current = self._releases[uri][0] if uri is not None else None
        return TargetStatus(
            name=name,
            target="memory",
            state="ready" if current else "nothing",
            serving=_served(current) if current else None,
            share=self._share(trial) if trial else None,
        )

    def verify(self, release: Release) -> float:
        """See `Deployer.verify`."""
        return prove(self.load(release), release)

    def answering(self, name: str) -> Release:
        """The release that the next caller gets. Raises `Unavailable` before the first."""
        current, trial = self.current(name), self.on_trial(name)
        if current is None:
            raise Unavailable(f"nothing of {name} serves yet")
        drawn = trial is not None and not trial.shadow and self._draw() * 100 < trial.percent
        return trial.release if trial is not None and drawn else current

    def damage(self, release: Release) -> None:
        """What was prepared counts as changed from now on, until it is prepared again."""
        self._damaged.add(release.uri)

    def load(self, release: Release) -> FittedModel:
        """The model of a release."""
        return self._kept(release)[1]

    def signature(self, name: str) -> str | None:
        """What changes whenever another release becomes current."""
        return self._current.get(valid_name(name))

    def share_mark(self, name: str) -> object:
        """See `ShareSource.share_mark`."""
        trial = self._trials.get(valid_name(name))
        return self.signature(name), trial, self.taken_back(name, trial.share) if trial else None

    def on_trial(self, name: str) -> OnTrial | None:
        """See `ShareSource.on_trial`."""
        trial = self._trials.get(valid_name(name))
        return None if trial is None or trial.share in self._verdicts else trial

    def taken_back(self, name: str, share: str) -> Verdict | None:
        """See `ShareSource.taken_back`."""
        valid_name(name)
        return self._verdicts.get(share)

    def take_back(self, name: str, verdict: Verdict) -> None:
        """See `ShareSource.take_back`."""
        trial = self._trials.get(valid_name(name))
        if trial is not None and trial.share == verdict.share:
            self._verdicts.setdefault(verdict.share, verdict)

    def tell(self, name: str, server: str, tally: Tally) -> None:
        """See `ShareSource.tell`."""
        trial = self._trials.get(valid_name(name))
        if trial is not None and trial.share == tally.share:
            self._tallies.setdefault(tally.share, {})[server] = tally

    def _share(self, trial: OnTrial) -> Share:
        told = list(self._tallies.get(trial.share, {}).values())
        verdict = self._verdicts.get(trial.share)
        return share_told(_served(trial.release), trial, told, verdict)

    def _kept(self, release: Release) -> tuple[Release, FittedModel]:
        kept = self._releases.get(release.uri)
        if kept is None or kept[0] != release:
            raise NotFound(f"version {release.version} of {release.name!r} was not prepared by this deployer")
        if release.uri in self._damaged:
            raise IntegrityError(
                f"{release.uri}/model/model.json was changed after it was released. Deliver it again with "
                f"`mlops run {release.name}`"
            )
        return kept

    def _again(self, uri: str, bundle: Bundle) -> Release:
        release, model = self._releases[uri]
        if not same_model(release, bundle):
            raise different(bundle)
        prove(model, bundle)
        self._damaged.discard(uri)
        return release


def _served(release: Release) -> Served:
    return Served(version=release.version, digest=release.digest, release=release.uri)
