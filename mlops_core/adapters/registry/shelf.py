"""A name's versions as a registry stores them, and how their stages follow from it.

The alias `production` is the truth: it moves in one step. The tag `stage` of each version follows it, and an
interrupted promotion can leave a tag behind: a version that says Production without the alias was superseded,
so it is Archived. A version without the tag is one whose registration was not finished; it is in Staging.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mlops_core.adapters.registry.submission_tags import (
    CANDIDATE,
    DECISION,
    DIGEST,
    METRICS,
    THRESHOLD,
    USE_CASE,
)
from mlops_core.domain.gates import GateDecision
from mlops_core.domain.registry import ModelVersion
from mlops_core.errors import IntegrityError, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mlops_core.adapters.registry.stage_changes import Change
    from mlops_core.domain.registry import Stage

__all__ = ["ARCHIVED", "PRODUCTION", "STAGE", "STAGING", "Record", "Shelf"]

PRODUCTION, STAGING, ARCHIVED = "production", "staging", "archived"
"""The aliases: the version in Production, the newest in Staging, the most recently archived."""
STAGE = "stage"
"""The tag that repeats a version's stage for people."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One version. `source` says where its artifacts are, as the registry puts it."""

    number: int
    created_at: datetime
    run_id: str
    source: str
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """All our versions of a name by ascending number, and the aliases that point at them.

    Versions without our digest tag, made by hand under the same name, are not ours and not among them.
    """

    name: str
    records: tuple[Record, ...] = ()
    aliases: Mapping[str, int] = field(default_factory=dict)

    def stage(self, record: Record) -> Stage:
        """The stage that the alias, or else the version's own tag, puts it in."""
        if self.aliases.get(PRODUCTION) == record.number:
            return "Production"
        return "Archived" if record.tags.get(STAGE) in ("Production", "Archived") else "Staging"

    def numbered(self, number: int) -> Record:
        """The version with this number; raises `NotFound`, naming the ones there are."""
        for record in self.records:
            if record.number == number:
                return record
        known = ", ".join(str(record.number) for record in self.records)
        there = f"there are {known}" if known else "nothing is registered under that name"
        raise NotFound(f"no version {number} of model {self.name!r}: {there}.")

    def with_digest(self, digest: str) -> Record | None:
        """The version that was registered under `digest`, if any."""
        return next((record for record in self.records if record.tags[DIGEST] == digest), None)

    def after(self, change: Change) -> Shelf:
        """The shelf once a change is made to it."""
        if (number := change.number) is not None and change.tag is not None:
            tagged = tuple(
                replace(record, tags={**record.tags, change.tag: change.value})
                if record.number == number
                else record
                for record in self.records
            )
            return replace(self, records=tagged)
        if change.alias is not None:
            others = {alias: held for alias, held in self.aliases.items() if alias != change.alias}
            return replace(self, aliases=others if number is None else {**others, change.alias: number})
        return self

    def version(self, record: Record) -> ModelVersion:
        """The version as the port gives it; raises `IntegrityError` when its tags cannot be read."""
        stage = self.stage(record)
        try:
            return ModelVersion(
                name=self.name,
                number=record.number,
                stage=stage,
                digest=record.tags[DIGEST],
                candidate=record.tags[CANDIDATE],
                use_case=record.tags[USE_CASE],
                threshold=json.loads(record.tags[THRESHOLD]),
                decision=_decision(record.tags.get(DECISION)),
                run_id=record.run_id,
                created_at=record.created_at,
                tags={**record.tags, STAGE: stage},
                metrics=json.loads(record.tags[METRICS]),
            )
        except (KeyError, ValueError) as error:
            raise IntegrityError(
                f"version {record.number} of model {self.name!r} carries tags that were not written by its "
                f"registration ({type(error).__name__}: {error}). Delete the version and register it again."
            ) from error

    def versions(self) -> list[ModelVersion]:
        """All versions as the port gives them."""
        return [self.version(record) for record in self.records]


def _decision(tag: str | None) -> GateDecision | None:
    return None if tag is None else GateDecision.model_validate_json(tag)
