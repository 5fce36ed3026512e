"""The gate: may this version serve? Armed for everyone; a "no" is a decision, not an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.domain.digest import digest_of
from mlops_core.domain.gates import GateDecision
from mlops_core.domain.inputs import Inputs
from mlops_core.domain.receipts import GateReceipt
from mlops_core.progress import tell
from mlops_core.promotion import decide, registered, standing_of
from mlops_core.stages.champion import judged_against

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_core.domain.gates import Check, GatePolicy
    from mlops_core.domain.receipts import (
        EvaluationReceipt,
        FeatureStoreReceipt,
        ModelRegistryReceipt,
        TrainingSetReceipt,
    )
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.standing import Standing
    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import Engines

__all__ = ["STAGE", "champion_for", "gate", "gate_inputs", "kept_decision"]

STAGE = "gate"


def gate(
    use_case: UseCase,
    events: FeatureStoreReceipt,
    rows: TrainingSetReceipt,
    evaluation: EvaluationReceipt,
    registration: ModelRegistryReceipt,
    *,
    engines: Engines,
) -> GateReceipt:
    """Check the version against the policy and, on the same rows, against the one in Production.

    The decision is entered in the ledger. A version that is in Production already keeps the decision that
    brought it there.
    """
    name, policy = use_case.name, use_case.gate
    mine = registered(engines, name, registration.version)
    standing = standing_of(engines, name)
    kept = kept_decision(standing, mine)
    if kept is not None:
        return GateReceipt(decision=kept)
    champion = champion_for(engines, standing, mine)
    inputs = gate_inputs(use_case, evaluation, mine, champion, engines=engines)

    def make(folder: Path) -> GateReceipt:
        from mlops_core.checks import judge

        tell("scoring the rows by challenger and champion" if champion else "timing predictions", 0.0)
        judged = judged_against(use_case, events, rows, evaluation, champion, engines=engines)
        tell("asking the policy's questions", 0.4)
        decision = _decision(policy, mine, champion, judge(policy, judged), engines.code.whole)
        (folder / "decision.json").write_text(decision.model_dump_json(indent=1))
        return GateReceipt(decision=decision)

    receipt = engines.workspace.produce(inputs, GateReceipt, make)
    decide(engines, mine, receipt.decision)
    return receipt


def kept_decision(standing: Standing, mine: ModelVersion) -> GateDecision | None:
    """The decision that brought a version to Production, where it still is; else None."""
    return standing.decisions.get(mine.number) if standing.production == mine.number else None


def champion_for(engines: Engines, standing: Standing, mine: ModelVersion) -> ModelVersion | None:
    """The version in Production that another one is compared with; None when there is none."""
    number = standing.production
    return registered(engines, standing.name, number) if number not in (None, mine.number) else None


def gate_inputs(
    use_case: UseCase,
    evaluation: EvaluationReceipt,
    mine: ModelVersion,
    champion: ModelVersion | None,
    *,
    engines: Engines,
) -> Inputs:
    """What decides the verdict: both versions, the evaluation, the policy and all code that made them.

    A decision names the code of the whole delivery, not of the gate alone: so does its key.
    """
    rival = f"version {champion.number}, {champion.digest}" if champion else "none"
    return Inputs(
        stage=STAGE,
        use_case=use_case.name,
        data={
            "version": f"version {mine.number}, {mine.digest}",
            "champion": rival,
            "evaluation": digest_of(evaluation),
        },
        definitions={"policy": use_case.gate.model_dump(mode="json")},
        code=dict(engines.code.all_parts),
    )


def _decision(
    policy: GatePolicy,
    mine: ModelVersion,
    champion: ModelVersion | None,
    checks: tuple[Check, ...],
    code: str,
) -> GateDecision:
    failed = any(check.outcome == "failed" for check in checks)
    return GateDecision(
        verdict="rejected" if failed else "passed",
        version=mine.number,
        model_digest=mine.digest,
        champion=champion.number if champion else None,
        champion_digest=champion.digest if champion else None,
        checks=checks,
        policy=policy,
        code=code,
    )
