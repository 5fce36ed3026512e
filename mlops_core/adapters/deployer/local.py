"""Releases as folders on this machine, and a pointer that says which one is served.

::

    <home>/releases/<name>/
        <version>-<digest>/          a release: release.json and model/, see `folder`
        current.json                 the pointer: a release's folder, and the digest of its manifest
        share.json, share-*.json     a release on trial beside it, see `shares`
        .lock                        held by whoever prepares or activates; empty

A release is built in a hidden folder, proved there and renamed into place, and the pointer is replaced in one
step. A process killed at any moment leaves at most hidden files and folders, which the next `prepare` sweeps.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_core.adapters.deployer.folder import ReleaseFolder
from mlops_core.adapters.deployer.leftovers import discard, not_served
from mlops_core.adapters.deployer.local_traffic import LOCK, LocalTraffic
from mlops_core.adapters.deployer.pointer import Pointer, pointer_or_none
from mlops_core.adapters.deployer.proof import (
    check_bundle,
    different,
    folder_name,
    prove,
    release_of,
    same_bundle,
    same_files,
    same_model,
)
from mlops_core.adapters.deployer.shares import LocalShares
from mlops_core.disk import copy_tree, sync, translated
from mlops_core.domain.digest import file_digests
from mlops_core.errors import IntegrityError, NotFound

if TYPE_CHECKING:
    from mlops_core.domain.release import Bundle, Release
    from mlops_core.ports import FittedModel, Trainer

__all__ = ["LocalDeployer"]

_DRAFT = ".draft-"


class LocalDeployer(LocalTraffic):
    """The `Deployer` of one machine, below the state folder `home`; also what a server follows.

    Whatever the disk refuses arrives as `MlopsError` that names the folder.
    """

    def __init__(self, *, home: Path, trainer: Trainer) -> None:
        super().__init__(home)
        self._trainer = trainer

    def prepare(self, bundle: Bundle) -> Release:
        """See `Deployer.prepare`. A release that is there but damaged is built again from the bundle."""
        check_bundle(bundle)
        base = self._base(bundle.name)
        final = ReleaseFolder(base / folder_name(bundle.version, bundle.digest))
        with self._locked(base):
            with translated("sweep what a killed attempt left", base):
                _sweep(base)
            found = self._found(final, bundle)
            if found is not None:
                return found
            with translated(f"prepare version {bundle.version}", base):
                return self._build(final, bundle)

    def find(self, name: str, version: int, digest: str) -> Release | None:
        """See `Deployer.find`: every file is compared with the release's manifest."""
        base = self._base(name)
        folder = ReleaseFolder(base / folder_name(version, digest))
        if not folder.path.is_dir():
            return None
        release = folder.verified(_vouched(folder))
        if (release.name, release.version, release.digest) != (name, version, digest):
            raise IntegrityError(f"{folder.path} holds the release of another name or version")
        return release

    def activate(self, release: Release) -> None:
        """See `Deployer.activate`. Raises `IntegrityError` when the release is not as it was prepared."""
        base = self._base(release.name)
        folder = self._placed(release)
        with self._locked(base):
            self._check_unchanged(folder, release)
            shares = LocalShares(base)
            shares.remove_unless_beside(pointer_or_none(base))
            Pointer(release=folder.path.name, manifest_digest=folder.manifest_digest()).write(base)
            shares.remove()

    def verify(self, release: Release) -> float:
        """See `Deployer.verify`: loaded back, for the servers that follow load the same files."""
        return self._proved(self._placed(release), release)[1]

    def current(self, name: str) -> Release | None:
        """See `Deployer.current`: pointer, manifest and every file are compared with their digests."""
        base = self._base(name)
        pointer = Pointer.read(base)
        if pointer is None:
            return None
        return self._at(base, pointer)

    def load(self, release: Release) -> FittedModel:
        """The model of a release, proved against its probes in this process.

        Raises `IntegrityError` when its files are no longer those of the release, which were verified when it
        was found, or it does not predict as it did at training.
        """
        folder = ReleaseFolder(self._base(release.name) / folder_name(release.version, release.digest))
        return self._proved(folder, release)[0]

    def file(self, release: Release, path: str) -> bytes:
        """The bytes of a file of a release, by its path among `Release.files`, as they were released.

        Raises `NotFound` when the release has no such file, `IntegrityError` when its bytes are others now.
        """
        folder = ReleaseFolder(self._base(release.name) / folder_name(release.version, release.digest))
        return folder.file(release, path)

    def folders(self, name: str) -> list[Path]:
        """Releases that are not current, and what killed attempts left: see `mlops_core.retention`."""
        with translated("look for releases", self._base(name)):
            return not_served(self._base(name), lock=LOCK)

    def discard(self, name: str, folder: Path) -> bool:
        """Remove one of them; False when it is current by now, or somebody is releasing at this moment."""
        return discard(self._base(name) / folder.name, lock=LOCK, draft=_DRAFT)

    def _proved(self, folder: ReleaseFolder, release: Release) -> tuple[FittedModel, float]:
        self._check_unchanged(folder, release)
        with translated("load the release", folder.path):
            model = self._trainer.load(folder.model)
        return model, prove(model, release)

    def _found(self, final: ReleaseFolder, bundle: Bundle) -> Release | None:
        """The release that is there already and can be trusted, else None.

        What is being served is trusted when it matches the pointer, anything else when it matches the bundle.
        """
        vouched = _vouched(final)
        try:
            release = final.verified(vouched)
            trusted = same_model if vouched else same_files
            if trusted(release, bundle):
                prove(self._trainer.load(final.model), bundle)
                return release
        except (IntegrityError, NotFound):
            return None
        if vouched:
            raise different(bundle)
        return None

    def _build(self, final: ReleaseFolder, bundle: Bundle) -> Release:
        base = final.path.parent
        source = Path(bundle.model_folder)
        if not source.is_dir():
            raise NotFound(f"{source} is not a folder: the model of {bundle.name!r} is copied from there")
        draft = ReleaseFolder(base / f"{_DRAFT}{final.path.name}")
        try:
            draft.path.mkdir()
            copy_tree(source, draft.model)
            release = self._described(draft, final, bundle)
            prove(self._trainer.load(draft.model), bundle)
            draft.write_manifest(release)
            sync(draft.path)
            if final.path.exists():
                final.path.rename(base / f"{_DRAFT}damaged-{final.path.name}")
            draft.path.rename(final.path)
            sync(base)
        finally:
            _sweep(base)
        return release

    def _described(self, draft: ReleaseFolder, final: ReleaseFolder, bundle: Bundle) -> Release:
        files = file_digests(draft.model)
        if not files:
            raise NotFound(
                f"{bundle.model_folder} is empty: the model of {bundle.name!r} is copied from there"
            )
        if files != file_digests(Path(bundle.model_folder)):
            raise IntegrityError(f"{bundle.model_folder} changed while it was copied; run the same again")
        uri = final.path.relative_to(self._home).as_posix()
        return release_of(bundle, uri=uri, released_at=self._released_at(final, bundle), files=files)

    def _released_at(self, final: ReleaseFolder, bundle: Bundle) -> datetime:
        """When it was first released, if the manifest of a damaged folder still says so; else now."""
        try:
            release = final.described()
        except IntegrityError:
            return datetime.now(UTC)
        return release.released_at if same_bundle(release, bundle) else datetime.now(UTC)


def _vouched(folder: ReleaseFolder) -> str | None:
    """Digest of the folder's manifest by the pointer, if this is what the pointer points to."""
    pointer = pointer_or_none(folder.path.parent)  # a damaged one vouches for nothing and is replaced
    return pointer.manifest_digest if pointer and pointer.release == folder.path.name else None


def _sweep(base: Path) -> None:
    """Remove what killed attempts left: whatever is hidden, but the lock that the caller holds."""
    for debris in base.glob(".*"):
        if debris.is_dir():
            shutil.rmtree(debris)
        elif debris.name != LOCK:
            debris.unlink()
