"""What proves that a version may serve, in one value: the twin of the evidence pack that people read."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from mlops_core.domain.descent import Descent
from mlops_core.domain.gates import GateDecision
from mlops_core.domain.receipts import Interval
from mlops_core.domain.registry import Lineage
from mlops_core.domain.value import Value

__all__ = ["Consent", "Digests", "Evidence", "Verdict", "evidence_schema"]

Verdict = Literal["may serve", "may serve, by a waiver", "awaits approval", "must not serve", "not judged"]


class Consent(Value):
    """A person's approval: what was asked and who answered. `request` is the digest of the question."""

    request: str
    asked_by: str = Field(description="who started the run that asked")
    asked_at: datetime
    expires_at: datetime
    approved_by: str
    approved_at: datetime
    reason: str


class Digests(Value):
    """What the release rests on, each by the digest of its content; None where there is no such thing."""

    model: str = Field(description="of the version: fitted state, training set and definitions together")
    fitted_state: str | None
    training_set: str
    definitions: str
    code: str
    policy: str | None
    decision: str | None
    report: str | None


class Evidence(Value):
    """Everything that a person or an auditor asks of a release; the same release gives the same bytes.

    It says what was known when the release was made: what happened to the version later stands in the ledger.
    `validation` are the metrics by candidate that the choice rests on, `metrics` those of the chosen one on
    the evaluation rows. `waived` are failed checks that a person passed over by name. `files` are digests of
    the model's files and of the documents beside it, by path.
    """

    format: Literal[1] = 1
    name: str = Field(description="the model's")
    version: int = Field(ge=1)
    candidate: str
    threshold: float | None = Field(
        description="scores from here on count as positive; null for a model of a number"
    )
    run_id: str
    registered_at: datetime
    feature_names: tuple[str, ...]
    rows: int | None = Field(description="evaluation rows; null where the evaluation was not registered")
    positives: int | None = Field(description="of those rows; null as well where the label is a number")
    metrics: dict[str, Interval] = Field(description="on the evaluation rows, by name, with intervals")
    validation: dict[str, dict[str, float]] = Field(description="by candidate: what the choice rests on")
    decision: GateDecision | None = Field(description="the gate's; null for what was adopted without one")
    waived: tuple[str, ...] = Field(default=(), description="failed checks that a person passed over by name")
    approval: Consent | None
    lineage: Lineage
    descent: Descent
    digests: Digests
    files: dict[str, str] = Field(description="SHA-256 of each file of the model and its documents, by path")

    @property
    def outstanding(self) -> tuple[str, ...]:
        """Failed checks that nobody passed over."""
        failed = self.decision.failed if self.decision else ()
        return tuple(name for name in failed if name not in self.waived)

    @property
    def verdict(self) -> Verdict:
        """May it serve, by what stands here?"""
        if self.decision is None:
            return "not judged"
        if self.outstanding:
            return "must not serve"
        if self.decision.policy.approval is not None and self.approval is None:
            return "awaits approval"
        return "may serve, by a waiver" if self.waived else "may serve"

    @property
    def sentence(self) -> str:
        """The same in a sentence: "churn version 3, logistic, passed the gate against version 2; approved by
        ana on 2026-11-22.", or whatever is the case.
        """
        who, decision = f"{self.name} version {self.version}, {self.candidate},", self.decision
        if decision is None:
            return (
                f"No gate has judged {who.rstrip(',')}: if it serves, it does so as it was found when the "
                "ledger began."
            )
        against = f" against version {decision.champion}" if decision.champion else ""
        if self.outstanding:
            return f"{who} was rejected by the gate{against}, failing {_listed(self.outstanding)}."
        if self.waived:
            said = f"{who} failed {_listed(self.waived)} at the gate{against}, which a person waived by name"
        elif against:
            said = f"{who} passed the gate{against}"
        else:
            said = f"{who} passed the gate, with no version in Production to compare it with"
        return f"{said}; {self._consent(decision)}."

    def _consent(self, decision: GateDecision) -> str:
        if self.approval is not None:
            return f"approved by {self.approval.approved_by} on {self.approval.approved_at:%Y-%m-%d}"
        if decision.policy.approval is not None:
            return "it may serve once a person approves it"
        return "its policy asks for no person's approval"


def evidence_schema() -> dict[str, Any]:
    """The published JSON Schema (draft 2020-12) of the twin, as documents of format 1 have it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:mlops-core:evidence:1",
        **Evidence.model_json_schema(mode="serialization"),
    }


def _listed(names: tuple[str, ...]) -> str:
    """Such as "drift", "drift and latency", "drift, latency and size"."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
