"""Following the release that is current, without a restart."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Protocol

from mlops_core.errors import MlopsError, Unavailable
from mlops_core.serving.predictor import Predictor
from mlops_core.serving.trials import ShareSource, TrialFollower

if TYPE_CHECKING:
    from mlops_core.domain.release import Release
    from mlops_core.ports import FittedModel, OnlineStore
    from mlops_core.serving.trial import Trial

__all__ = ["ReleaseFollower", "ReleaseSource"]

_LOG = logging.getLogger(__name__)


class ReleaseSource(Protocol):
    """A deployer as a server sees it. All may be called from any thread."""

    def signature(self, name: str) -> object:
        """Something cheap that compares unequal once another release has become current."""

    def current(self, name: str) -> Release | None:
        """The release that is current, verified; None before the first."""

    def load(self, release: Release) -> FittedModel:
        """The release's model, proved in this process. Raises `MlopsError` when it cannot serve."""


class ReleaseFollower:
    """Holds the predictor of the current release, and looks every `interval` seconds for another one.

    Release and model change together, as one object. A release that fails to verify or to load never replaces
    one that serves: the failure is logged once, and tried again every `retry` seconds, since deploying again
    may mend the same release. Where the source has releases on trial, the one on trial is followed as well.
    """

    def __init__(
        self,
        *,
        name: str,
        source: ReleaseSource,
        store: OnlineStore,
        interval: float = 0.5,
        retry: float = 5.0,
    ) -> None:
        self.name = name
        self.swaps = 0  # times that a release replaced one that served
        self.failures = 0  # looks that failed
        self._source = source
        self._store = store
        self._interval = interval
        self._retry = retry
        self._predictor: Predictor | None = None
        self._seen: object = self  # equal to no signature: nothing was seen yet
        self._failure: tuple[object, str] | None = None
        self._retry_at = 0.0
        self._trials = (
            TrialFollower(name=name, source=source, load=source.load, store=store, retry=retry)
            if isinstance(source, ShareSource)
            else None
        )

    def predictor(self) -> Predictor:
        """What serves right now. Raises `Unavailable` while there is nothing, saying what to do."""
        if self._predictor is not None:
            return self._predictor
        if self._failure is not None:
            raise Unavailable(
                f"{self.name!r} is not ready: its release cannot be used, the server's log says why. "
                f"Deliver it anew with `mlops run {self.name}`; this server follows by itself"
            )
        raise Unavailable(
            f"{self.name!r} is not ready: nothing was released yet. Run `mlops run {self.name}`; this server "
            "follows by itself"
        )

    def trial(self) -> Trial | None:
        """The release on trial beside it right now, if there is one."""
        return self._trials.trial if self._trials else None

    def tell(self) -> None:
        """Tell whoever else follows what the trial came to."""
        if self._trials:
            self._trials.tell()

    async def run(self) -> None:
        """Look again and again, in a thread, until cancelled."""
        try:
            while True:
                await asyncio.sleep(self._interval)
                await asyncio.to_thread(self.refresh)
        finally:
            self.tell()

    def refresh(self) -> None:
        """Look once; called by one thread at a time. Raises nothing, see the class for failures."""
        signature: object = None
        try:
            signature = self._source.signature(self.name)
            if self._due(signature):
                self._follow()
                self._seen, self._failure = signature, None
        except MlopsError as error:
            self._failed(signature, str(error))
        except Exception as error:  # an engine's own: the server must outlive it, and say it
            self._failed(signature, f"{type(error).__name__}: {error}")
        if self._trials:
            self._trials.refresh(self._predictor.release if self._predictor else None)

    def _due(self, signature: object) -> bool:
        if self._failure is None or self._failure[0] != signature:
            return signature != self._seen
        return time.monotonic() >= self._retry_at

    def _follow(self) -> None:
        release = self._source.current(self.name)
        served = self._predictor.release if self._predictor else None
        if release is None and served is not None:
            raise Unavailable(f"no release of {self.name!r} is current any more")
        if release is None or release == served:
            return
        model = self._source.load(release)
        predictor = Predictor(release=release, model=model, store=self._store)
        predictor.is_quick()  # tried here, in a thread, and not while a caller waits
        self.swaps += served is not None
        self._predictor = predictor
        _LOG.info("serving version %d of %s", release.version, self.name)

    def _failed(self, signature: object, message: str) -> None:
        self.failures += 1
        self._retry_at = time.monotonic() + self._retry
        if self._failure == (signature, message):
            return
        self._failure = (signature, message)
        served = f"version {self._predictor.release.version}" if self._predictor else "nothing"
        _LOG.error("cannot follow the release of %s, %s is served: %s", self.name, served, message)
