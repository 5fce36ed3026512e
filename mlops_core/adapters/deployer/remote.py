"""The deployer of targets on other machines: releases published at a URL, and a platform that serves them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mlops_core.adapters.deployer.oip import answered, probing
from mlops_core.adapters.deployer.platform import Placed, Trial
from mlops_core.adapters.deployer.proof import check_share, compared, prove, valid_name
from mlops_core.domain.traffic import Bounds
from mlops_core.errors import IntegrityError, MlopsError, NotFound

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_core.adapters.deployer.platform import Platform, Seen
    from mlops_core.adapters.deployer.published import PublishedReleases
    from mlops_core.domain.release import Bundle, Release
    from mlops_core.domain.traffic import TargetStatus
    from mlops_core.ports import FittedModel

__all__ = ["RemoteDeployer"]

_LOG = logging.getLogger(__name__)


class RemoteDeployer:
    """A `Deployer` of one platform; also what is loaded from on this machine.

    What serves is asked for its probes before a release counts as served. Where it answers otherwise, what
    served before is served again.
    """

    def __init__(self, platform: Platform, published: PublishedReleases) -> None:
        self._platform, self._published = platform, published

    def prepare(self, bundle: Bundle) -> Release:
        """See `Deployer.prepare`: it is read back from where it was published, and proved here."""
        valid_name(bundle.name)
        return self._published.publish(bundle, served=_manifests(self._platform.seen(bundle.name)))[0]

    def find(self, name: str, version: int, digest: str) -> Release | None:
        """See `Deployer.find`."""
        found = self._published.find(name, version, digest)
        return found[0] if found else None

    def activate(self, release: Release) -> None:
        """See `Deployer.activate`."""
        placed = self._placed(release)
        before = self._platform.seen(release.name).serving
        self._platform.serve(placed)
        try:
            self._asked(placed, release)
        except MlopsError as error:
            if before is None or before == placed:
                raise
            _LOG.warning("%s; serving version %d again", error, before.version)
            raise type(error)(f"{error}. {self._back_to(before)}") from error

    def current(self, name: str) -> Release | None:
        """See `Deployer.current`: what the platform serves, read from where it was published."""
        serving = self._platform.seen(valid_name(name)).serving
        return self._published.verified(serving.url, serving.manifest) if serving else None

    def share(
        self, release: Release, percent: int, *, shadow: bool = False, bounds: Bounds | None = None
    ) -> None:
        """See `Deployer.share`; a release that answers its probes otherwise is withdrawn at once."""
        seen = self._platform.seen(release.name)
        serving = seen.serving.served if seen.serving else None
        check_share(release, serving, percent, shadow=shadow)
        placed = self._placed(release)
        trial = Trial(placed=placed, percent=percent, shadow=shadow, bounds=bounds or Bounds())
        self._platform.share(trial)
        try:
            self._asked(placed, release)
        except MlopsError:
            self._platform.withdraw(release.name)
            raise

    def withdraw(self, name: str) -> None:
        """See `Deployer.withdraw`."""
        self._platform.withdraw(valid_name(name))

    def status(self, name: str) -> TargetStatus:
        """See `Deployer.status`."""
        return self._platform.seen(valid_name(name)).status(name, self._platform.target)

    def verify(self, release: Release) -> float:
        """See `Deployer.verify`."""
        placed = self._placed(release)
        seen = self._platform.seen(release.name)
        trial = seen.trial.placed if seen.trial and seen.trial.ended is None else None
        if placed in (seen.serving, trial):
            return self._asked(placed, release)
        return prove(self._published.load(placed.url, placed.manifest), release)

    def load(self, release: Release) -> FittedModel:
        """The model of a release, proved in this process."""
        placed = self._placed(release)
        return self._published.load(placed.url, placed.manifest)

    def file(self, release: Release, path: str) -> bytes:
        """The bytes of a file of a release, by its path among `Release.files`, as they were released."""
        return self._published.file(release, path)

    def signature(self, name: str) -> object:
        """What changes whenever another release becomes current."""
        return self._platform.seen(valid_name(name)).serving

    def folders(self, name: str) -> list[Path]:
        """Nothing: what is published is not on this machine, and `mlops gc` leaves it alone."""
        valid_name(name)
        return []

    def discard(self, name: str, folder: Path) -> bool:
        """Nothing is, see `folders`."""
        valid_name(name)
        del folder
        return False

    def _placed(self, release: Release) -> Placed:
        """As the platform is told of it; raises `NotFound` or `IntegrityError` unless it lies as prepared."""
        found = self._published.find(release.name, release.version, release.digest)
        if found is None:
            raise NotFound(
                f"there is no release in {release.uri}: "
                f"prepare version {release.version} of {release.name!r} first"
            )
        if found[0] != release:
            raise IntegrityError(f"{release.uri} describes another release than the one to serve")
        return Placed.of(*found)

    def _back_to(self, before: Placed) -> str:
        """Serve what served before; a sentence of how that went."""
        try:
            self._platform.serve(before)
        except MlopsError as error:
            return f"Version {before.version}, which served before, does not serve again either: {error}"
        return f"Version {before.version} serves again"

    def _asked(self, placed: Placed, release: Release) -> float:
        return compared(answered(release, self._platform.ask(placed, probing(release))), release)


def _manifests(seen: Seen) -> tuple[str, ...]:
    """Of the releases that answer callers: what vouches for them."""
    there = (seen.serving, seen.trial.placed if seen.trial else None)
    return tuple(placed.manifest for placed in there if placed is not None)
