"""A gate's policy in words and numbers, for those who do not read definitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.domain.gates import NonInferiority
from mlops_core.domain.metrics import suits
from mlops_core.domain.readable import higher_is_better, readable, title_of
from mlops_core.domain.time import in_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_core.domain.gates import Approval, GatePolicy, Slice

__all__ = ["conditions", "floor_words", "limit_words", "policy_words"]

Line = tuple[str, str]


def policy_words(policy: GatePolicy) -> list[Line]:
    """A caption and a sentence for each demand, in the order of the checks; what was lifted says so."""
    return [*_alone(policy), *_against_champion(policy), *_cost(policy), ("Approval", _approval(policy))]


def limit_words(metric: str, words: str, bound: float) -> str:
    """Such as "at least 0.75"; a bound on a loss of numbers is turned round with its sign."""
    shown = readable(metric, bound)
    turned = {"at least": "at most", "at most": "at least", "floor": "at most"}
    return f"{words if shown == bound else turned[words]} {shown:g}"


def floor_words(policy: GatePolicy) -> str:
    """What the definitions ask for and what the run was told in its place, as a sentence."""
    stated, told = (readable(policy.metric, one) for one in (policy.replaced_floor or 0.0, policy.floor))
    if (stated, told) != (policy.replaced_floor, policy.floor):
        return (
            f"The definitions ask for {title_of(policy.metric)} of at most {stated:g}; the run was told "
            f"{told:g} in its place."
        )
    return f"The definitions ask for a floor of {stated:g}; the run was told {told:g} in its place."


def conditions(one: Slice) -> str:
    """Which rows a slice has, such as "orders == 1 and recency_days < 90"."""
    return " and ".join(
        f"{where.column} {where.operator} {', '.join(map(str, where.values))}" for where in one.where
    )


def _alone(policy: GatePolicy) -> Iterator[Line]:
    of_numbers = suits(policy.metric, "regression")
    per_class = f", at least {policy.minimum_per_class:,} of each class of a binary label"
    yield "Rows", f"at least {policy.minimum_rows:,} evaluation rows{'' if of_numbers else per_class}"
    reach = "reach" if higher_is_better(policy.metric) else "stay at or below"
    floor = (
        f"the worse end of the {policy.confidence:.0%} interval of {title_of(policy.metric)} "
        f"must {reach} {readable(policy.metric, policy.floor):g}"
    )
    if policy.replaced_floor is not None:
        stated = readable(policy.metric, policy.replaced_floor)
        floor += f"; the definitions say {stated:g}, which this run was told to replace"
    yield "Floor", floor
    for metric, bound in policy.floors.items():
        yield title_of(metric), limit_words(metric, "at least", bound)
    for metric, bound in policy.ceilings.items():
        yield title_of(metric), limit_words(metric, "at most", bound)
    spread = " standard deviations of the label, on average" if of_numbers else ""
    off = policy.calibration
    calibration = "not asked" if off is None else f"off by at most {off:g}{spread}"
    yield "Calibration", f"what is predicted and what happens: {calibration}"


def _against_champion(policy: GatePolicy) -> Iterator[Line]:
    wanted, sure = policy.comparison, f"with {policy.confidence:.0%} confidence"
    if isinstance(wanted, NonInferiority):
        better = f"not worse by {wanted.margin:g} or more, {sure}"
    else:
        least = f", and by at least {wanted.smallest_effect:g}" if wanted.smallest_effect else ""
        better = f"better {sure}{least}"
    yield "Champion", f"{title_of(policy.metric)} on the same rows {better}"
    if policy.scoring_rule is None:
        yield "Scoring rule", "none"
    else:
        rule = title_of(policy.scoring_rule)
        yield (
            "Scoring rule",
            f"{rule} on the same rows not worse by {policy.scoring_margin:g} or more, {sure}",
        )
    for one in policy.slices:
        margin = f"{title_of(policy.metric)} not worse by {policy.slice_margin:g} or more, {sure}"
        yield f"Slice {one.name}", f"where {conditions(one)}: {margin}"
    if policy.drift is None:
        yield "Drift", "not asked"
    else:
        expected = f"; expected to move: {', '.join(policy.expected_drift)}" if policy.expected_drift else ""
        index = f"a population stability index of at most {policy.drift:g} for each feature"
        yield "Drift", f"{index}, from the champion's training rows to this version's{expected}"


def _cost(policy: GatePolicy) -> Iterator[Line]:
    latency, size = policy.latency_ms, policy.size_mb
    yield "Latency", "not asked" if latency is None else f"a prediction takes at most {latency:g} ms (median)"
    yield "Size", "not asked" if size is None else f"the model's files take at most {size:g} MB"


def _approval(policy: GatePolicy) -> str:
    terms: Approval | None = policy.approval
    if terms is None:
        return "no person is asked"
    said = f"a person must consent within {in_words(terms.expires)}"
    if terms.by_another:
        said += ", another than the one who started the run"
    return f"{said}; these may: {', '.join(terms.approvers)}" if terms.approvers else said
