"""The server's figures, in the text that Prometheus reads.

They are counted by the event loop alone, so plain numbers do and nothing is locked; a scrape only writes them
down. The label `version` has few values at any time: of versions, the ones that answered last are kept.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import generate_latest

from mlops_core.domain.metrics import task_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray
    from prometheus_client.metrics_core import Metric

    from mlops_core.domain.metrics import Task
    from mlops_core.serving.account import Account
    from mlops_core.serving.arms import Answer, Arms

__all__ = ["ServerMetrics"]

_SECONDS = (
    0.0005,
    0.001,
    0.002,
    0.003,
    0.005,
    0.0075,
    0.01,
    0.015,
    0.02,
    0.03,
    0.05,
    0.1,
    0.25,
    0.5,
    1,
    2.5,
    5,
    10,
)
_PROBABILITIES = tuple(twentieth / 20 for twentieth in range(1, 21))
_DECADES = range(-3, 10)
# The same for every model and release, so that servers and versions can be added up and compared
_NUMBERS = (
    *(-float(f"1e{decade}") for decade in reversed(_DECADES)),
    0.0,
    *(float(f"{first}e{decade}") for decade in _DECADES for first in (1, 2, 5)),
)
_BOUNDS: dict[Task, tuple[float, ...]] = {"classification": _PROBABILITIES, "regression": _NUMBERS}
_VERSIONS = 4
_FEW = 16  # scores that are placed one by one faster than by NumPy


class _Histogram:
    """How many values were at most each bound."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def add(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def add_all(self, values: NDArray[np.float64]) -> None:
        if len(values) <= _FEW:
            for value in values.tolist():
                self.add(value)
            return
        placed = np.bincount(np.searchsorted(self._bounds, values), minlength=len(self._counts))
        self._counts = [had + more for had, more in zip(self._counts, placed.tolist(), strict=True)]
        self._sum += float(values.sum())

    def written(self, family: HistogramMetricFamily, labels: Sequence[str]) -> None:
        bounds = [*(str(float(bound)) for bound in self._bounds), "+Inf"]
        buckets = list(zip(bounds, accumulate(self._counts), strict=True))
        family.add_metric(labels, buckets=buckets, sum_value=self._sum)


