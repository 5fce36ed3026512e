"""Evidence to show, as a gate and a person would have left it; fields that are named replace its own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mlops_core.domain.conditions import Where
from mlops_core.domain.descent import Descent, Node
from mlops_core.domain.digest import digest_of
from mlops_core.domain.evidence import Consent, Digests, Evidence
from mlops_core.domain.gates import Approval, Check, GateDecision, GatePolicy, Slice
from mlops_core.domain.receipts import Interval
from mlops_core.domain.registry import Lineage

POLICY = GatePolicy(
    floor=0.75,
    ceilings={"brier": 0.15},
    slices=(Slice(name="active", where=(Where("recency_days", "<", 90),)),),
    expected_drift=("tenure_days",),
)
ASKING = POLICY.model_copy(update={"approval": Approval(by_another=True, approvers=("ana", "bo"))})
CONSENT = Consent(
    request=digest_of("question"),
    asked_by="ci",
    asked_at=datetime(2026, 11, 21, 9, 30, tzinfo=UTC),
    expires_at=datetime(2026, 11, 28, 9, 30, tzinfo=UTC),
    approved_by="ana",
    approved_at=datetime(2026, 11, 22, 18, 0, tzinfo=UTC),
    reason="better for one-time buyers",
)


def check(name: str, **figures: float) -> Check:
    """A question of the gate that was passed."""
    return Check(name=name, outcome="passed", sentence=f"what {name} says", figures=figures)


def decision(*failed: str, **changes: Any) -> GateDecision:
    """Version 3 against version 2, having failed these checks."""
    drifted = {"psi orders": 0.31, "psi spend": 0.02, "psi tenure_days": 0.4, "limit": 0.25}
    checks = (
        check("floor", value=0.81, low=0.8, high=0.82, floor=0.75),
        check("champion", gain=0.0037, low=0.0023, smallest_effect=0.001),
        check("scoring rule", gain=-0.0011, low=-0.0042, margin=0.002),
        check("slice active", gain=0.0048, low=-0.0104, margin=0.02, rows=3817, rarer_class=1756),
        check("drift", **drifted),
        check("latency").model_copy(update={"outcome": "not applicable"}),
    )
    fields: dict[str, Any] = {
        "verdict": "rejected" if failed else "passed",
        "version": 3,
        "model_digest": digest_of("model"),
        "champion": 2,
        "champion_digest": digest_of("champion"),
        "checks": tuple(
            one.model_copy(update={"outcome": "failed"}) if one.name in failed else one for one in checks
        ),
        "policy": POLICY,
        "code": digest_of("code"),
    }
    return GateDecision(**(fields | changes))


def pack(**changes: Any) -> Evidence:
    """The evidence of version 3, which passed."""
    lineage = Lineage(
        use_case="churn",
        data={"purchases": digest_of("purchases")},
        definitions=digest_of("definitions"),
        training_set=digest_of("rows"),
        candidate=digest_of("candidate"),
        code=digest_of("code"),
        git_commit="d4f5997" + "0" * 33,
        libraries={"numpy": "2.4.6"},
        as_of=datetime(1998, 6, 30, tzinfo=UTC),
        environment={"python": "3.11.7"},
    )
    fields: dict[str, Any] = {
        "name": "churn",
        "version": 3,
        "candidate": "logistic",
        "threshold": 0.4,
        "run_id": "e5a1db03",
        "registered_at": datetime(2026, 11, 21, 9, 0, tzinfo=UTC),
        "feature_names": ("orders", "spend", "tenure_days"),
        "rows": 23570,
        "positives": 20268,
        "metrics": {
            "roc_auc": Interval(value=0.8414, low=0.8334, high=0.8489),
            "brier": Interval(value=0.0886, low=0.0863, high=0.0911),
        },
        "validation": {"boosting": {"roc_auc": 0.8066}, "logistic": {"roc_auc": 0.8084}},
        "decision": decision(),
        "approval": None,
        "lineage": lineage,
        "descent": Descent(
            model="churn",
            version=3,
            nodes=(Node(id="version", kind="version", name="churn 3", digest=digest_of("model")),),
            edges=(),
        ),
        "digests": Digests(
            model=digest_of("model"),
            fitted_state=None,
            training_set=lineage.training_set,
            definitions=lineage.definitions,
            code=lineage.code,
            policy=digest_of(POLICY),
            decision=digest_of("decision"),
            report=None,
        ),
        "files": {"model.skops": digest_of("skops"), "documents/report.html": digest_of("report")},
    }
    return Evidence(**(fields | changes))
