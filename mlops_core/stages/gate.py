"""The gate: may this version serve? Armed for everyone; a "no" is a decision, not an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.domain.digest import digest_of
from mlops_core.domain.gates import Check, GateDecision
from mlops_core.domain.metrics import greater_is_better
from mlops_core.domain.receipts import GateReceipt
from mlops_core.errors import NotFound
from mlops_core.provenance import code_digest
from mlops_core.stages.champion import compare

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_core.domain.gates import GatePolicy
    from mlops_core.domain.receipts import (
        EvaluationReceipt,
        FeatureStoreReceipt,
        ModelRegistryReceipt,
        TrainingSetReceipt,
    )
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import Engines

__all__ = ["gate"]

STAGE = "gate"


def gate(
    use_case: UseCase,
    events: FeatureStoreReceipt,
    rows: TrainingSetReceipt,
    evaluation: EvaluationReceipt,
    registered: ModelRegistryReceipt,
    *,
    engines: Engines,
) -> GateReceipt:
    """Check the version against the policy and, on the same rows, against the one in Production.

    The decision is kept with the version. A version that is in Production already keeps the decision that
    brought it there.
    """
    versions = engines.registry.versions(use_case.name)
    mine = next((one for one in versions if one.number == registered.version), None)
    if mine is None:
        raise NotFound(
            f"{use_case.name} version {registered.version} is no longer in the registry: run again to "
            "register it anew"
        )
    champion = next((one for one in versions if one.stage == "Production"), None)
    if mine.stage == "Production" and mine.decision is not None:
        return GateReceipt(decision=mine.decision)
    against = champion.digest if champion else None
    key = digest_of([STAGE, code_digest(), use_case.gate, mine.digest, against, evaluation])

    def make(folder: Path) -> GateReceipt:
        checks = absolute_checks(use_case.gate, evaluation)
        if champion is None or champion.digest == mine.digest:
            checks.append(_no_champion(use_case.gate))
        else:
            checks.append(compare(use_case, events, rows, evaluation, champion, engines=engines))
        receipt = GateReceipt(decision=_decide(use_case.gate, mine, champion, checks))
        (folder / "decision.json").write_text(receipt.model_dump_json(indent=1))
        return receipt

    receipt = engines.workspace.produce(STAGE, key, GateReceipt, make)
    if mine.decision != receipt.decision:
        engines.registry.decide(use_case.name, receipt.decision)
    return receipt


def absolute_checks(policy: GatePolicy, evaluation: EvaluationReceipt) -> list[Check]:
    """The checks that need no champion: enough rows, the floor, further floors and ceilings."""
    checks = [_enough(policy, evaluation), _floor(policy, evaluation)]
    bounds = [(name, bound, "at least") for name, bound in policy.floors.items()]
    bounds += [(name, bound, "at most") for name, bound in policy.ceilings.items()]
    for name, bound, side in bounds:
        value = evaluation.metrics[name].value
        good = value >= bound if side == "at least" else value <= bound
        verb = "is" if good else "is not"
        sentence = f"{name} {value:.4f} {verb} {side} {bound:g}"
        checks.append(_check(f"{name} {side}", good, sentence, value=value, bound=bound))
    return checks


def _enough(policy: GatePolicy, evaluation: EvaluationReceipt) -> Check:
    rarer = min(evaluation.positives, evaluation.rows - evaluation.positives)
    good = evaluation.rows >= policy.minimum_rows and rarer >= policy.minimum_per_class
    sentence = (
        f"{evaluation.rows:,} evaluation rows, {rarer:,} of the rarer class; "
        f"needed are {policy.minimum_rows:,} and {policy.minimum_per_class:,}"
    )
    return _check("enough rows", good, sentence, rows=evaluation.rows, rarer_class=rarer)


def _floor(policy: GatePolicy, evaluation: EvaluationReceipt) -> Check:
    interval = evaluation.metrics[policy.metric]
    greater = greater_is_better(policy.metric)
    worst = interval.low if greater else interval.high
    good = worst >= policy.floor if greater else worst <= policy.floor
    side = ("at or above" if good else "below") if greater else ("at or below" if good else "above")
    sentence = (
        f"{policy.metric} {interval.value:.4f}, at {policy.confidence:.0%} confidence "
        f"{interval.low:.4f} to {interval.high:.4f}: its worse end is {side} the floor {policy.floor:g}"
    )
    return _check("floor", good, sentence, value=interval.value, worst=worst, floor=policy.floor)


def _no_champion(policy: GatePolicy) -> Check:
    sentence = f"no version is in Production yet to compare {policy.metric} with"
    return Check(name="champion", outcome="not applicable", sentence=sentence)


def _decide(
    policy: GatePolicy, mine: ModelVersion, champion: ModelVersion | None, checks: list[Check]
) -> GateDecision:
    failed = any(check.outcome == "failed" for check in checks)
    return GateDecision(
        verdict="rejected" if failed else "passed",
        version=mine.number,
        model_digest=mine.digest,
        champion=champion.number if champion else None,
        champion_digest=champion.digest if champion else None,
        checks=tuple(checks),
        policy_digest=digest_of(policy),
    )


def _check(name: str, good: bool, sentence: str, **figures: float) -> Check:
    return Check(name=name, outcome="passed" if good else "failed", sentence=sentence, figures=figures)
