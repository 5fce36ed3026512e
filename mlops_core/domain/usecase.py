"""A use case: everything that is particular to one model, as definitions only."""

from __future__ import annotations

from collections import Counter
from typing import Self

from pydantic import Field, model_validator

from mlops_core.domain.candidates import AnyCandidate
from mlops_core.domain.digest import digest_of
from mlops_core.domain.features import FeatureView, Name
from mlops_core.domain.gates import GatePolicy
from mlops_core.domain.labels import EveryMonth, NoEventWithin
from mlops_core.domain.sources import Entity, EventSource
from mlops_core.domain.value import Value

__all__ = ["UseCase"]


class UseCase(Value):
    """What a user writes: whose events, which features, which label, which candidates, which gate."""

    name: Name
    entity: Entity
    sources: tuple[EventSource, ...] = Field(min_length=1)
    views: tuple[FeatureView, ...] = Field(min_length=1)
    label: NoEventWithin
    spine: EveryMonth = EveryMonth()
    candidates: tuple[AnyCandidate, ...] = Field(min_length=1)
    gate: GatePolicy

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = [*self._repeated(), *self._unknown_sources()]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _repeated(self) -> list[str]:
        reserved = [self.entity.key, self.label.name, "event_timestamp"]
        groups = {
            "source": [source.name for source in self.sources],
            "view": [view.name for view in self.views],
            "feature or column": [*self.feature_names, *reserved],
            "candidate": [candidate.name for candidate in self.candidates],
        }
        return [
            f"{kind} name {name!r} is used {count} times, names must differ"
            for kind, names in groups.items()
            for name, count in Counter(names).items()
            if count > 1
        ]

    def _unknown_sources(self) -> list[str]:
        known = {source.name for source in self.sources}
        asked = {f"view {view.name!r}": view.source for view in self.views}
        asked[f"label {self.label.name!r}"] = self.label.source
        return [
            f"{who} reads source {source!r}, which is not among {sorted(known)}"
            for who, source in asked.items()
            if source not in known
        ]

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of all features, in the order of their definition: the columns of a model's input."""
        return tuple(feature.name for view in self.views for feature in view.features)

    @property
    def features_digest(self) -> str:
        """Digest of what decides feature values: entity, sources (not their paths) and views."""
        return digest_of([self.entity, self.views, self._sources()])

    @property
    def online_name(self) -> str:
        """Under which name online values are kept: one set per definition of the features.

        So a release reads the values that its own definitions made, until the release after it is served.
        """
        return f"{self.name}-{self.features_digest[:12]}"

    @property
    def training_digest(self) -> str:
        """Digest of what decides a training set: the features, the label and the spine."""
        return digest_of([self.features_digest, self.label, self.spine])

    def _sources(self) -> list[EventSource]:
        # Where a file lies does not change what it says.
        return [source.model_copy(update={"path": None}) for source in self.sources]
