"""A use case: everything that is particular to one model, as definitions only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, ValidationError, model_validator

from mlops_core.domain.candidates import AnyCandidate
from mlops_core.domain.consistency import problems_of
from mlops_core.domain.digest import digest_of
from mlops_core.domain.features import Name
from mlops_core.domain.gates import GatePolicy
from mlops_core.domain.labels import AnyLabel, EveryMonth
from mlops_core.domain.sources import Entity, EventSource
from mlops_core.domain.value import Value
from mlops_core.domain.views import FeatureService, FeatureView, OnDemand
from mlops_core.errors import DefinitionError

if TYPE_CHECKING:
    from datetime import timedelta

    from mlops_core.domain.metrics import Task

__all__ = ["UseCase"]


class UseCase(Value):
    """What a user writes: whose events, which features, which label, which candidates, which gate.

    `entities` are others whose features are joined, by key columns that are among those of `entity`.
    `services` are named lists of features and `service` is the one ("name", or "name@version"; a name alone
    is its highest version) that the model is trained on and served with; without it, all features are.
    """

    name: Name
    entity: Entity
    sources: tuple[EventSource, ...] = Field(min_length=1)
    views: tuple[FeatureView, ...] = Field(min_length=1)
    label: AnyLabel
    spine: EveryMonth = EveryMonth()
    candidates: tuple[AnyCandidate, ...] = Field(min_length=1)
    gate: GatePolicy
    entities: tuple[Entity, ...] = ()
    on_demand: tuple[OnDemand, ...] = ()
    services: tuple[FeatureService, ...] = ()
    service: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = problems_of(self)
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @classmethod
    def stored(cls, text: str, of: str) -> Self:
        """The definitions kept as JSON with `of`, such as "version 3 of churn".

        Raises `DefinitionError` when another version of this software wrote them and they cannot be read.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise DefinitionError(
                f"the definitions in {of} cannot be read by this version of the software "
                f"({error.error_count()} problems): train and deploy a new version"
            ) from error

    @property
    def task(self) -> Task:
        """What its models predict: the probability of a binary label, or a number."""
        return self.label.task

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features a model is given, in order: those of its service, or all of them."""
        chosen = self.served_by
        return chosen.features if chosen else self.all_names

    @property
    def all_names(self) -> tuple[str, ...]:
        """Names of all features: those of the views as they are defined, then those on demand."""
        return (*self.view_names, *(one.name for one in self.on_demand))

    @property
    def view_names(self) -> tuple[str, ...]:
        """Names of the features of all views, in the order of their definition."""
        return tuple(feature.name for view in self.views for feature in view.features)

    @property
    def joined_names(self) -> tuple[str, ...]:
        """Those features of the views that the model needs, directly or for one on demand."""
        wanted = set(self.feature_names)
        for one in self.on_demand:
            if one.name in wanted:
                wanted.update(one.inputs)
        return tuple(name for name in self.view_names if name in wanted)

    @property
    def served_by(self) -> FeatureService | None:
        """The service that the model uses; None when it uses all features."""
        if self.service is None:
            return None
        name, _, version = self.service.partition("@")
        found = [one for one in self.services if one.name == name and version in ("", str(one.version))]
        return max(found, key=lambda one: one.version)

    @property
    def staleness(self) -> timedelta | None:
        """How old online values may be at a prediction: the strictest limit of the views it needs."""
        needed = set(self.joined_names)
        limits = [
            view.staleness
            for view in self.views
            if view.staleness is not None and any(one.name in needed for one in view.features)
        ]
        return min(limits, default=None)

    def entity_of(self, view: FeatureView) -> Entity:
        """Whose features a view has."""
        others = {one.name: one for one in self.entities}
        return self.entity if view.entity in (None, self.entity.name) else others[view.entity or ""]

    def source(self, name: str) -> EventSource:
        """A source by its name."""
        return next(source for source in self.sources if source.name == name)

    @property
    def features_digest(self) -> str:
        """Digest of what decides feature values: entities, sources (not where they lie) and views."""
        sources = [source.semantics for source in self.sources]
        parts = [self.entity, self.entities, self.views, self.on_demand, self.feature_names, sources]
        return digest_of(parts)

    @property
    def feature_parts(self) -> dict[str, Any]:
        """The same as JSON, part by part under its name: so that a difference can be said in words."""
        return {
            "entities": {one.name: one.key for one in (self.entity, *self.entities)},
            "sources": {one.name: one.semantics.model_dump(mode="json") for one in self.sources},
            "views": {one.name: _by_name(one.model_dump(mode="json")) for one in self.views},
            "on_demand": {one.name: one.formula for one in self.on_demand},
            "features": list(self.feature_names),
        }

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

    @property
    def training_parts(self) -> dict[str, Any]:
        """The same as JSON, part by part under its name."""
        label, spine = self.label.model_dump(mode="json"), self.spine.model_dump(mode="json")
        return {**self.feature_parts, "label": label, "spine": spine}


def _by_name(view: dict[str, Any]) -> dict[str, Any]:
    return {**view, "features": {feature["name"]: feature for feature in view["features"]}}
