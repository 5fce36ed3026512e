"""Releases published at a URL, for servers on other machines: a folder each, wherever fsspec writes.

::

    <url>/<name>/<version>-<digest12>/     release.json and model/

The manifest is written last, so that a folder without one is no release. Object stores show a whole file or
none; elsewhere a torn one is found by its digest. What lies there is always read back before it is believed.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from mlops_core.adapters.deployer.folder import ReleaseFolder
from mlops_core.adapters.deployer.object_store import opened, refused
from mlops_core.adapters.deployer.proof import (
    check_bundle,
    different,
    folder_name,
    prove,
    release_of,
    same_bundle,
    same_files,
    same_model,
    valid_name,
)
from mlops_core.disk import copy_tree
from mlops_core.domain.digest import file_digests
from mlops_core.errors import IntegrityError, NotFound

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from mlops_core.domain.release import Bundle, Release
    from mlops_core.ports import FittedModel, Trainer

__all__ = ["PublishedReleases"]

_MANIFEST = "release.json"


class PublishedReleases:
    """The releases below `url`; what is read of them is loaded by `trainer`, once it is verified.

    Raises `BadInput` for a URL or credentials that cannot be used, and `Unavailable` when it is out of reach.
    """

    def __init__(self, url: str, trainer: Trainer) -> None:
        self._url, self._trainer = url.rstrip("/"), trainer

    def publish(self, bundle: Bundle, *, served: Collection[str] = ()) -> tuple[Release, str]:
        """Make the bundle a release, read back and proved, and give it with its manifest's digest.

        The same bundle again gives the same. What is there and damaged, or of another bundle, is replaced,
        but for one whose manifest is among `served`: raises `IntegrityError` then.
        """
        check_bundle(bundle)
        url = self._folder(bundle.name, bundle.version, bundle.digest)
        found = self._found(url, bundle, served)
        if found is not None:
            return found
        with tempfile.TemporaryDirectory(prefix="mlops-") as scratch:
            draft = self._drafted(url, bundle, Path(scratch))
            self._upload(draft, url)
        try:
            return self._read_back(url, bundle)
        except IntegrityError:
            self._remove(url)
            raise

    def find(self, name: str, version: int, digest: str) -> tuple[Release, str] | None:
        """A release and its manifest's digest, all files verified; None when there is none."""
        url = self._folder(name, version, digest)
        if not self._is_there(url):
            return None
        with self.fetched(url) as folder:
            release = folder.verified()
            manifest = folder.manifest_digest()
        if (release.name, release.version, release.digest) != (name, version, digest):
            raise IntegrityError(f"{url} holds the release of another name or version")
        return release, manifest

    def verified(self, url: str, manifest: str) -> Release:
        """The release in a folder, once its manifest and every file are what the digest vouches for."""
        with self.fetched(url) as folder:
            return folder.verified(manifest)

    def load(self, url: str, manifest: str) -> FittedModel:
        """The model of a release that was verified, proved in this process."""
        with self.fetched(url) as folder:
            release = folder.verified(manifest)
            model = self._trainer.load(folder.model)
        prove(model, release)
        return model

    def file(self, release: Release, path: str) -> bytes:
        """The bytes of one of its files, as they were released."""
        with self.fetched(release.uri) as folder:
            return folder.file(release, path)

    @contextmanager
    def fetched(self, url: str) -> Iterator[ReleaseFolder]:
        """A copy of a release's folder on this machine, for the length of the context; nothing is verified.

        Raises `NotFound` when there is none. Messages about files in it name them by the URL.
        """
        store, root = opened(url)
        inner = PurePosixPath(root)
        with tempfile.TemporaryDirectory(prefix="mlops-") as scratch:
            copy = Path(scratch) / inner.parent.name / inner.name
            with refused("read the release in", url):
                paths = store.find(root) if store.exists(f"{root}/{_MANIFEST}") else []
                for path in paths:
                    inside = PurePosixPath(path).relative_to(store._strip_protocol(root))
                    if ".." in inside.parts:  # a key of an object store may hold that
                        raise IntegrityError(f"{url}/{inside} is not part of the release: remove it")
                    target = copy / inside
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(store.cat_file(path))
            if not paths:
                raise NotFound(f"there is no release in {url}: {_MANIFEST} is missing")
            try:
                yield ReleaseFolder(copy)
            except (IntegrityError, NotFound) as error:
                raise type(error)(str(error).replace(str(copy), url)) from error

    def _folder(self, name: str, version: int, digest: str) -> str:
        return f"{self._url}/{valid_name(name)}/{folder_name(version, digest)}"

    def _is_there(self, url: str) -> bool:
        store, root = opened(url)
        with refused("look into", url):
            return bool(store.exists(f"{root}/{_MANIFEST}"))

    def _found(self, url: str, bundle: Bundle, served: Collection[str]) -> tuple[Release, str] | None:
        """The release that is there already and can be trusted, else None: see `LocalDeployer`."""
        if not self._is_there(url):
            return None
        try:
            with self.fetched(url) as folder:
                manifest, release = folder.manifest_digest(), folder.verified()
                vouched = manifest in served
                if (same_model if vouched else same_files)(release, bundle):
                    prove(self._trainer.load(folder.model), bundle)
                    return release, manifest
        except (IntegrityError, NotFound):
            return None
        if vouched:
            raise different(bundle)
        return None

    def _drafted(self, url: str, bundle: Bundle, scratch: Path) -> ReleaseFolder:
        """The release on this machine; proved before a byte of it goes anywhere."""
        source = Path(bundle.model_folder)
        files = file_digests(source)
        if not files:
            raise NotFound(f"{source} holds no files: the model of {bundle.name!r} is read from there")
        draft = ReleaseFolder(scratch / bundle.name / folder_name(bundle.version, bundle.digest))
        draft.path.mkdir(parents=True)
        copy_tree(source, draft.model)
        prove(self._trainer.load(draft.model), bundle)
        at = self._released_at(url, bundle, files)
        draft.write_manifest(release_of(bundle, uri=url, released_at=at, files=files))
        return draft

    def _released_at(self, url: str, bundle: Bundle, files: dict[str, str]) -> datetime:
        """When it was first released, if a damaged folder still says so; else now."""
        with suppress(IntegrityError, NotFound), self.fetched(url) as folder:
            release = folder.described()
            if same_bundle(release, bundle) and release.files == files:
                return release.released_at
        return datetime.now(UTC)

    def _upload(self, draft: ReleaseFolder, url: str) -> None:
        self._remove(url)  # what no manifest names would make it a damaged one
        store, root = opened(url)
        names = sorted(path.relative_to(draft.path) for path in draft.model.rglob("*") if path.is_file())
        with refused("write the release to", url):
            for name in (*names, Path(_MANIFEST)):
                path = f"{root}/{name.as_posix()}"
                if not store.async_impl:  # an object store has no folders
                    store.makedirs(path.rpartition("/")[0], exist_ok=True)
                store.pipe_file(path, (draft.path / name).read_bytes())

    def _read_back(self, url: str, bundle: Bundle) -> tuple[Release, str]:
        with self.fetched(url) as folder:
            manifest = folder.manifest_digest()
            release = folder.verified()
            if not same_files(release, bundle):
                raise IntegrityError(f"{url} was written by somebody else meanwhile: run the same again")
            prove(self._trainer.load(folder.model), release)
        return release, manifest

    def _remove(self, url: str) -> None:
        """The manifest first: without it the rest is no release."""
        store, root = opened(url)
        with refused("remove what is in", url):
            with suppress(FileNotFoundError):
                store.rm_file(f"{root}/{_MANIFEST}")
            with suppress(FileNotFoundError):
                store.rm(root, recursive=True)
