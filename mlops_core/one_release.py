"""One release for a server that follows none: fetched, compared, proved, and only then served.

What a container does at its start. The files are copied to a folder of this process before anything is
compared, so that what was compared is what is loaded; the copy goes once the model is in memory.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from mlops_core.errors import IntegrityError, Unavailable
from mlops_core.serving.loaded import Loaded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from mlops_core.adapters.deployer.folder import ReleaseFolder
    from mlops_core.domain.candidates import AnyCandidate
    from mlops_core.domain.online import FeatureValue, Key, OnlineState
    from mlops_core.domain.release import Release
    from mlops_core.ports import FittedModel, Labels, OnlineStore, Trainer
    from mlops_core.settings import Settings

__all__ = ["PATIENCE", "NoOnlineStore", "loaded_release", "online_store"]

PATIENCE = 60.0
"""Seconds that a URL may be out of reach: a pod can start before its network."""

_PAUSE = 2.0
_LOG = logging.getLogger(__name__)


def loaded_release(
    url: str,
    manifest: str | None,
    trainer: Trainer | None = None,
    *,
    patience: float = PATIENCE,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Loaded:
    """The release in a folder or at a URL, whose release.json has this SHA-256, and its model, proved.

    Raises `IntegrityError` for files that are others than released, or a model that predicts otherwise here;
    `NotFound` where there is no release; `BadInput` for a URL or credentials that cannot be used; and
    `Unavailable` when it is out of reach for `patience` seconds. Without `manifest` a warning is logged.
    """
    if manifest is None:
        _LOG.warning("MLOPS_RELEASE_MANIFEST is not set: nobody vouches for the release in %s", url)
    end = clock() + patience
    while True:
        try:
            return _loaded(url, manifest, trainer or _WhenUsed())
        except Unavailable as error:
            if clock() >= end:
                raise
            _LOG.warning("%s; trying again", error)
            sleep(_PAUSE)


def online_store(settings: Settings) -> OnlineStore:
    """The store that the settings name; none where that would be a database of this machine."""
    if settings.online_store == "sqlite":
        return NoOnlineStore()
    from mlops_core.wiring import ConfiguredEngines

    return ConfiguredEngines(settings).online


class NoOnlineStore:
    """An `OnlineStore` that is not there: it raises `Unavailable`, saying what to do."""

    def state(self, _: str) -> OnlineState | None:
        """See the class."""
        raise _no_store()

    def read(self, _: str, __: Sequence[Key]) -> list[Mapping[str, FeatureValue] | None]:
        """See the class."""
        raise _no_store()

    def write(self, _: str, __: pa.Table, ___: Sequence[str], ____: datetime) -> OnlineState:
        """See the class."""
        raise _no_store()

    def names(self) -> list[str]:
        """There are no sets."""
        return []

    def drop(self, _: str) -> None:
        """Nothing happens: there is none."""


def _no_store() -> Unavailable:
    return Unavailable(
        "this server knows no online store: rows of features are predicted, and nobody by id, unless it is "
        "started with MLOPS_ONLINE_STORE=redis://HOST:PORT/N"
    )


def _loaded(url: str, manifest: str | None, trainer: Trainer) -> Loaded:
    from mlops_core.adapters.deployer.proof import prove
    from mlops_core.adapters.deployer.published import PublishedReleases

    with PublishedReleases(url, trainer).fetched(url) as folder:
        release = _verified(folder, url, manifest)
        model = trainer.load(folder.model)
    prove(model, release)
    return Loaded(release, model)


def _verified(folder: ReleaseFolder, url: str, manifest: str | None) -> Release:
    found = folder.manifest_digest()
    if manifest not in (None, found):
        raise IntegrityError(
            f"{url}/release.json is not the manifest that MLOPS_RELEASE_MANIFEST vouches for: its SHA-256 is "
            f"{found}, expected is {manifest}. Nothing was loaded; give folder and digest of the same release"
        )
    try:
        return folder.verified()
    except IntegrityError as error:  # it says how releases of this machine are mended
        what = str(error).partition(". Deliver it again")[0]
        raise IntegrityError(f"{what}. Nothing was loaded; publish the release anew") from error


class _WhenUsed:
    """scikit-learn's trainer, imported once there are files that it may load."""

    def fit(self, candidate: AnyCandidate, rows: NDArray[np.float64], labels: Labels) -> FittedModel:
        return self._made().fit(candidate, rows, labels)

    def load(self, folder: Path) -> FittedModel:
        return self._made().load(folder)

    def environment(self) -> dict[str, str]:
        return self._made().environment()

    def _made(self) -> Trainer:
        from mlops_core.adapters.trainer.quick import QuickTrainer

        return QuickTrainer()
