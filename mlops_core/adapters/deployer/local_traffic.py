"""What the folder of releases says of a name's traffic: who serves, who is on trial, and how that changes."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from mlops_core.adapters.deployer.folder import ReleaseFolder
from mlops_core.adapters.deployer.pointer import Pointer
from mlops_core.adapters.deployer.proof import check_share, folder_name, valid_name
from mlops_core.adapters.deployer.shares import LocalShares, SharePointer
from mlops_core.disk import translated
from mlops_core.domain.traffic import Bounds, Served, TargetStatus
from mlops_core.domain.trial import OnTrial, Terms, share_told
from mlops_core.errors import IntegrityError, NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlops_core.domain.release import Release
    from mlops_core.domain.traffic import Share
    from mlops_core.domain.trial import Tally, Verdict

__all__ = ["LOCK", "LocalTraffic"]

LOCK = ".lock"
_LOCK_SECONDS = 60.0
_SERVER_SECONDS = 2.0  # what a server cannot tell within them, it tells later


class LocalTraffic:
    """The releases below the state folder `home`, as far as callers see them; also what servers follow."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def share(
        self, release: Release, percent: int, *, shadow: bool = False, bounds: Bounds | None = None
    ) -> None:
        """See `Deployer.share`. The servers that follow hold it to `bounds`, each by its own requests."""
        base = self._base(release.name)
        folder = self._placed(release)
        with self._locked(base):
            serving = Pointer.read(base)
            check_share(release, self._served(base, serving), percent, shadow=shadow)
            assert serving is not None  # noqa: S101 - or the check would have refused
            self._check_unchanged(folder, release)
            LocalShares(base).begin(
                SharePointer(
                    release=folder.path.name,
                    manifest_digest=folder.manifest_digest(),
                    beside=serving.release,
                    terms=Terms(percent=percent, shadow=shadow, bounds=bounds or Bounds()),
                    began=datetime.now(UTC),
                )
            )

    def withdraw(self, name: str) -> None:
        """See `Deployer.withdraw`."""
        base = self._base(name)
        if base.is_dir():
            with self._locked(base):
                LocalShares(base).remove()

    def status(self, name: str) -> TargetStatus:
        """See `Deployer.status`: what the servers on this machine follow, whether or not one runs."""
        base, serving = self._base(name), None
        try:
            serving = self._served(base, Pointer.read(base))
            share = self._share(base) if serving else None
        except IntegrityError as error:
            return TargetStatus(name=name, target="local", state="failed", serving=serving, why=str(error))
        return TargetStatus(
            name=name, target="local", state="ready" if serving else "nothing", serving=serving, share=share
        )

    def signature(self, name: str) -> bytes | None:
        """The pointer's bytes: other ones whenever another release becomes current. None before the first."""
        return Pointer.content(self._base(name))

    def share_mark(self, name: str) -> object:
        """See `ShareSource.share_mark`."""
        base = self._base(name)
        return self.signature(name), *LocalShares(base).mark()

    def on_trial(self, name: str) -> OnTrial | None:
        """See `ShareSource.on_trial`: its manifest and every file are compared with their digests."""
        base = self._base(name)
        found = LocalShares(base).standing(Pointer.read(base))
        if found is None or LocalShares(base).ended(found[1]) is not None:
            return None
        pointer, share = found
        release = self._at(base, pointer)
        return OnTrial(share=share, release=release, **dict(pointer.terms))

    def taken_back(self, name: str, share: str) -> Verdict | None:
        """See `ShareSource.taken_back`."""
        return LocalShares(self._base(name)).ended(share)

    def take_back(self, name: str, verdict: Verdict) -> None:
        """See `ShareSource.take_back`."""
        base = self._base(name)
        with self._locked(base, _SERVER_SECONDS):
            LocalShares(base).end(verdict)

    def tell(self, name: str, server: str, tally: Tally) -> None:
        """See `ShareSource.tell`."""
        base = self._base(name)
        with self._locked(base, _SERVER_SECONDS):
            LocalShares(base).tell(server, tally)

    def _base(self, name: str) -> Path:
        return self._home / "releases" / valid_name(name)

    def _placed(self, release: Release) -> ReleaseFolder:
        folder = ReleaseFolder(self._base(release.name) / folder_name(release.version, release.digest))
        if not folder.path.is_dir():
            raise NotFound(
                f"there is no release in {folder.path}: "
                f"prepare version {release.version} of {release.name!r} first"
            )
        return folder

    @staticmethod
    def _check_unchanged(folder: ReleaseFolder, release: Release) -> None:
        if folder.verified() != release:
            raise IntegrityError(f"{folder.manifest} describes another release than the one that is meant")

    @staticmethod
    def _at(base: Path, pointer: Pointer) -> Release:
        """The release that a pointer points to, all of it verified."""
        folder = ReleaseFolder(base / pointer.release)
        if not folder.path.is_dir():
            raise pointer.astray(base, f"leads nowhere: {pointer.release}/release.json is missing")
        release = folder.verified(pointer.manifest_digest)
        if (release.name, folder_name(release.version, release.digest)) != (base.name, pointer.release):
            raise IntegrityError(f"{base / pointer.release} holds the release of another name or version")
        return release

    def _served(self, base: Path, pointer: Pointer | None) -> Served | None:
        """What a pointer points to, by its manifest alone."""
        if pointer is None:
            return None
        release = ReleaseFolder(base / pointer.release).described()
        return Served(version=release.version, digest=release.digest, release=release.uri)

    def _share(self, base: Path) -> Share | None:
        shares = LocalShares(base)
        found = shares.standing(Pointer.read(base))
        served = self._served(base, found[0]) if found else None
        if found is None or served is None:
            return None
        pointer, share = found
        return share_told(served, pointer.terms, list(shares.tallies(share)), shares.ended(share))

    @contextmanager
    def _locked(self, base: Path, seconds: float = _LOCK_SECONDS) -> Iterator[None]:
        with translated("lock the releases", base):
            base.mkdir(parents=True, exist_ok=True)
            lock = FileLock(base / LOCK)
            try:
                lock.acquire(timeout=seconds)
            except Timeout as error:
                raise Unavailable(
                    f"another process has been deploying {base.name!r} for {seconds:.0f} s; "
                    f"run the same again when it is done (lock file: {base / LOCK})"
                ) from error
        try:
            yield
        finally:
            lock.release()
