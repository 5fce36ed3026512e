"""How soon the server takes a bad release on trial back, and how often a good one.

Run from the repository's root, where nothing else runs::

    python -m benchmarks.trial              # some minutes; --trials 20 for a look
    python -m benchmarks.trial --numbers    # of a model of amounts, see `benchmarks/trial_numbers.py`

What serves is gradient boosting on 20,000 rows of six features, 14 % of which are of the rarer class. Beside
it, by the counting and the default bounds of the server itself (`mlops_core.serving.trial`), without HTTP:
good releases (the same model; fitted on a month more; another algorithm that does as well) and bad ones.
Requests are of one row each, drawn anew in each trial; each goes to one release by the weight, or to both as
a shadow.

The tables: of good releases, how many trials were ended within 10,000 requests of callers (with the upper end
of the 95 % interval by Wilson); of bad ones, how many requests the release on trial was given until it was
taken back, and to how many of them callers got its answer.
"""

from __future__ import annotations

import argparse
import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from mlops_core.adapters.trainer.sklearn import SklearnTrainer
from mlops_core.domain.candidates import GradientBoosting, LogisticRegression
from mlops_core.domain.metrics import task_of
from mlops_core.domain.release import Probes, Release
from mlops_core.domain.traffic import Bounds
from mlops_core.domain.trial import OnTrial
from mlops_core.metrics.shift import shift_by_task
from mlops_core.serving.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FEATURES, POPULATION, LEARNT = 6, 20_000, 20_000
MOST = 10_000  # requests of callers in a trial
RELEASE = Release(
    name="churn",
    version=2,
    digest="0" * 64,
    candidate="boosting",
    uri="releases/churn/2-000000000000",
    released_at=datetime(2026, 11, 1, tzinfo=UTC),
    use_case="{}",
    feature_names=("orders",),
    threshold=0.5,
    probes=Probes(rows=((1.0,),), expected=(0.5,)),
    files={"model.json": "0" * 64},
)


@dataclass(frozen=True)
class Candidate:
    """A release to be tried: its scores of the population, which rows it fails, and what a request takes."""

    name: str
    scores: Floats
    fails: NDArray[np.bool_]
    milliseconds: float = 3.0


@dataclass(frozen=True)
class Way:
    """How it is tried."""

    percent: int
    shadow: bool = False

    def __str__(self) -> str:
        return f"shadow of {self.percent} %" if self.shadow else f"{self.percent} %"


WAYS = (Way(10), Way(50), Way(100, shadow=True))


@dataclass(frozen=True)
class Outcome:
    """`given` requests, `seen` of which callers have the answer of; `asked` by callers in all."""

    given: int
    seen: int
    asked: int
    over: bool


def population(seed: int, rows: int) -> tuple[Floats, NDArray[np.int8]]:
    """Rows of six features, and which are of the rarer class."""
    drawn = np.random.default_rng(seed)
    table = drawn.normal(size=(rows, FEATURES))
    odds = -2.4 + 1.2 * table[:, 0] - 0.9 * table[:, 1] + 0.5 * table[:, 2] * (table[:, 3] > 0)
    scales = np.array([1.0, 10.0, 3.0, 1.0, 100.0, 5.0])  # orders, days, amounts
    return (table + 3.0) * scales, (drawn.random(rows) < 1 / (1 + np.exp(-odds))).astype(np.int8)


