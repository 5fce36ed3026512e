"""Following the release that is current, without a restart."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Protocol

from mlops_core.errors import MlopsError, Unavailable
from mlops_core.serving.predictor import Predictor

if TYPE_CHECKING:
    from mlops_core.domain.release import Release
    from mlops_core.ports import FittedModel, OnlineStore

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
    may mend the same release.
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
        self._source = source
        self._store = store
        self._interval = interval
        self._retry = retry
        self._predictor: Predictor | None = None
        self._seen: object = self  # equal to no signature: nothing was seen yet
        self._failure: tuple[object, str] | None = None
        self._retry_at = 0.0

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

    async def run(self) -> None:
        """Look again and again, in a thread, until cancelled."""
        while True:
            await asyncio.sleep(self._interval)
            await asyncio.to_thread(self.refresh)

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
        self._predictor = Predictor(release=release, model=model, store=self._store)
        _LOG.info("serving version %d of %s", release.version, self.name)

    def _failed(self, signature: object, message: str) -> None:
        self._retry_at = time.monotonic() + self._retry
        if self._failure == (signature, message):
            return
        self._failure = (signature, message)
        served = f"version {self._predictor.release.version}" if self._predictor else "nothing"
        _LOG.error("cannot follow the release of %s, %s is served: %s", self.name, served, message)
