"""A challenger that is plainly better than the champion, on rows that are enough: everything passes."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from mlops_core.checks import Champion, Judged, Predictions, judge
from mlops_core.definitions import Where
from mlops_core.domain.gates import Check, GatePolicy, NonInferiority, Slice
from mlops_core.metrics import intervals, profile_of

if TYPE_CHECKING:
    from mlops_core.domain.receipts import Interval

ROWS = 1200

SLICES = (
    Slice(name="low", where=(Where("signal", "<", 0),)),
    Slice(name="web", where=(Where("web", "==", True), Where("signal", ">=", -1))),
)
POLICY = GatePolicy(
    floor=0.6, floors={"accuracy": 0.6}, ceilings={"log_loss": 0.7}, slices=SLICES, slice_margin=0.05
)
NUMBERS = GatePolicy(
    metric="neg_mean_absolute_error",
    floor=-1,
    floors={"r2": 0.3},
    comparison=NonInferiority(margin=0.05),
    scoring_rule="neg_mean_squared_error",
    scoring_margin=0.1,
    slices=SLICES,
    slice_margin=0.1,
)


@cache
def columns() -> pa.Table:
    """The features: signal (numbers), orders (whole, some missing), web (booleans)."""
    random = np.random.default_rng(7)
    orders = random.integers(1, 6, ROWS)
    return pa.table(
        {
            "signal": random.normal(size=ROWS),
            "orders": pa.array([None if one == 5 else int(one) for one in orders], pa.int64()),
            "web": random.random(ROWS) < 0.5,
        }
    )


def signal(noise: float = 0.0, seed: int = 0) -> np.ndarray[Any, np.dtype[np.float64]]:
    """What the label depends on, as seen through so much noise."""
    drawn = np.random.default_rng(seed).normal(size=ROWS)
    return np.asarray(columns()["signal"].to_numpy() + noise * drawn, dtype=np.float64)


def probability(of: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The logistic function."""
    return np.asarray(1 / (1 + np.exp(-of)), dtype=np.float64)


@cache
def classes() -> Judged:
    """Binary labels."""
    chance = np.random.default_rng(1).random(ROWS)
    truth = (chance < probability(signal())).astype(np.float64)
    ours = probability(signal())
    return _judged("classification", truth, ours, probability(signal(1.0)), intervals(truth, ours, 0.5))


@cache
def numbers() -> Judged:
    """Numbers."""
    truth, ours = signal(1.0, seed=1), signal()
    named = intervals(truth, ours, 0.5, more=NUMBERS.metrics, task="regression")
    return _judged("regression", truth, ours, signal(1.0, seed=2), named)


def _judged(task: Any, truth: Any, ours: Any, theirs: Any, named: dict[str, Interval]) -> Judged:
    champion = Champion(number=2, profile=profile_of(columns()), predictions=Predictions(scores=theirs))
    return Judged(
        task=task,
        truth=truth,
        challenger=Predictions(scores=ours),
        champion=champion,
        rows=columns(),
        training=columns(),
        intervals=named,
        latency_ms=0.4,
        size_mb=0.2,
    )


def first(rows: int, judged: Judged) -> Judged:
    """The same with so many rows."""
    champion = judged.champion
    assert champion is not None
    assert champion.predictions is not None
    theirs = Predictions(scores=champion.predictions.scores[:rows])
    return replace(
        judged,
        truth=judged.truth[:rows],
        challenger=Predictions(scores=judged.challenger.scores[:rows]),
        champion=replace(champion, predictions=theirs),
        rows=judged.rows.slice(0, rows),
    )


def with_scores(judged: Judged, ours: Any = None, theirs: Any = None) -> Judged:
    """The same with other predictions; intervals stay."""
    champion = judged.champion
    assert champion is not None
    if ours is not None:
        judged = replace(judged, challenger=Predictions(scores=ours))
    if theirs is not None:
        judged = replace(judged, champion=replace(champion, predictions=Predictions(scores=theirs)))
    return judged


def check(name: str, policy: GatePolicy, judged: Judged) -> Check:
    """The check of this name; others that take long are not asked."""
    slices = tuple(one for one in policy.slices if name == f"slice {one.name}")
    rule = policy.scoring_rule if name == "scoring rule" else None
    asked = policy.model_copy(update={"slices": slices, "scoring_rule": rule})
    return {one.name: one for one in judge(asked, judged)}[name]
