"""A name's versions as a registry stores them, with what it shows about them.

What is shown (aliases and some tags) is for people and other programs: the truth is the ledger, and
`stage_changes` computes what has to change for the two to agree. One tag is more than that: a version without
a tag `stage` is one whose registration was not finished.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from mlops_core.adapters.registry.changes import AliasMoved, Discarded, Finished, LedgerNamed, Tagged
from mlops_core.adapters.registry.submission_tags import (
    CANDIDATE,
    CODE,
    DIGEST,
    FEATURE_NAMES,
    LINEAGE,
    METRICS,
    PROBES,
    PROFILE,
    THRESHOLD,
    USE_CASE,
    unpacked,
)
from mlops_core.domain.profiles import FeatureProfile
from mlops_core.domain.registry import Lineage, ModelVersion
from mlops_core.domain.release import Probes
from mlops_core.errors import IntegrityError, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from mlops_core.adapters.registry.changes import AnyChange

__all__ = ["STAGE", "Record", "Shelf"]

_T = TypeVar("_T")

STAGE = "stage"
"""The tag that shows a version's stage."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One version. `source` says where its artifacts are, as the registry puts it."""

    number: int
    created_at: datetime
    run_id: str
    source: str
    tags: Mapping[str, str]

    @property
    def digest(self) -> str:
        """What it was registered under."""
        return self.tags[DIGEST]

    @property
    def is_finished(self) -> bool:
        """Whether its registration came to its end."""
        return STAGE in self.tags


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """Our versions of a name by ascending number, the aliases that point at them, and the ledger followed.

    Versions without our digest tag, made by hand under the same name, are not ours and not among them.
    `surplus` are those of an unfinished registration whose digest an earlier version has: two hosts
    registered the same model at once, and the lower number counts. `ledger` is a `Standing.origin`.
    """

    name: str
    records: tuple[Record, ...] = ()
    surplus: tuple[Record, ...] = ()
    aliases: Mapping[str, int] = field(default_factory=dict)
    ledger: str | None = None

    @classmethod
    def of(
        cls, name: str, records: Iterable[Record], aliases: Mapping[str, int], ledger: str | None
    ) -> Shelf:
        """The shelf of all versions of a name, in any order, as a registry stores them."""
        kept: list[Record] = []
        surplus: list[Record] = []
        digests: set[str] = set()
        for record in sorted(records, key=lambda one: one.number):
            if DIGEST not in record.tags:
                continue
            twice = record.digest in digests and not record.is_finished
            (surplus if twice else kept).append(record)
            digests.add(record.digest)
        return cls(
            name=name, records=tuple(kept), surplus=tuple(surplus), aliases=dict(aliases), ledger=ledger
        )

    def numbered(self, number: int) -> Record:
        """The version with this number; raises `NotFound`, naming the ones there are."""
        for record in self.records:
            if record.number == number:
                return record
        known = ", ".join(str(record.number) for record in self.records)
        there = f"there are {known}" if known else "nothing is registered under that name"
        raise NotFound(f"no version {number} of model {self.name!r}: {there}.")

    def with_digest(self, digest: str) -> Record | None:
        """The first version that was registered under `digest`, if any."""
        return next((record for record in self.records if record.digest == digest), None)

    def after(self, change: AnyChange) -> Shelf:
        """The shelf once a change is made to it."""
        match change:
            case Tagged(number=number, tag=tag, value=value):
                records = tuple(
                    replace(record, tags=_with(record.tags, tag, value))
                    if record.number == number
                    else record
                    for record in self.records
                )
                return replace(self, records=records)
            case AliasMoved(alias=alias, number=number):
                return replace(self, aliases=_with(self.aliases, alias, number))
            case Discarded(number=number):
                return replace(self, surplus=tuple(one for one in self.surplus if one.number != number))
            case LedgerNamed(origin=origin):
                return replace(self, ledger=origin)
            case Finished():
                return self

    def version(self, record: Record) -> ModelVersion:
        """The version as the port gives it; raises `IntegrityError` when its tags cannot be read."""
        tags = record.tags
        try:
            return ModelVersion(
                name=self.name,
                number=record.number,
                digest=tags[DIGEST],
                candidate=tags[CANDIDATE],
                run_id=record.run_id,
                created_at=record.created_at,
                use_case=tags[USE_CASE],
                feature_names=json.loads(tags[FEATURE_NAMES]),
                threshold=json.loads(tags[THRESHOLD]),
                lineage=Lineage.model_validate_json(tags[LINEAGE]),
                probes=Probes.model_validate_json(unpacked(tags, PROBES)),
                profile=FeatureProfile.model_validate_json(unpacked(tags, PROFILE)),
                code=json.loads(unpacked(tags, CODE)) if CODE in tags else {},
                metrics=json.loads(tags[METRICS]),
                tags=dict(tags),
            )
        except (KeyError, ValueError) as error:
            raise IntegrityError(
                f"version {record.number} of model {self.name!r} carries tags that were not written by its "
                f"registration ({type(error).__name__}: {error}). Delete the version and register it again."
            ) from error

    def versions(self) -> list[ModelVersion]:
        """All versions as the port gives them."""
        return [self.version(record) for record in self.records]


def _with(mapping: Mapping[str, _T], key: str, value: _T | None) -> dict[str, _T]:
    others = {name: held for name, held in mapping.items() if name != key}
    return others if value is None else {**others, key: value}