class ServerMetrics:
    """What one server counted since it started; see docs/serving.md for the names.

    `under_way` is of the requests right now. A scrape asks `arms` which releases answer.
    """

    content_type = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(self, arms: Arms, *, clock: Callable[[], float] = time.time) -> None:
        self.under_way = 0
        self._arms = arms
        self._clock = clock
        self._requests: dict[tuple[str, ...], int] = {}
        self._durations: dict[tuple[str, ...], _Histogram] = {}
        self._rows: dict[tuple[str, ...], int] = {}
        self._scores: dict[tuple[str, ...], _Histogram] = {}
        self._versions: dict[str, None] = {}  # the one that answered last is last
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def count(self, account: Account, seconds: float) -> None:
        """Count a request that is over and took so long."""
        version = arm = ""
        if account.answer is not None:
            version, arm = str(account.answer.by.release.version), account.answer.arm
            self._answered_by(version)
            self._count_scores((version, arm), account.answer)
        key = (account.route, account.method, str(account.status or "none"), version, arm)
        self._requests[key] = self._requests.get(key, 0) + 1
        timed = (account.route, version, arm)
        histogram = self._durations.get(timed)
        if histogram is None:
            histogram = self._durations[timed] = _Histogram(_SECONDS)
        histogram.add(seconds)

    def text(self) -> bytes:
        """All figures as Prometheus reads them."""
        return generate_latest(self._registry)

    def collect(self) -> Iterable[Metric]:
        """The figures; called by the registry."""
        requests = CounterMetricFamily(
            "mlops_requests",
            "Requests that are over.",
            labels=("route", "method", "status", "version", "arm"),
        )
        for key, count in self._requests.items():
            requests.add_metric(key, count)
        yield requests
        seconds = HistogramMetricFamily(
            "mlops_request_seconds", "How long requests took.", labels=("route", "version", "arm")
        )
        for key, histogram in self._durations.items():
            histogram.written(seconds, key)
        yield seconds
        yield GaugeMetricFamily("mlops_requests_under_way", "Requests right now.", value=self.under_way)
        yield from self._of_predictions()
        yield from self._of_releases()
        yield from self._of_trial()

    def _of_predictions(self) -> Iterable[Metric]:
        rows = CounterMetricFamily("mlops_rows", "Rows predicted.", labels=("version", "arm"))
        for key, count in self._rows.items():
            rows.add_metric(key, count)
        yield rows
        scores = HistogramMetricFamily("mlops_scores", "Scores that callers got.", labels=("version", "arm"))
        for key, histogram in self._scores.items():
            histogram.written(scores, key)
        yield scores

    def _of_releases(self) -> Iterable[Metric]:
        info = GaugeMetricFamily(
            "mlops_release_info",
            "1 for a release that answers.",
            labels=("model", "version", "digest", "arm"),
        )
        age = GaugeMetricFamily(
            "mlops_online_features_age_seconds",
            "How old the online features were that were read last, by the instant they stand at.",
            labels=("version", "arm"),
        )
        for arm, predictor in self._arms.predictors().items():
            release = predictor.release
            info.add_metric((release.name, str(release.version), release.digest, arm), 1)
            if predictor.features_as_of is not None:
                seconds = self._clock() - predictor.features_as_of.timestamp()
                age.add_metric((str(release.version), arm), seconds)
        yield info
        yield age
        yield CounterMetricFamily(
            "mlops_release_swaps", "Times that another release began to serve.", value=self._arms.swaps
        )
        yield CounterMetricFamily(
            "mlops_follower_failures",
            "Looks at the current release that failed; what served goes on serving.",
            value=self._arms.failures,
        )

    def _of_trial(self) -> Iterable[Metric]:
        trial = self._arms.trial()
        if trial is None:
            return
        labels, values = ("version", "shadow"), (str(trial.version), "true" if trial.shadow else "false")
        for family, value in (
            (
                CounterMetricFamily("mlops_trial_requests", "Requests that it was given.", labels=labels),
                trial.requests,
            ),
            (CounterMetricFamily("mlops_trial_errors", "Those that failed.", labels=labels), trial.errors),
            (
                CounterMetricFamily(
                    "mlops_trial_dropped", "Those that a shadow was not asked.", labels=labels
                ),
                trial.dropped,
            ),
            (
                GaugeMetricFamily(
                    "mlops_trial_percent", "Its share of requests; 0 once taken back.", labels=labels
                ),
                0 if trial.verdict else trial.percent,
            ),
            (
                GaugeMetricFamily(
                    "mlops_trial_score_shift", "Population stability index of its scores.", labels=labels
                ),
                trial.psi,
            ),
        ):
            if value is not None:
                family.add_metric(values, value)
            yield family

    def _count_scores(self, key: tuple[str, str], answer: Answer[Any]) -> None:
        histogram, scores = self._scores.get(key), answer.scores
        if histogram is None:
            task = task_of(answer.by.release.threshold)
            histogram = self._scores[key] = _Histogram(_BOUNDS[task])
        histogram.add_all(scores)
        self._rows[key] = self._rows.get(key, 0) + len(scores)

    def _answered_by(self, version: str) -> None:
        self._versions.pop(version, None)
        self._versions[version] = None
        if len(self._versions) > _VERSIONS:
            gone = next(iter(self._versions))
            del self._versions[gone]
            for figures, place in (
                (self._requests, 3),
                (self._durations, 1),
                (self._rows, 0),
                (self._scores, 0),
            ):
                for key in [key for key in figures if key[place] == gone]:
                    del figures[key]
