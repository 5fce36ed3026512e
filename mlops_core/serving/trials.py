"""Following the release on trial: which one, for how much of the traffic, and telling what it came to."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from mlops_core.errors import BadInput, IntegrityError, MlopsError, NotFound, Unavailable
from mlops_core.serving.predictor import Predictor
from mlops_core.serving.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.domain.release import Release
    from mlops_core.domain.trial import OnTrial, Tally, Verdict
    from mlops_core.ports import FittedModel, OnlineStore

__all__ = ["ShareSource", "TrialFollower"]

_LOG = logging.getLogger(__name__)


@runtime_checkable
class ShareSource(Protocol):
    """A deployer that has releases on trial, as a server sees it. All may be called from any thread."""

    def share_mark(self, name: str) -> object:
        """Something cheap that compares unequal once another share holds, or this one was ended."""

    def on_trial(self, name: str) -> OnTrial | None:
        """The release that has a share of the callers, verified; None when none has (any more)."""

    def taken_back(self, name: str, share: str) -> Verdict | None:
        """The verdict by which a server took the release of this share back; None where none did."""

    def take_back(self, name: str, verdict: Verdict) -> None:
        """End a share for all servers that follow. The first verdict counts; none of another share does."""

    def tell(self, name: str, server: str, tally: Tally) -> None:
        """Keep what a server counted since it started, for whoever asks for the status."""


class TrialFollower:
    """Holds the release on trial of one name, and looks when told to.

    What cannot be verified or loaded gets no requests: the release that serves answers them all. A verdict
    holds in this process at once. Where it cannot be kept (a state folder that cannot be written to), it is
    logged and holds as long as this process lives.
    """

    def __init__(
        self,
        *,
        name: str,
        source: ShareSource,
        load: Callable[[Release], FittedModel],
        store: OnlineStore,
        retry: float = 5.0,
        tell_every: float = 1.0,
    ) -> None:
        self.trial: Trial | None = None
        self.server = f"server {secrets.token_hex(4)}"
        self._name, self._source, self._load, self._store = name, source, load, store
        self._retry, self._tell_every = retry, tell_every
        self._seen: object = self  # equal to no mark
        self._failure: tuple[object, str] | None = None
        self._retry_at = self._tell_at = 0.0
        self._telling = threading.Lock()
        self._told: Tally | None = None
        self._kept: Trial | None = None  # its verdict is known to the source
        self._logged: Trial | None = None
        self._cannot_tell: str | None = None

    def refresh(self, serving: Release | None) -> None:
        """Look once, beside what serves; called by one thread at a time. Failures are logged once."""
        if self.trial is not None and (self.trial.over or time.monotonic() >= self._tell_at):
            self.tell()
        mark: object = None
        try:
            mark = (self._source.share_mark(self._name), serving and serving.uri)
            if self._due(mark):
                self._follow(serving)
                self._seen, self._failure = mark, None
        except MlopsError as error:
            self._failed(mark, str(error))
        except Exception as error:  # an engine's own: the server must outlive it, and say it
            self._failed(mark, f"{type(error).__name__}: {error}")

    def tell(self) -> None:
        """Tell the source what the trial came to, as far as it does not know; by any thread."""
        trial = self.trial
        if trial is None:
            return
        with self._telling:
            if trial.over and self._logged is not trial:
                self._logged = trial
                self._log(trial)
            try:
                self._tell_source(trial)
                self._cannot_tell = None
            except Unavailable:
                pass  # somebody is deploying: it is told at the next look
            except (MlopsError, OSError) as error:
                if self._cannot_tell != str(error):
                    self._cannot_tell = str(error)
                    _LOG.warning("what the trial of %s comes to stays in this server: %s", self._name, error)

    def _tell_source(self, trial: Trial) -> None:
        if trial.verdict is not None and self._kept is not trial:
            self._source.take_back(self._name, trial.verdict)
            self._kept = trial
        tally = trial.tally
        if tally != self._told:
            self._source.tell(self._name, self.server.rpartition(" ")[2], tally)
            self._told = tally
        self._tell_at = time.monotonic() + self._tell_every

    def _due(self, mark: object) -> bool:
        if self._failure is None or self._failure[0] != mark:
            return mark != self._seen
        return time.monotonic() >= self._retry_at

    def _follow(self, serving: Release | None) -> None:
        found = self._source.on_trial(self._name) if serving is not None else None
        same = found is not None and serving is not None and found.release.uri == serving.uri
        if found is None or same:
            self._leave()
        elif self.trial is None or self.trial.terms.share != found.share:
            self._begin(found)

    def _begin(self, found: OnTrial) -> None:
        release = found.release
        try:
            predictor = Predictor(release=release, model=self._load(release), store=self._store)
            predictor.is_quick()  # tried here, in a thread, and not while a caller waits
        except (BadInput, IntegrityError, NotFound) as error:
            self._refuse(found, f"it cannot be loaded: {error}")
            raise
        self.trial = Trial(found, predictor, by=self.server)
        what = "is asked beside what serves, for" if found.shadow else "answers"
        percent = found.percent
        _LOG.info("version %d of %s %s %d %% of requests", release.version, self._name, what, percent)
        self.tell()

    def _refuse(self, found: OnTrial, why: str) -> None:
        from datetime import UTC, datetime

        from mlops_core.domain.trial import Verdict

        self.trial = None
        said = Verdict(share=found.share, why=why, at=datetime.now(UTC), by=self.server)
        self._source.take_back(self._name, said)

    def _leave(self) -> None:
        self.tell()
        trial, self.trial = self.trial, None
        if trial is None or trial.over:
            return
        verdict = self._source.taken_back(self._name, trial.terms.share)
        why = f"{verdict.by} took it back: {verdict.why}" if verdict else "it was ended"
        _LOG.info("version %d of %s is no longer on trial: %s", trial.terms.release.version, self._name, why)

    def _log(self, trial: Trial) -> None:
        assert trial.verdict is not None  # noqa: S101 - asked by the caller
        _LOG.error(
            "version %d of %s is taken back after %d requests (%d failed): %s. What serves answers all",
            trial.terms.release.version,
            self._name,
            trial.verdict.requests,
            trial.verdict.errors,
            trial.verdict.why,
        )

    def _failed(self, mark: object, message: str) -> None:
        self.trial = None
        self._retry_at = time.monotonic() + self._retry
        if self._failure != (mark, message):
            self._failure = (mark, message)
            _LOG.error("cannot follow the trial of %s, what serves answers all: %s", self._name, message)
