"""Against the version in Production: on the metric, and on a proper scoring rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.checks.answer import failed, not_applicable
from mlops_core.checks.comparison import Pair, compared
from mlops_core.domain.gates import NonInferiority
from mlops_core.domain.metrics import suits

if TYPE_CHECKING:
    from mlops_core.checks.judged import Judged
    from mlops_core.domain.gates import Check, GatePolicy

__all__ = ["champion", "scoring_rule", "unpaired"]


def champion(policy: GatePolicy, judged: Judged) -> Check:
    """Better than the champion, or no worse, as the policy wants it.

    One that cannot be compared with fails the check: nobody is dethroned unseen.
    """
    name, there = "champion", judged.champion
    if there is None:
        return not_applicable(name, f"no version is in Production yet to compare {policy.metric} with")
    pair = Pair.of(judged)
    if pair is None:
        why = there.obstacle or "it made no predictions"
        sentence = (
            f"version {there.number} in Production cannot be compared with: {why}. Mend that and run again, "
            f'or let a person promote this version by name and waive "{name}"'
        )
        return failed(name, sentence)
    return compared(name, policy.metric, policy.comparison, pair, policy.confidence)


def scoring_rule(policy: GatePolicy, judged: Judged) -> Check:
    """Probabilities no worse: a better ranking is no excuse for them. For numbers, any metric of numbers."""
    name, rule = "scoring rule", policy.scoring_rule
    if rule is None:
        return not_applicable(name, "the policy names no scoring rule")
    if not suits(rule, judged.task):
        return not_applicable(name, f"{rule} does not judge {judged.task}; the policy can name one that does")
    pair = Pair.of(judged)
    if pair is None:
        return not_applicable(name, unpaired(judged, rule))
    return compared(name, rule, NonInferiority(margin=policy.scoring_margin), pair, policy.confidence)


def unpaired(judged: Judged, metric: str) -> str:
    """Why there is nothing to compare a metric with."""
    if judged.champion is None:
        return f"no version is in Production yet to compare {metric} with"
    return f'version {judged.champion.number} in Production cannot be compared with, see "champion"'
