"""Registered versions of a model: what they are and what they were made from, which never changes.

Which stage a version is in, what was decided on it and what served is not a property of the version: it is
what the ledger says (`mlops_core.domain.standing`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from mlops_core.domain.profiles import FeatureProfile
from mlops_core.domain.release import Probes
from mlops_core.domain.value import Value

__all__ = ["Lineage", "ModelVersion", "Stage", "Submission"]

Stage = Literal["Staging", "Production", "Archived"]


class Lineage(Value):
    """What a model was made from; digests, so that each can be compared and found again."""

    use_case: str
    data: dict[str, str] = Field(description="digest of the canonical events, by source name")
    definitions: str
    training_set: str
    candidate: str = Field(description="digest of the candidate's specification")
    code: str
    git_commit: str | None = None
    libraries: dict[str, str] = Field(default_factory=dict, description="version by distribution name")
    as_of: datetime
    as_known_at: datetime | None = Field(default=None, description="set when rows recorded later were hidden")
    model: str | None = Field(default=None, description="canonical digest of the fitted state")
    report: str | None = Field(default=None, description="digest of the report's bytes")
    environment: dict[str, str] = Field(
        default_factory=dict,
        description="what the fit depends on besides: interpreter, processor, BLAS, threads",
    )


class Submission(Value):
    """What is handed to a registry: the model's folder, what it was made from and how well it did.

    `digest` identifies the model: submitting the same digest again gives the same version. `folder` (with
    the model's files) and `documents` (report, figures: what goes with it) are paths on this machine.
    `use_case` is the JSON of the definitions it needs to be served and compared. `probes` prove a loaded
    model, `profile` is how its training rows lay. `code` are digests of what made it, by module:name.
    `threshold` is None for a model of a number.
    """

    name: str
    digest: str
    candidate: str
    folder: str
    documents: tuple[str, ...] = ()
    feature_names: tuple[str, ...]
    threshold: float | None
    metrics: dict[str, float]
    parameters: dict[str, str]
    use_case: str
    lineage: Lineage
    probes: Probes
    profile: FeatureProfile
    code: dict[str, str] = Field(default_factory=dict)


class ModelVersion(Value):
    """A version as a registry knows it. `number` counts from 1 within a name and is never reused."""

    name: str
    number: int = Field(ge=1)
    digest: str
    candidate: str
    run_id: str
    created_at: datetime
    use_case: str = Field(description="JSON of the definitions it was registered with")
    feature_names: tuple[str, ...]
    threshold: float | None = Field(
        description="scores from here on count as positive; null for a model of a number"
    )
    lineage: Lineage
    probes: Probes
    profile: FeatureProfile
    code: dict[str, str] = Field(
        default_factory=dict, description="digest of each definition in the code that made it, by module:name"
    )
    metrics: dict[str, float] = Field(default_factory=dict)
    tags: dict[str, str] = Field(default_factory=dict)
