"""Releases in this process: for tests, and for the demonstration that needs no disk."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_core.adapters.deployer.proof import (
    check_bundle,
    different,
    folder_name,
    prove,
    release_of,
    same_model,
    valid_name,
)
from mlops_core.domain.digest import file_digests
from mlops_core.errors import NotFound

if TYPE_CHECKING:
    from mlops_core.domain.release import Bundle, Release
    from mlops_core.ports import FittedModel, Trainer

__all__ = ["MemoryDeployer"]


class MemoryDeployer:
    """A `Deployer` that keeps loaded models in dicts; gone with the process."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self._releases: dict[str, tuple[Release, FittedModel]] = {}
        self._current: dict[str, str] = {}

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
        return None if found is None else found[0]

    def activate(self, release: Release) -> None:
        """See `Deployer.activate`."""
        self._kept(release)
        self._current[release.name] = release.uri

    def current(self, name: str) -> Release | None:
        """See `Deployer.current`."""
        uri = self._current.get(valid_name(name))
        return None if uri is None else self._releases[uri][0]

    def load(self, release: Release) -> FittedModel:
        """The model of a release."""
        return self._kept(release)[1]

    def signature(self, name: str) -> str | None:
        """What changes whenever another release becomes current."""
        return self._current.get(valid_name(name))

    def _kept(self, release: Release) -> tuple[Release, FittedModel]:
        kept = self._releases.get(release.uri)
        if kept is None or kept[0] != release:
            raise NotFound(f"version {release.version} of {release.name!r} was not prepared by this deployer")
        return kept

    def _again(self, uri: str, bundle: Bundle) -> Release:
        release, model = self._releases[uri]
        if not same_model(release, bundle):
            raise different(bundle)
        prove(model, bundle)
        return release
