"""Does it reach the floor, and keep within the further floors and ceilings?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mlops_core.checks.answer import answered, failed, told
from mlops_core.domain.metrics import greater_is_better

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_core.checks.judged import Judged
    from mlops_core.domain.gates import Check, GatePolicy
    from mlops_core.domain.receipts import Interval

__all__ = ["bounds", "finite", "floor", "unmeasured"]


def floor(policy: GatePolicy, judged: Judged) -> Check:
    """The pessimistic end of the two-sided interval of the policy's metric reaches the floor."""
    interval = finite(policy.metric, judged)
    if interval is None:
        return failed("floor", unmeasured(policy.metric, judged))
    greater = greater_is_better(policy.metric)
    worst = interval.low if greater else interval.high
    good = worst >= policy.floor if greater else worst <= policy.floor
    side = ("at or above" if good else "below") if greater else ("at or below" if good else "above")
    sentence = (
        f"{policy.metric} {told(interval.value)}, at {policy.confidence:.0%} confidence "
        f"{told(interval.low, policy.floor)} to {told(interval.high, policy.floor)}: its worse end is {side} "
        f"the floor {policy.floor:g}"
    )
    figures = {"value": interval.value, "low": interval.low, "high": interval.high, "floor": policy.floor}
    return answered("floor", good, sentence, figures)


def bounds(policy: GatePolicy, judged: Judged) -> Iterator[Check]:
    """Further metrics by their values, each at least its floor and at most its ceiling."""
    for metric, bound in policy.floors.items():
        yield _bound(metric, "at least", bound, judged)
    for metric, bound in policy.ceilings.items():
        yield _bound(metric, "at most", bound, judged)


def _bound(metric: str, side: str, bound: float, judged: Judged) -> Check:
    name = f"{metric} {side}"
    interval = finite(metric, judged)
    if interval is None:
        return failed(name, unmeasured(metric, judged))
    value = interval.value
    good = value >= bound if side == "at least" else value <= bound
    sentence = f"{metric} {told(value, bound)} is {'' if good else 'not '}{side} {bound:g}"
    return answered(name, good, sentence, {"value": value, "bound": bound})


def finite(metric: str, judged: Judged) -> Interval | None:
    """A metric with its interval; None when it was not measured, or is not finite throughout."""
    found = judged.intervals.get(metric)
    if found is None or not all(map(math.isfinite, (found.value, found.low, found.high))):
        return None
    return found


def unmeasured(metric: str, judged: Judged) -> str:
    """Why a metric that the policy names fails: it has no finite value."""
    return f"{metric} has no finite value on these {len(judged.truth):,} rows, so it cannot pass"
