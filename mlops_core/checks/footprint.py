"""What does it cost to serve: the time of a prediction, and the size of the model?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.checks.answer import answered, not_applicable, told

if TYPE_CHECKING:
    from mlops_core.checks.judged import Judged
    from mlops_core.domain.gates import Check, GatePolicy

__all__ = ["latency", "size"]


def latency(policy: GatePolicy, judged: Judged) -> Check:
    """The median time of one prediction, on the machine that judges."""
    return _within("latency", "a prediction takes (median)", "ms", judged.latency_ms, policy.latency_ms)


def size(policy: GatePolicy, judged: Judged) -> Check:
    """The model's files; measured, for equal models may be saved in different bytes."""
    return _within("size", "the model's files take", "MB", judged.size_mb, policy.size_mb)


def _within(name: str, lead: str, unit: str, value: float, limit: float | None) -> Check:
    if limit is None:
        return not_applicable(name, "lifted by the policy")
    good = 0 <= value <= limit
    sentence = (
        f"{lead} {told(value, limit, places=2)} {unit}: {'at most' if good else 'not at most'} {limit:g}"
    )
    return answered(name, good, sentence, {"limit": limit}, {f"{name}_{unit.lower()}": value})