def candidates() -> tuple[Floats, list[Candidate], list[Candidate]]:
    """Scores of what serves, good releases and bad ones, on one population."""
    trainer = SklearnTrainer()
    learnt, labels = population(1, LEARNT)
    more, more_labels = population(2, LEARNT // 12)
    table, _ = population(3, POPULATION)
    serving = trainer.fit(GradientBoosting(), learnt, labels)
    scores = serving.predict(table)
    later = trainer.fit(
        GradientBoosting(), np.concatenate([learnt, more]), np.concatenate([labels, more_labels])
    )
    other = trainer.fit(LogisticRegression(), learnt, labels)
    swapped = serving.predict(table[:, [1, 0, *range(2, FEATURES)]])
    never = np.zeros(POPULATION, dtype=np.bool_)
    some = np.random.default_rng(4).random(POPULATION)
    good = [
        Candidate("the same model", scores, never),
        Candidate("a month more to learn from", later.predict(table), never),
        Candidate("logistic regression instead", other.predict(table), never),
    ]
    bad = [
        Candidate("fails every request", scores, some < 1),
        Candidate("fails 1 in 5", scores, some < 0.2),
        Candidate("fails 1 in 20", scores, some < 0.05),
        Candidate("takes 300 ms", scores, never, 300.0),
        Candidate("scores 0.05 too high", np.minimum(scores + 0.05, 1.0), never),
        Candidate("scores 0.1 too high", np.minimum(scores + 0.1, 1.0), never),
        Candidate("scores 0.3 too high", np.minimum(scores + 0.3, 1.0), never),
        Candidate("two features swapped", swapped, never),
        Candidate("one score for everybody", np.full(POPULATION, scores.mean()), never),
    ]
    return scores, good, bad


def tried(candidate: Candidate, serving: Floats, way: Way, seed: int, release: Release = RELEASE) -> Outcome:
    """One trial, until it is taken back or callers have asked enough."""
    now = 0.0
    terms = OnTrial(share="s", release=release, percent=way.percent, shadow=way.shadow, bounds=Bounds())
    trial = Trial(terms, cast("Any", None), clock=lambda: now)
    drawn = np.random.default_rng(seed)
    rows, weights = drawn.integers(0, POPULATION, MOST).tolist(), (drawn.random(MOST) * 100).tolist()
    random.seed(seed)
    seen = 0
    for asked, (row, weight) in enumerate(zip(rows, weights, strict=True), 1):
        theirs = serving[row : row + 1]
        if weight >= way.percent:
            trial.served(0.003, theirs)
            continue
        request = trial.begin()
        now += candidate.milliseconds / 1000
        if candidate.fails[row]:
            trial.failed(request)
        else:
            trial.answered(request, candidate.scores[row : row + 1], theirs if way.shadow else None)
            seen += not way.shadow
        if trial.over:
            return Outcome(trial.tally.requests, seen, asked, over=True)
    return Outcome(trial.tally.requests, seen, MOST, over=False)


def upper(count: int, of: int) -> float:
    """The upper end of Wilson's interval of 95 %."""
    z, share = 1.96, count / of
    middle, half = share + z * z / (2 * of), z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return (middle + half) / (1 + z * z / of)


def heads(which: str) -> str:
    """The first line of the table of "good" or "bad" releases."""
    return f"| {which} release | index | {' | '.join(map(str, WAYS))} |"


def good_lines(serving: Floats, good: list[Candidate], trials: int, release: Release) -> Iterator[str]:
    """A line for each good release."""
    yield heads("good")
    yield "| --- | --- |" + " --- |" * len(WAYS)
    for one in good:
        cells = [f"{shift_by_task(serving, one.scores, task_of(release.threshold)):.3f}"]
        for way in WAYS:
            over = sum(tried(one, serving, way, seed, release).over for seed in range(trials))
            cells.append(f"{over} of {trials} (at most {upper(over, trials):.1%})")
        yield f"| {one.name} | {' | '.join(cells)} |"


def bad_lines(serving: Floats, bad: list[Candidate], trials: int, release: Release) -> Iterator[str]:
    """A line for each bad release."""
    yield heads("bad")
    yield "| --- | --- |" + " --- |" * len(WAYS)
    for one in bad:
        cells = [f"{shift_by_task(serving, one.scores, task_of(release.threshold)):.2f}"]
        for way in WAYS:
            found = [tried(one, serving, way, seed, release) for seed in range(trials)]
            cells.append(_cell([outcome for outcome in found if outcome.over], len(found)))
        yield f"| {one.name} | {' | '.join(cells)} |"


def _cell(over: list[Outcome], trials: int) -> str:
    if not over:
        return f"never in {MOST:,}"
    middle: Callable[[list[int]], str] = lambda found: f"{np.median(found):.0f}"  # noqa: E731 - used twice below
    given, seen = [one.given for one in over], [one.seen for one in over]
    missed = "" if len(over) == trials else f"; {trials - len(over)} of {trials} not found"
    return f"{middle(given)} (95 %: {np.quantile(given, 0.95):.0f}), {middle(seen)}{missed}"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument("--numbers", action="store_true", help="of a model of amounts")
    arguments = parser.parse_args()
    trials, release = arguments.trials, RELEASE
    if arguments.numbers:
        from benchmarks import trial_numbers  # which is made of what stands here

        release = trial_numbers.RELEASE_OF_NUMBERS
        serving, good, bad = trial_numbers.candidates()
    else:
        serving, good, bad = candidates()
    for line in good_lines(serving, good, trials, release):
        print(line, flush=True)
    print()
    for line in bad_lines(serving, bad, max(1, trials // 3), release):
        print(line, flush=True)


if __name__ == "__main__":
    main()
