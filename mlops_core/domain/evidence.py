"""What proves that a version may serve, in one value: the twin of the evidence pack that people read."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from mlops_core.domain.descent import Descent
from mlops_core.domain.gates import GateDecision
from mlops_core.domain.receipts import Interval
from mlops_core.domain.registry import Lineage
from mlops_core.domain.value import Value

__all__ = ["Consent", "Digests", "Evidence"]


class Consent(Value):
    """A person's approval: what was asked and who answered. `request` is the digest of the question."""

    request: str
    asked_by: str
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
    name: str
    version: int = Field(ge=1)
    candidate: str
    threshold: float
    run_id: str
    registered_at: datetime
    feature_names: tuple[str, ...]
    rows: int | None
    positives: int | None
    metrics: dict[str, Interval]
    validation: dict[str, dict[str, float]]
    decision: GateDecision | None
    waived: tuple[str, ...] = ()
    approval: Consent | None
    lineage: Lineage
    descent: Descent
    digests: Digests
    files: dict[str, str]
