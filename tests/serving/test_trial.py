"""What a trial counts, and when its verdict falls."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from mlops_core.domain.release import Probes, Release
from mlops_core.domain.traffic import Bounds
from mlops_core.domain.trial import OnTrial
from mlops_core.serving.trial import Trial

if TYPE_CHECKING:
    from numpy.typing import NDArray

RELEASE = Release(
    name="churn",
    version=2,
    digest="d" * 64,
    candidate="boosting",
    uri="releases/churn/2-dddddddddddd",
    released_at=datetime(2026, 11, 1, tzinfo=UTC),
    use_case="{}",
    feature_names=("orders",),
    threshold=0.5,
    probes=Probes(rows=((1.0,),), expected=(0.5,)),
    files={"model.json": "e" * 64},
)


class Rig:
    """A trial whose clock stands still unless it is told otherwise."""

    def __init__(self, **bounds: Any) -> None:
        self.now = 0.0
        terms = OnTrial(share="s", release=RELEASE, percent=10, bounds=Bounds(**bounds))
        self.trial = Trial(terms, cast("Any", None), by="server 1", clock=lambda: self.now)

    @property
    def why(self) -> str:
        """The verdict's reason; empty while there is none."""
        return self.trial.verdict.why if self.trial.verdict else ""

    def answer(self, score: float = 0.5, milliseconds: float = 1.0) -> None:
        """A request that the release on trial answers."""
        request = self.trial.begin()
        self.now += milliseconds / 1000
        self.trial.answered(request, np.array([score]))

    def fail(self) -> None:
        """One that it fails."""
        self.trial.failed(self.trial.begin())


def scores(seed: int, count: int) -> NDArray[np.float64]:
    """As a model of churn gives them: many low, some high."""
    return np.random.default_rng(seed).beta(0.6, 2.0, count)


def both(rig: Rig, mine: NDArray[np.float64], theirs: NDArray[np.float64]) -> int:
    """Requests to either in turn; how many the release on trial had when the verdict fell, or all."""
    for count, (one, other) in enumerate(zip(mine, theirs, strict=True), 1):
        rig.trial.served(0.001, np.array([other]))
        rig.answer(one)
        if rig.trial.over:
            return count
    return len(mine)


def test_failures_in_a_row_are_enough() -> None:
    """A success in between begins anew; and what came before the verdict is in it."""
    rig = Rig(failures=3)
    for _ in range(10):
        rig.answer()
        rig.fail()
        rig.fail()
        assert not rig.trial.over
    rig.fail()
    assert rig.why == "3 of its requests in a row failed"
    verdict = rig.trial.verdict
    assert verdict is not None
    assert (verdict.requests, verdict.errors, verdict.share, verdict.by) == (31, 21, "s", "server 1")


def test_a_share_of_failures_counts_from_the_fewest_requests_on() -> None:
    rig = Rig(error_rate=0.05, fewest=20, failures=99)
    for number in range(1, 20):
        rig.fail() if number % 2 else rig.answer()
        assert not rig.trial.over
    rig.answer()
    assert rig.why == "10 of its last 20 requests failed, more than 0.05 of them"


def test_as_many_failures_as_are_allowed_are_allowed() -> None:
    rig = Rig(error_rate=0.05, fewest=20)
    for number in range(200):
        rig.fail() if number % 20 == 19 else rig.answer()
    assert not rig.trial.over


def test_only_the_last_thousand_requests_are_looked_at() -> None:
    """What a trial did yesterday is no reason today, and its memory stays bounded."""
    rig = Rig(error_rate=0.01, failures=99)
    for number in range(3000):
        rig.fail() if number < 1000 and number % 100 == 99 else rig.answer()
    assert not rig.trial.over
    assert rig.trial.tally.requests == 3000
    for _ in range(10):
        rig.fail()
    assert not rig.trial.over
    rig.fail()
    assert rig.why == "11 of its last 1,000 requests failed, more than 0.01 of them"


def test_two_slow_requests_of_the_first_hundred_decide() -> None:
    """The 99th percentile is beyond the bound then, whatever the others take."""
    rig = Rig(latency_ms=10.0)
    rig.answer(milliseconds=10.5)
    rig.answer(milliseconds=9.5)
    assert not rig.trial.over
    rig.answer(milliseconds=10.5)
    assert rig.why.startswith("2 of its last 3 requests took more than 10 ms")


