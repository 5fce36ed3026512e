"""Does the challenger's training data lie as the champion's did?

By the population stability index (PSI) of each feature; 0.1 is commonly read as a small shift and 0.25 as a
large one (N. Siddiqi, "Credit Risk Scorecards", 2006). A feature that broke at its source shows here first.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pyarrow as pa

from mlops_core.checks.answer import answered, not_applicable, told
from mlops_core.metrics import population_stability

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_core.checks.judged import Champion, Judged
    from mlops_core.domain.gates import Check, GatePolicy

__all__ = ["drift"]

_NAME = "drift"


def drift(policy: GatePolicy, judged: Judged) -> Check:
    """The worst feature's PSI from the champion's training rows to the challenger's is within the limit."""
    champion = judged.champion
    if champion is None:
        return not_applicable(_NAME, "no version is in Production yet whose training data to compare with")
    if policy.drift is None:
        return not_applicable(_NAME, "lifted by the policy")
    found = _indices(champion, judged.training)
    expected = [name for name in found if name in policy.expected_drift]
    looked_at = {name: value for name, value in found.items() if name not in expected}
    figures = {**{f"psi {name}": value for name, value in found.items()}, "limit": policy.drift}
    left_out = _left_out(champion, judged.training, {name: found[name] for name in expected})
    if not looked_at:
        finite = {key: value for key, value in figures.items() if math.isfinite(value)}
        return not_applicable(_NAME, f"no feature is left to compare{left_out}", **finite)
    broken = [name for name, value in looked_at.items() if not math.isfinite(value)]
    if broken:
        sentence = f"the population stability index of {', '.join(broken)} is not finite{left_out}"
        return answered(_NAME, False, sentence, figures)
    worst = max(looked_at, key=lambda name: looked_at[name])
    good = looked_at[worst] <= policy.drift
    over = [name for name, value in looked_at.items() if value > policy.drift]
    sentence = (
        f"{worst} moved most from the training data of version {champion.number}: its population stability "
        f"index is {_told(looked_at[worst], policy.drift)}, {'at most' if good else 'more than'} "
        f"{policy.drift:g}{_also(over, worst, looked_at)}{left_out}"
    )
    figures = {key: value for key, value in figures.items() if math.isfinite(value)}  # of what may move
    return answered(_NAME, good, sentence, figures)


def _indices(champion: Champion, training: pa.Table) -> dict[str, float]:
    """PSI by feature, of those that both were trained on."""
    shared = [name for name in training.column_names if name in champion.profile.features]
    columns = {name: training[name].cast(pa.float64()).to_numpy() for name in shared}
    return {
        name: population_stability(champion.profile.features[name], values)
        for name, values in columns.items()
    }


def _also(over: list[str], worst: str, found: Mapping[str, float]) -> str:
    others = [f"{name} {_told(found[name])}" for name in over if name != worst]
    return f", and so have moved {', '.join(others)}" if others else ""


def _left_out(champion: Champion, training: pa.Table, expected: Mapping[str, float]) -> str:
    """What was not looked at, and why; empty when everything was."""
    here, there = training.column_names, champion.profile.features
    moved = [f"{name} {_told(value)}" for name, value in expected.items()]
    new = [name for name in here if name not in there]
    gone = [name for name in there if name not in here]
    parts = {"expected to move": moved, "new": new, "no longer there": gone}
    said = [f"{why} ({', '.join(names)})" for why, names in parts.items() if names]
    return f"; left out are features {', '.join(said)}" if said else ""


def _told(index: float, limit: float | None = None) -> str:
    """Rounding leaves a trace of an index where nothing moved."""
    return "0.0000" if index < 1e-6 else told(index, limit)
