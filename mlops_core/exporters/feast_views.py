"""What becomes of each view in a Feast repository, and what Feast does not say of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from mlops_core.domain.features import Count, CountDistinct, Latest
from mlops_core.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlops_core.domain.features import AnyFeature
    from mlops_core.domain.sources import EventSource
    from mlops_core.domain.usecase import UseCase
    from mlops_core.domain.views import FeatureView

    Kind = Literal["integer", "number", "text"]

__all__ = ["CREATED", "TIMESTAMP", "ExportedView", "exported_views", "key_kinds"]

TIMESTAMP, CREATED = "event_timestamp", "created_timestamp"
"""Columns of the files that an exported repository reads."""

_ALL_TIME = timedelta(days=3_652_059)  # years 1 to 9999: a longer ttl limits nothing; Feast cannot store it

_DECLARED: Mapping[str, Kind] = {
    "integer": "integer", "boolean": "integer", "number": "number", "text": "text",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ExportedView:
    """A view as Feast has it; `kinds` are those of its features, `guessed` the features of unknown type.

    `from_rows` says that its file holds the rows of the source, so that Feast's own join decides; otherwise
    what is computed at chosen moments. `created` says that the file tells when a row was recorded.
    """

    view: FeatureView
    source: EventSource
    keys: tuple[str, ...]
    kinds: Mapping[str, Kind]
    guessed: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its name, here and in Feast."""
        return self.view.name

    @property
    def from_rows(self) -> bool:
        """Whether Feast joins the rows themselves; it cannot take back a row that was corrected."""
        return self.view.latest and self.source.event_id is None

    @property
    def created(self) -> bool:
        """Whether the file has a created timestamp."""
        return self.from_rows and self.source.created_timestamp is not None

    @property
    def ttl(self) -> timedelta | None:
        """Feast's ttl: the file's event timestamps already are later by the delay."""
        if self.view.ttl is None or self.view.ttl > _ALL_TIME or not self.from_rows:
            return None
        return self.view.ttl - self.source.delay

    def notes(self) -> Iterator[str]:
        """What whoever reads the view in Feast must know, a sentence each."""
        name = f"view {self.name!r}"
        if not self.from_rows:
            what = "corrections by event id" if self.view.latest else "aggregates as of a moment"
            yield (
                f"{name}: Feast has no {what}; its file holds features computed at chosen moments, and Feast "
                "returns those of the last such moment at or before the one asked for"
            )
        elif self.created:
            known = self.view.visibility == "known"
            since = "were recorded" if known else "happened"
            yield f"{name}: rows count from when they {since}: filter_by_created_timestamp={known} does that"
        delay = self.source.delay
        if delay and self.from_rows:
            yield f"{name}: the delay of {delay} is in the file's {TIMESTAMP}, and taken off the ttl"
        if self.view.staleness is not None:
            yield f"{name}: nobody watches its staleness of {self.view.staleness}"
        if _mixed(self.ttl):
            yield f"{name}: Feast's DuckDB store fails on a ttl of mixed units ({self.ttl}); others take it"
        lost = [feature for feature in self.kinds if feature.endswith("_y")]
        if lost:
            yield f"{name}: Feast's DuckDB store loses columns ending in _y: {', '.join(lost)}"
        if self.guessed:
            yield f"{name}: no type is declared, Float64 is taken for {', '.join(self.guessed)}"


def exported_views(use_case: UseCase, types: Mapping[str, Kind]) -> list[ExportedView]:
    """The views in their order; `types` are those of latest values that no source declares.

    Raises `DefinitionError` for a view that no Feast repository can say.
    """
    if CREATED in (*use_case.all_names, *use_case.entity.keys):
        raise DefinitionError(
            f"{CREATED!r} is a key or feature of {use_case.name!r}, and a timestamp in Feast: rename it."
        )
    return [_exported(use_case, view, types) for view in use_case.views]


def key_kinds(use_case: UseCase, types: Mapping[str, Kind]) -> dict[str, Kind | None]:
    """The type of each key column, None where neither `types` nor a source says it."""
    found: dict[str, Kind | None] = dict.fromkeys(use_case.entity.keys)
    for view in use_case.views:
        keys = use_case.entity_of(view).keys
        declared = use_case.source(view.source).columns or {}
        for key, column in zip(keys, view.on or keys, strict=True):
            found[key] = found[key] or types.get(key) or _DECLARED.get(declared.get(column, ""))
    return found


def _exported(use_case: UseCase, view: FeatureView, types: Mapping[str, Kind]) -> ExportedView:
    source = use_case.source(view.source)
    if view.ttl is not None and view.ttl <= source.delay:
        raise DefinitionError(
            f"view {view.name!r} has a ttl of {view.ttl}, not more than the delay of its source "
            f"({source.delay}): its values expire before they are seen. Raise the ttl."
        )
    kinds = {feature.name: _kind(feature, source, types) for feature in view.features}
    return ExportedView(
        view=view,
        source=source,
        keys=use_case.entity_of(view).keys,
        kinds={name: kind or "number" for name, kind in kinds.items()},
        guessed=tuple(name for name, kind in kinds.items() if kind is None),
    )


def _kind(feature: AnyFeature, source: EventSource, types: Mapping[str, Kind]) -> Kind | None:
    if isinstance(feature, Count | CountDistinct):
        return "integer"
    if not isinstance(feature, Latest):
        return "number"
    return types.get(feature.name) or _DECLARED.get((source.columns or {}).get(feature.column, ""))


def _mixed(ttl: timedelta | None) -> bool:
    return ttl is not None and sum(map(bool, (ttl.days, ttl.seconds, ttl.microseconds))) > 1