def test_one_slow_request_in_a_hundred_is_allowed() -> None:
    rig = Rig(latency_ms=10.0)
    for number in range(1000):
        rig.answer(milliseconds=20.0 if number % 100 == 99 else 1.0)
    assert not rig.trial.over


def test_requests_that_never_end_are_slow_as_well() -> None:
    """Nobody waits for them to be counted: the next one that would be given to it sees them."""
    rig = Rig(latency_ms=10.0)
    for _ in range(2):
        rig.trial.begin()
    rig.now += 1.0
    assert not rig.trial.over
    rig.trial.begin()
    assert "took more than 10 ms" in rig.why


def test_a_request_that_what_serves_fails_too_says_nothing() -> None:
    rig = Rig(failures=1)
    rig.trial.void(rig.trial.begin())
    assert (rig.trial.over, rig.trial.tally.requests) == (False, 0)


@pytest.mark.parametrize("moved", [0.1, 0.3])
def test_scores_that_moved_are_found_out_with_the_fewest_requests(moved: float) -> None:
    """Scores 0.1 too high are another population by far: 100 of them show it."""
    for seed in range(20):
        rig = Rig()
        seen = both(rig, np.minimum(scores(seed, 1000) + moved, 1), scores(seed + 99, 1000))
        assert seen <= 150, seed
        assert "its scores moved from those of what serves by a population stability index" in rig.why


def test_scores_of_the_same_model_are_left_alone() -> None:
    """Over 50 trials of 1,000 requests each; `benchmarks/trial.py` has the rate over thousands."""
    for seed in range(50):
        rig = Rig()
        both(rig, scores(seed, 1000), scores(seed + 500, 1000))
        assert not rig.trial.over, (seed, rig.why)


def test_few_different_scores_are_no_population() -> None:
    """One entity asked for again and again shows nothing of the others, though the models differ on it."""
    rig = Rig()
    both(rig, np.full(500, 0.41), np.full(500, 0.40))
    assert not rig.trial.over
    assert rig.trial.figures().psi is None


def test_a_shadow_is_compared_on_the_same_requests() -> None:
    rig = Rig()
    for one in scores(1, 120):
        rig.trial.answered(rig.trial.begin(), np.array([min(one + 0.3, 1.0)]), np.array([one]))
    assert "its scores moved" in rig.why


def test_one_row_of_a_request_counts() -> None:
    """Rows of one request are no sample of what callers ask."""
    rig = Rig()
    for seed in range(3):
        rig.trial.served(0.001, scores(seed, 1000))
        rig.trial.answered(rig.trial.begin(), scores(seed, 1000) + 0.3)
    assert rig.trial.figures().psi is None
    assert not rig.trial.over


@pytest.mark.parametrize("bound", ["error_rate", "latency_ms", "shift"])
def test_a_lifted_bound_is_not_looked_at(bound: str) -> None:
    rig = Rig(**{bound: None})
    for number, one in enumerate(scores(1, 400)):
        rig.trial.served(0.001, np.array([one]))
        if bound == "error_rate":
            rig.fail()
        else:
            rig.answer(one / 10 + 0.9 if bound == "shift" else one, 500.0 if bound == "latency_ms" else 1.0)
        assert not rig.trial.over, (number, rig.why)


def test_figures_are_what_was_counted() -> None:
    rig = Rig()
    for number in range(200):
        rig.trial.served(0.002, np.array([number / 200]))
        rig.answer(number / 200, milliseconds=3.0)
    rig.fail()
    rig.trial.dropped()
    found = rig.trial.figures()
    assert (found.version, found.percent, found.requests, found.errors, found.dropped) == (2, 10, 201, 1, 1)
    assert found.p99_ms == pytest.approx(3.0)
    assert found.serving_p99_ms == pytest.approx(2.0)
    assert found.psi == pytest.approx(0.0, abs=1e-9)
    assert found.verdict is None


def test_every_request_is_counted_from_many_threads() -> None:
    rig = Rig(latency_ms=None)

    def ask() -> None:
        for one in scores(3, 500):
            rig.trial.served(0.001, np.array([one]))
            rig.trial.answered(rig.trial.begin(), np.array([one]))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (rig.trial.tally.requests, rig.trial.over) == (2000, False)
