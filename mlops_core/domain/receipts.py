"""Receipts: what each stage returns and the next one takes. Small, frozen, JSON; data goes by reference.

A receipt says nothing of when or how fast a stage ran, so that running it again gives the same receipt. The
gate's alone holds what it measured of a model, apart from what follows from the data (`Check.measured`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from mlops_core.domain.gates import GateDecision
from mlops_core.domain.registry import Stage
from mlops_core.domain.value import Value

__all__ = [
    "RECEIPTS",
    "ApprovalReceipt",
    "DeploymentReceipt",
    "EvaluationReceipt",
    "EventLog",
    "FeatureStoreReceipt",
    "GateReceipt",
    "Interval",
    "ModelRegistryReceipt",
    "ModelTrainingReceipt",
    "ParityReport",
    "Ref",
    "Split",
    "TrainingSetReceipt",
]


class Ref(Value):
    """Data by reference: `uri` is a path relative to the state folder, `digest` that of its content."""

    uri: str
    digest: str


class EventLog(Value):
    """A source's events after validation: canonical Parquet, sorted by key and time.

    `digest` is of the table's content (`digest_table`), not of the Parquet bytes.
    """

    ref: Ref
    rows: int
    entities: int
    first: datetime
    last: datetime


class FeatureStoreReceipt(Value):
    """Events are in the feature store up to `as_of`, and online values stand at `as_of`.

    `as_known_at` is set for a run that was told to know less than all: rows recorded later are not there.
    """

    events: dict[str, EventLog]
    as_of: datetime
    as_known_at: datetime | None = None
    online_rows: int
    online_digest: str

    @property
    def knowledge(self) -> dict[str, str | None]:
        """As of when, and as known when: what decides a read besides the events and the definitions."""
        known = self.as_known_at
        return {"as_of": self.as_of.isoformat(), "as_known_at": known.isoformat() if known else None}


class ParityReport(Value):
    """Online values of some entities against a point-in-time read of history, both at `as_of`.

    `missing` of the entities are not online; `differing` counts values by feature. `skipped` says why nothing
    was compared, where that is right.
    """

    as_of: datetime
    compared: int
    missing: int = 0
    differing: dict[str, int] = Field(default_factory=dict)
    skipped: str | None = None

    @property
    def equal(self) -> bool:
        """Whether nothing is missing or different."""
        return not self.missing and not self.differing


class Split(Value):
    """The rows of some snapshots: how many, how many of them positive, and the snapshots' instants.

    `positives` is None where the label is a number.
    """

    snapshots: tuple[datetime, ...]
    rows: int
    positives: int | None = None


class TrainingSetReceipt(Value):
    """Features and label of every (entity, snapshot), in one Parquet file, split by time.

    Columns: the entity's key, `event_timestamp`, the features in order, the label (int8, or float64 for a
    number), and `split`: "fit", "embargo", "validation" or "evaluation". Embargoed rows lie between fit and
    validation, their label windows reaching into it; a final model is fitted on fit, embargo and validation
    together, the label windows of which all closed at or before the evaluation snapshot.
    """

    ref: Ref
    feature_names: tuple[str, ...]
    fit: Split
    embargo: Split
    validation: Split
    evaluation: Split

    @property
    def training(self) -> tuple[datetime, ...]:
        """All snapshots that the delivered model is fitted on."""
        return (*self.fit.snapshots, *self.embargo.snapshots, *self.validation.snapshots)


class ModelTrainingReceipt(Value):
    """One candidate, chosen by nothing yet: its model folder and how it did on validation.

    `metrics` and `threshold` come from a fit on the rows before validation; the model in `ref` is the same
    specification fitted on all training rows. `ref.digest` is the canonical digest of its fitted state.
    A model of a number has no threshold.
    """

    candidate: str
    ref: Ref
    metrics: dict[str, float]
    threshold: float | None = None


class Interval(Value):
    """A figure and its percentile bootstrap interval."""

    value: float
    low: float
    high: float


class EvaluationReceipt(Value):
    """The best candidate by validation, and its figures on the untouched evaluation snapshot.

    `ref` is the folder with `report.html`, `evaluation.json`, `predictions.parquet`, `probes.json` and
    `profile.json`. `metrics` are those always measured and those that the gate's policy names. `threshold`
    and `positives` are None where the label is a number.
    """

    candidate: str
    model: Ref
    ref: Ref
    threshold: float | None = None
    rows: int
    positives: int | None = None
    metrics: dict[str, Interval]
    validation: dict[str, dict[str, float]] = Field(description="metrics by candidate")


class ModelRegistryReceipt(Value):
    """The registered version. `digest` names model and training lineage together."""

    name: str
    version: int
    digest: str
    run_id: str
    report: str = Field(description="path of the HTML report, relative to the state folder")


class GateReceipt(Value):
    """The gate's decision on a version."""

    decision: GateDecision


class ApprovalReceipt(Value):
    """Whether a person consents: `request` is the digest of the question, where one was put.

    `why` is a sentence: who answered and why, or how to answer.
    """

    status: Literal["not wanted", "waiting", "approved", "refused"]
    request: str | None = None
    why: str


class DeploymentReceipt(Value):
    """What became of the version: served from `release`, or not, with nothing changed.

    Not: rejected by the gate, waiting for a person's approval, refused by one, held back, having been rolled
    back from before, or handed over to who delivers in place of this machine. `why` says it in a sentence
    where it is not the gate's "no".
    """

    status: Literal["deployed", "rejected", "waiting", "refused", "held back", "handed over"]
    name: str
    version: int
    stage: Stage
    release: str | None = Field(default=None, description="release folder, relative to the state folder")
    released_at: datetime | None = None
    previous: int | None = Field(default=None, description="version in Production before, if any")
    why: str | None = None


RECEIPTS: dict[str, type[Value]] = {
    "feature_store": FeatureStoreReceipt,
    "feature_verification": ParityReport,
    "training_set": TrainingSetReceipt,
    "model_training": ModelTrainingReceipt,
    "model_evaluation": EvaluationReceipt,
    "model_registry": ModelRegistryReceipt,
    "gate": GateReceipt,
    "approval": ApprovalReceipt,
    "deployment": DeploymentReceipt,
}
"""What each stage of a delivery returns; a task is named `<stage>` or `<stage>.<candidate>`."""
