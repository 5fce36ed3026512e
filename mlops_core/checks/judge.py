"""All questions of the gate, in the order in which a person wants to read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.checks.calibration import calibration
from mlops_core.checks.champion import champion, scoring_rule
from mlops_core.checks.drift import drift
from mlops_core.checks.footprint import latency, size
from mlops_core.checks.limits import bounds, floor
from mlops_core.checks.rows import enough_rows
from mlops_core.checks.slices import slices

if TYPE_CHECKING:
    from mlops_core.checks.judged import Judged
    from mlops_core.domain.gates import Check, GatePolicy

__all__ = ["judge"]


def judge(policy: GatePolicy, judged: Judged) -> tuple[Check, ...]:
    """Every check of the policy, asked or found not applicable; none is ever left out."""
    return (
        enough_rows(policy, judged),
        floor(policy, judged),
        *bounds(policy, judged),
        champion(policy, judged),
        scoring_rule(policy, judged),
        *slices(policy, judged),
        calibration(policy, judged),
        drift(policy, judged),
        latency(policy, judged),
        size(policy, judged),
    )
