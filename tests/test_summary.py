"""The last words of a run, for every way in which it ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mlops_core.domain.gates import Check, GateDecision, GatePolicy
from mlops_core.domain.receipts import (
    ApprovalReceipt,
    DeploymentReceipt,
    EvaluationReceipt,
    FeatureStoreReceipt,
    GateReceipt,
    Interval,
    ModelRegistryReceipt,
    Ref,
    Split,
    TrainingSetReceipt,
)
from mlops_core.summary import outcome_of, summarise

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
QUESTION = "q" * 64
WHY = "a sentence that says why"


def context(
    status: str, *, released_at: datetime | None = None, request: str | None = None
) -> dict[str, Any]:
    """The receipts of a run that ended so."""
    rejected = status == "rejected"
    split = Split(snapshots=(NOW,), rows=100, positives=10)
    ref = Ref(uri="stages/x", digest="d")
    decision = GateDecision(
        verdict="rejected" if rejected else "passed",
        version=3,
        model_digest="m",
        checks=(
            Check(name="floor", outcome="failed" if rejected else "passed", sentence="roc_auc is 0.81"),
            Check(name="drift", outcome="not applicable", sentence="there is no champion"),
        ),
        policy=GatePolicy(floor=0.7),
        code="c",
    )
    deployed = DeploymentReceipt.model_validate(
        {
            "status": status,
            "name": "churn",
            "version": 3,
            "stage": "Production" if released_at else "Staging",
            "release": "releases/churn/3-x" if released_at else None,
            "released_at": released_at,
            "why": None if released_at or rejected else WHY,
        }
    )
    return {
        "feature_store": FeatureStoreReceipt(events={}, as_of=NOW, online_rows=5, online_digest="d"),
        "training_set": TrainingSetReceipt(
            ref=ref, feature_names=("a",), fit=split, embargo=split, validation=split, evaluation=split
        ),
        "model_evaluation": EvaluationReceipt(
            candidate="logistic",
            model=ref,
            ref=ref,
            threshold=0.5,
            rows=100,
            positives=10,
            metrics={"roc_auc": Interval(value=0.8, low=0.75, high=0.85)},
            validation={"logistic": {"roc_auc": 0.79}},
        ),
        "model_registry": ModelRegistryReceipt(
            name="churn", version=3, digest="m", run_id="r", report="r.html"
        ),
        "gate": GateReceipt(decision=decision),
        "approval": ApprovalReceipt.model_validate(
            {"status": "waiting" if request else "not wanted", "request": request, "why": WHY}
        ),
        "deployment": deployed,
    }


ENDINGS: list[tuple[dict[str, Any], str, bool, str]] = [
    (context("deployed", released_at=NOW), "delivered", False, "Next: mlops serve my:CHURN"),
    (
        context("deployed", released_at=NOW - timedelta(days=1)),
        "already delivered",
        False,
        "Next: mlops serve my:CHURN",
    ),
    (context("rejected"), "rejected", True, "Next: mlops models show my:CHURN@3"),
    (
        context("waiting", request=QUESTION),
        "awaiting approval",
        False,
        "Next: mlops approve my:CHURN 3 --reason …",
    ),
    (context("refused", request=QUESTION), "refused", True, "Next: mlops models show my:CHURN@3"),
    (context("held back"), "held back", False, "Next: mlops models show my:CHURN@3"),
    (context("handed over"), "handed over", False, "Next: mlops models show my:CHURN@3"),
]


@pytest.mark.parametrize(("receipts", "status", "turned_down", "step"), ENDINGS)
def test_every_ending_is_named_with_what_to_type_next(
    receipts: dict[str, Any], status: str, turned_down: bool, step: str
) -> None:
    outcome = outcome_of(receipts, NOW)
    assert (outcome.status, outcome.turned_down) == (status, turned_down)
    assert outcome.request == receipts["approval"].request
    assert outcome.why == receipts["deployment"].why
    lines = summarise(receipts, outcome, Path("home"), known_as="my:CHURN").splitlines()
    assert lines[0].startswith("churn version 3 ")
    assert lines[-1].startswith(step)
    assert "              - floor: roc_auc is 0.81" in lines
    assert ("goes on serving" in lines[0]) == (outcome.release is None)


@pytest.mark.parametrize(("receipts", "status"), [ending[:2] for ending in ENDINGS])
def test_an_approval_is_told_where_one_is_wanted_and_checks_where_they_applied(
    receipts: dict[str, Any], status: str
) -> None:
    text = summarise(receipts, outcome_of(receipts, NOW), Path("home"))
    assert (f"  approval    {WHY}" in text) == (status in ("awaiting approval", "refused"))
    assert ("question qqqqqqqqqqqq\n" in text) == (status in ("awaiting approval", "refused"))
    assert (f"  held back   {WHY}" in text) == (status == "held back")
    assert (f"  handed over {WHY}" in text) == (status == "handed over")
    assert "drift" not in text
