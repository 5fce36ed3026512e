"""What happens to the versions of a model, in a ledger of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlops_core.adapters.ledger.memory import MemoryLedger
from mlops_core.domain.gates import Approval, Check, GateDecision, GatePolicy
from mlops_core.domain.ledger import (
    ApprovalRequested,
    Approved,
    Archived,
    Binding,
    Decided,
    Draft,
    Promoted,
    Refused,
    Registered,
)
from mlops_core.domain.standing import Standing

if TYPE_CHECKING:
    from mlops_core.domain.ledger import AnyEvent
    from mlops_core.domain.registry import ModelVersion

__all__ = ["Life"]


class Life:
    """What happens to versions of a model, kept in a ledger."""

    def __init__(self, name: str = "churn") -> None:
        self.name = name
        self.ledger = MemoryLedger()

    @property
    def standing(self) -> Standing:
        """Where they stand."""
        return Standing.of(self.name, self.ledger.entries(self.name))

    def add(self, version: ModelVersion, *events: AnyEvent, actor: str = "ann") -> Standing:
        """Enter what happened to a version."""
        drafts = [
            Draft(version=version.number, model=version.digest, event=event, actor=actor, reason="a test")
            for event in events
        ]
        self.ledger.append(self.name, drafts, after=self.standing.head)
        return self.standing

    def registered(self, version: ModelVersion) -> Standing:
        """It came to Staging."""
        return self.add(
            version, Registered(run_id=version.run_id, training_set="t", definitions="d", code="c")
        )

    def promoted(self, version: ModelVersion) -> Standing:
        """It went to Production, and the one there before out of it."""
        before = self.standing
        self.add(version, Promoted(champion=before.production))
        if before.production is not None:
            gone = version.model_copy(update={"number": before.production, "digest": before.champion})
            self.add(gone, Archived(successor=version.number))
        return self.standing

    def decided(
        self, version: ModelVersion, *, passed: bool = True, sentence: str = "roc_auc is 0.81"
    ) -> Standing:
        """The gate decided on it."""
        decision = GateDecision(
            verdict="passed" if passed else "rejected",
            version=version.number,
            model_digest=version.digest,
            checks=(Check(name="floor", outcome="passed" if passed else "failed", sentence=sentence),),
            policy=GatePolicy(floor=0.7),
            code="e" * 64,
        )
        return self.add(version, Decided(decision=decision))

    def asked(self, version: ModelVersion) -> Standing:
        """A person was asked about it."""
        words = dict.fromkeys(("training_set", "definitions", "code", "policy", "decision", "report"), "x")
        event = ApprovalRequested(
            binding=Binding(model=version.digest, champion=None, **words),
            terms=Approval(),
            expires_at=datetime(2024, 6, 7, 12, 30, tzinfo=UTC),
            report_path="report.html",
        )
        return self.add(version, event)

    def answered(self, version: ModelVersion, *, consent: bool, actor: str = "bea") -> Standing:
        """The person answered."""
        question = self.standing.requests[version.number].digest
        return self.add(version, (Approved if consent else Refused)(request=question), actor=actor)
