"""A release on trial in this server: what its requests came to, and the verdict when that was too bad."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from mlops_core.domain.metrics import task_of
from mlops_core.domain.trial import Tally, Verdict
from mlops_core.domain.value import Value
from mlops_core.serving.judge import Figures, index, judged

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mlops_core.domain.trial import OnTrial
    from mlops_core.serving.predictor import Predictor

    Floats = NDArray[np.float64]

__all__ = ["Trial", "TrialFigures"]

_WINDOW = 1000  # requests and scores of each arm that are looked back at
_EVERY = 10  # requests between two looks at the scores, which take a tenth of a millisecond


class TrialFigures(Value):
    """A trial as one server has it.

    `requests` were given to the release on trial (a shadow is asked them as well) and `errors` of them
    failed; `dropped` were not asked of a shadow that could not keep up. `p99_ms` is of the last 1,000 alone,
    without HTTP, and `psi` the index of their scores; None while there are too few. `verdict` is why it was
    taken back.
    """

    version: int
    digest: str
    percent: int
    shadow: bool
    requests: int
    errors: int
    dropped: int
    p99_ms: float | None
    serving_p99_ms: float | None
    psi: float | None
    verdict: str | None


class Trial:
    """Counts requests of the release on trial and of what serves beside it; any thread may.

    `over` says that it was taken back: the release gets no more requests. `clock` gives seconds.
    """

    def __init__(
        self,
        terms: OnTrial,
        predictor: Predictor,
        *,
        by: str = "",
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.terms, self.predictor = terms, predictor
        self.verdict: Verdict | None = None
        self._by, self._clock = by, clock
        self._lock = threading.Lock()
        self._requests = self._errors = self._dropped = self._in_a_row = self._begun = 0
        self._under_way: dict[int, float] = {}
        self._outcomes: deque[tuple[float, bool]] = deque(maxlen=_WINDOW)  # milliseconds, failed
        self._recent_errors = self._recent_slow = 0
        self._serving_ms: deque[float] = deque(maxlen=_WINDOW)
        self._scores: deque[float] = deque(maxlen=_WINDOW)
        self._reference: deque[float] = deque(maxlen=_WINDOW)

    @property
    def over(self) -> bool:
        """Whether it was taken back."""
        return self.verdict is not None

    @property
    def tally(self) -> Tally:
        """How many requests it was given, and how many of them failed."""
        with self._lock:
            return self._tally()

    def begin(self) -> int:
        """A request goes to the release on trial; names it until `answered`, `failed` or `void`."""
        with self._lock:
            self._begun += 1
            self._under_way[self._begun] = self._clock()
            if len(self._under_way) > 1:
                self._judge(scores=False)  # one that never ends is slow as well
            return self._begun

    def answered(self, request: int, scores: Floats, beside: Floats | None = None) -> None:
        """It answered, with `scores` (n,); `beside` are those of what serves, where that answered it too."""
        row = random.randrange(len(scores))  # noqa: S311 - a sample, no secret
        with self._lock:
            self._ended(request, failed=False)
            self._scores.append(float(scores[row]))
            if beside is not None:
                self._reference.append(float(beside[row]))
            self._judge(scores=self._requests % _EVERY == 0)

    def failed(self, request: int) -> None:
        """It failed, where what serves did not."""
        with self._lock:
            self._ended(request, failed=True)
            self._judge(scores=False)

    def void(self, request: int) -> None:
        """What serves failed as well: that says nothing of the release on trial."""
        with self._lock:
            del self._under_way[request]

    def dropped(self) -> None:
        """The shadow was not asked, because it could not keep up."""
        with self._lock:
            self._dropped += 1

    def served(self, seconds: float, scores: Floats | None = None) -> None:
        """What serves answered a request; `scores` where the release on trial is compared with it."""
        with self._lock:
            self._serving_ms.append(seconds * 1000)
            if scores is not None:
                self._reference.append(float(scores[random.randrange(len(scores))]))  # noqa: S311 - a sample

    def condemn(self, why: str) -> None:
        """Take it back, unless it was already."""
        with self._lock:
            self._condemn(why)

    def figures(self) -> TrialFigures:
        """As it stands."""
        with self._lock:
            tally, dropped, figures = self._tally(), self._dropped, self._figures(scores=True)
            mine, theirs = [ms for ms, _ in self._outcomes], list(self._serving_ms)
        terms, release = self.terms, self.terms.release
        return TrialFigures(
            version=release.version,
            digest=release.digest,
            percent=terms.percent,
            shadow=terms.shadow,
            requests=tally.requests,
            errors=tally.errors,
            dropped=dropped,
            p99_ms=_p99(mine),
            serving_p99_ms=_p99(theirs),
            psi=index(figures, terms.bounds),
            verdict=self.verdict.why if self.verdict else None,
        )

    def _ended(self, request: int, *, failed: bool) -> None:
        took = (self._clock() - self._under_way.pop(request)) * 1000
        if len(self._outcomes) == _WINDOW:
            gone_ms, gone_failed = self._outcomes[0]
            self._recent_errors -= gone_failed
            self._recent_slow -= self._is_slow(gone_ms)
        self._outcomes.append((took, failed))
        self._requests += 1
        self._errors += failed
        self._recent_errors += failed
        self._recent_slow += self._is_slow(took)
        self._in_a_row = self._in_a_row + 1 if failed else 0

    def _is_slow(self, milliseconds: float) -> bool:
        bound = self.terms.bounds.latency_ms
        return bound is not None and milliseconds > bound

    def _figures(self, *, scores: bool) -> Figures:
        now = self._clock()
        overdue = sum(self._is_slow((now - begun) * 1000) for begun in self._under_way.values())
        mine, theirs = (self._scores, self._reference) if scores else ((), ())
        return Figures(
            len(self._outcomes) + overdue,
            self._recent_errors,
            self._in_a_row,
            self._recent_slow + overdue,
            np.array(mine),
            np.array(theirs),
            task_of(self.terms.release.threshold),
        )

    def _judge(self, *, scores: bool) -> None:
        if self.verdict is None:
            why = judged(self._figures(scores=scores), self.terms.bounds)
            if why is not None:
                self._condemn(why)

    def _condemn(self, why: str) -> None:
        if self.verdict is None:
            said = {"why": why, "at": datetime.now(UTC), "by": self._by}
            self.verdict = Verdict(**self._tally().model_dump(), **said)

    def _tally(self) -> Tally:
        return Tally(share=self.terms.share, requests=self._requests, errors=self._errors)


def _p99(milliseconds: list[float]) -> float | None:
    return float(np.quantile(milliseconds, 0.99)) if milliseconds else None
