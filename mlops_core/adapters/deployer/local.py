"""Releases as folders on this machine, and a pointer that says which one is served.

::

    <home>/releases/<name>/
        <version>-<digest>/          a release: release.json and model/, see `folder`
        current.json                 the pointer: a release's folder, and the digest of its manifest
        .lock                        held by whoever prepares or activates; empty

A release is built in a hidden folder, proved there and renamed into place, and the pointer is replaced in one
step. A process killed at any moment leaves at most hidden files and folders, which the next `prepare` sweeps.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from mlops_core.adapters.deployer.folder import ReleaseFolder
from mlops_core.adapters.deployer.leftovers import discard, not_served
from mlops_core.adapters.deployer.pointer import Pointer
from mlops_core.adapters.deployer.proof import (
    check_bundle,
    different,
    folder_name,
    prove,
    release_of,
    same_bundle,
    same_model,
    valid_name,
)
from mlops_core.disk import copy_tree, sync, translated
from mlops_core.domain.digest import file_digests
from mlops_core.errors import IntegrityError, NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_core.domain.release import Bundle, Release
    from mlops_core.ports import FittedModel, Trainer

__all__ = ["LocalDeployer"]

_DRAFT = ".draft-"
_LOCK = ".lock"
_LOCK_SECONDS = 60.0


class LocalDeployer:
    """The `Deployer` of one machine, below the state folder `home`; also what a server follows.

    Whatever the disk refuses arrives as `MlopsError` that names the folder.
    """

    def __init__(self, *, home: Path, trainer: Trainer) -> None:
        self._home = home
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
        folder = ReleaseFolder(base / folder_name(release.version, release.digest))
        if not folder.path.is_dir():
            raise NotFound(
                f"there is no release in {folder.path}: "
                f"prepare version {release.version} of {release.name!r} first"
            )
        with self._locked(base):
            if folder.verified() != release:
                raise IntegrityError(f"{folder.manifest} describes another release than the one to activate")
            Pointer(release=folder.path.name, manifest_digest=folder.manifest_digest()).write(base)

    def current(self, name: str) -> Release | None:
        """See `Deployer.current`: pointer, manifest and every file are compared with their digests."""
        base = self._base(name)
        pointer = Pointer.read(base)
        if pointer is None:
            return None
        folder = ReleaseFolder(base / pointer.release)
        if not folder.path.is_dir():
            raise Pointer.astray(base, f"leads nowhere: {pointer.release}/release.json is missing")
        release = folder.verified(pointer.manifest_digest)
        if (release.name, folder_name(release.version, release.digest)) != (name, pointer.release):
            raise IntegrityError(f"{base / pointer.release} holds the release of another name or version")
        return release

    def load(self, release: Release) -> FittedModel:
        """The model of a release, proved against its probes in this process.

        Raises `IntegrityError` when its files are no longer those of the release, which were verified when it
        was found, or it does not predict as it did at training.
        """
        folder = ReleaseFolder(self._base(release.name) / folder_name(release.version, release.digest))
        if folder.verified() != release:
            raise IntegrityError(f"{folder.manifest} describes another release than the one to load")
        with translated("load the release", folder.path):
            model = self._trainer.load(folder.model)
        prove(model, release)
        return model

    def file(self, release: Release, path: str) -> bytes:
        """The bytes of a file of a release, by its path among `Release.files`, as they were released.

        Raises `NotFound` when the release has no such file, `IntegrityError` when its bytes are others now.
        """
        folder = ReleaseFolder(self._base(release.name) / folder_name(release.version, release.digest))
        return folder.file(release, path)

    def signature(self, name: str) -> bytes | None:
        """The pointer's bytes: other ones whenever another release becomes current. None before the first."""
        return Pointer.content(self._base(name))

    def folders(self, name: str) -> list[Path]:
        """Releases that are not current, and what killed attempts left: see `mlops_core.retention`."""
        with translated("look for releases", self._base(name)):
            return not_served(self._base(name), lock=_LOCK)

    def discard(self, name: str, folder: Path) -> bool:
        """Remove one of them; False when it is current by now, or somebody is releasing at this moment."""
        return discard(self._base(name) / folder.name, lock=_LOCK, draft=_DRAFT)

    def _base(self, name: str) -> Path:
        return self._home / "releases" / valid_name(name)

    @contextmanager
    def _locked(self, base: Path) -> Iterator[None]:
        with translated("lock the releases", base):
            base.mkdir(parents=True, exist_ok=True)
            lock = FileLock(base / _LOCK)
            try:
                lock.acquire(timeout=_LOCK_SECONDS)
            except Timeout as error:
                raise Unavailable(
                    f"another process has been deploying {base.name!r} for {_LOCK_SECONDS:.0f} s; "
                    f"run the same again when it is done (lock file: {base / _LOCK})"
                ) from error
        try:
            yield
        finally:
            lock.release()

    def _found(self, final: ReleaseFolder, bundle: Bundle) -> Release | None:
        """The release that is there already and can be trusted, else None.

        What is being served is trusted when it matches the pointer, anything else when it matches the bundle.
        """
        vouched = _vouched(final)
        try:
            release = final.verified(vouched)
            trusted = same_model if vouched else self._same_files
            if trusted(release, bundle):
                prove(self._trainer.load(final.model), bundle)
                return release
        except (IntegrityError, NotFound):
            return None
        if vouched:
            raise different(bundle)
        return None

    @staticmethod
    def _same_files(release: Release, bundle: Bundle) -> bool:
        return same_bundle(release, bundle) and release.files == file_digests(Path(bundle.model_folder))

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
    try:
        pointer = Pointer.read(folder.path.parent)
    except IntegrityError:
        return None  # a damaged pointer vouches for nothing; activating replaces it
    return pointer.manifest_digest if pointer and pointer.release == folder.path.name else None


def _sweep(base: Path) -> None:
    """Remove what killed attempts left: whatever is hidden, but the lock that the caller holds."""
    for debris in base.glob(".*"):
        if debris.is_dir():
            shutil.rmtree(debris)
        elif debris.name != _LOCK:
            debris.unlink()
