"""Which release answers a request: what serves, one on trial, or the one that is asked for by its version.

Where one is on trial, every request that names no version is given to it or to what serves by a draw of its
own, an entity's id being of no account: so both are asked by the same population, and their scores differ as
the models do. (By a hash of the id each entity would get one model's answers while the trial lasts, but a few
busy entities on one side would look like a shift, and a request may ask about many.) No caller sees an error
of the release on trial: what serves answers then.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from mlops_core.errors import NotFound, Unavailable
from mlops_core.serving.account import answered
from mlops_core.serving.shadow import Shadow

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mlops_core.serving.follower import ReleaseFollower
    from mlops_core.serving.predictor import Predictor
    from mlops_core.serving.trial import Trial, TrialFigures

__all__ = ["Answer", "Arms"]

Body = TypeVar("Body")
Arm = Literal["serving", "trial"]
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer(Generic[Body]):
    """What a caller gets, the scores in it (n,), and by which predictor on which arm."""

    body: Body
    scores: NDArray[np.float64]
    by: Predictor
    arm: Arm = "serving"


Work = Callable[["Predictor"], Answer[Body]]


class Arms:
    """The releases that answer callers of `follower`'s model. `draw` gives numbers from 0 to 1."""

    def __init__(self, follower: ReleaseFollower, *, draw: Callable[[], float] = random.random) -> None:
        self._follower, self._draw = follower, draw
        self._shadow = Shadow()
        self._settled: Trial | None = None

    @property
    def name(self) -> str:
        """The model's name."""
        return self._follower.name

    def predictor(self, version: str | None = None) -> Predictor:
        """What serves, or the one on trial where that is asked for by its version.

        Raises `Unavailable` while nothing serves, `NotFound` for a version that is neither.
        """
        return self._named(version)[0]

    def predictors(self) -> dict[Arm, Predictor]:
        """All that answer callers right now, by their arm; empty before the first release."""
        try:
            serving = self._follower.predictor()
        except Unavailable:
            return {}
        trial = self._on_trial()
        return {"serving": serving, "trial": trial.predictor} if trial else {"serving": serving}

    def is_quick(self, *, online: bool = False) -> bool:
        """Whether a request of few rows may be answered where it would hold others up, see `Predictor`.

        Not by a release on trial: it may yet turn out to be slow.
        """
        trial = self._on_trial()
        tried = trial is not None and not trial.terms.shadow
        return not tried and self._follower.predictor().is_quick(online=online)

    @property
    def versions(self) -> list[str]:
        """Those that can be asked for: the one that serves first."""
        serving = self._follower.predictor()
        trial = self._on_trial()
        return [str(one.release.version) for one in (serving, trial.predictor if trial else None) if one]

    def trial(self) -> TrialFigures | None:
        """How the release on trial does in this server; also after it was taken back here."""
        trial = self._follower.trial()
        return trial.figures() if trial else None

    @property
    def swaps(self) -> int:
        """How often another release began to serve in the place of one."""
        return self._follower.swaps

    @property
    def failures(self) -> int:
        """How many looks at the current release failed."""
        return self._follower.failures

    def answer(self, work: Work[Body], version: str | None = None) -> Answer[Body]:
        """Do the work of one request with the release that is to answer it.

        `work` may be called a second time with another predictor, or beside, so it changes nothing. Requests
        that name a version are not counted for or against a trial: they are no sample of what callers ask.
        """
        found = self._answer(work, version)
        answered(found)
        return found

    def _answer(self, work: Work[Body], version: str | None) -> Answer[Body]:
        if version is not None:
            predictor, arm = self._named(version)
            return replace(work(predictor), arm=arm)
        serving, trial = self._follower.predictor(), self._on_trial()
        if trial is None:
            return work(serving)
        drawn = self._draw() * 100 < trial.terms.percent
        if trial.terms.shadow:
            return self._shadowed(work, serving, trial) if drawn else work(serving)
        return self._tried(work, serving, trial) if drawn else self._served(work, serving, trial)

    def _served(self, work: Work[Body], serving: Predictor, trial: Trial) -> Answer[Body]:
        begun = time.perf_counter()
        answer = work(serving)
        trial.served(time.perf_counter() - begun, answer.scores)
        return answer

    def _tried(self, work: Work[Body], serving: Predictor, trial: Trial) -> Answer[Body]:
        request = trial.begin()
        try:
            answer = replace(work(trial.predictor), arm="trial")
        except Exception as error:  # whatever it is: what serves says whether it is the caller's fault
            try:
                answer = work(serving)
            except BaseException:
                trial.void(request)
                raise
            _LOG.debug("version %d failed a request: %s", trial.terms.release.version, type(error).__name__)
            trial.failed(request)
        else:
            trial.answered(request, answer.scores)
        self._settle(trial)
        return answer

    def _shadowed(self, work: Work[Body], serving: Predictor, trial: Trial) -> Answer[Body]:
        begun = time.perf_counter()
        answer = work(serving)
        trial.served(time.perf_counter() - begun)

        def ask() -> None:
            if trial.over:
                return
            request = trial.begin()
            try:
                beside = work(trial.predictor)
            except Exception:  # whatever it is: what serves has answered, so it is the trial's
                trial.failed(request)
            else:
                trial.answered(request, beside.scores, answer.scores)
            self._settle(trial)

        if not self._shadow.take(ask):
            trial.dropped()
        return answer

    def _settle(self, trial: Trial) -> None:
        """Have a verdict told at once, in a thread: it is written to a disk."""
        if trial.over and trial is not self._settled:
            self._settled = trial
            threading.Thread(target=self._follower.tell, name="verdict", daemon=True).start()

    def _on_trial(self) -> Trial | None:
        trial = self._follower.trial()
        return trial if trial is not None and not trial.over else None

    def _named(self, version: str | None) -> tuple[Predictor, Arm]:
        current, trial = self._follower.predictor(), self._on_trial()
        if version in (None, str(current.release.version)):
            return current, "serving"
        if trial is not None and version == str(trial.terms.release.version):
            return trial.predictor, "trial"
        beside = f", and version {trial.terms.release.version} is on trial" if trial else ""
        raise NotFound(
            f"this version is not served; version {current.release.version} of {self.name!r} is{beside}"
        )
