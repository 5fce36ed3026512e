"""Which columns of a source a use case reads, and what it reads them as."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_core.domain.features import ColumnFeature, CountDistinct

if TYPE_CHECKING:
    from mlops_core.domain.features import AnyFeature
    from mlops_core.domain.sources import EventSource
    from mlops_core.domain.usecase import UseCase

__all__ = ["FeatureGroup", "SourceColumns", "columns_of", "feature_groups", "label_source"]


@dataclass(frozen=True, kw_only=True)
class SourceColumns:
    """Columns of one source: a column may be read as several things, and must then be fit for each.

    `numeric` columns are summed, averaged or compared; of `distinct` columns the different values count.
    """

    source: str
    key: str
    event_timestamp: str
    created_timestamp: str | None
    numeric: frozenset[str]
    distinct: frozenset[str]

    @property
    def timestamps(self) -> tuple[str, ...]:
        """The event timestamp and, where declared, the created timestamp."""
        return tuple(dict.fromkeys(filter(None, (self.event_timestamp, self.created_timestamp))))

    @property
    def names(self) -> tuple[str, ...]:
        """Every column once, in canonical order: key, timestamps, then the others by name."""
        return tuple(dict.fromkeys((self.key, *self.timestamps, *sorted(self.numeric | self.distinct))))


def columns_of(use_case: UseCase, source: EventSource) -> SourceColumns:
    """What `use_case` reads of `source`: the entity's key, the timestamps and every feature's column."""
    features = [
        feature
        for view in use_case.views
        if view.source == source.name
        for feature in view.features
        if isinstance(feature, ColumnFeature)
    ]
    return SourceColumns(
        source=source.name,
        key=use_case.entity.key,
        event_timestamp=source.event_timestamp,
        created_timestamp=source.created_timestamp,
        numeric=frozenset(one.column for one in features if not isinstance(one, CountDistinct)),
        distinct=frozenset(one.column for one in features if isinstance(one, CountDistinct)),
    )


@dataclass(frozen=True, kw_only=True)
class FeatureGroup:
    """Features that one pass over a source can answer: `recorded` when they see what was recorded by then."""

    source: EventSource
    recorded: bool
    features: tuple[AnyFeature, ...]


def feature_groups(use_case: UseCase) -> list[FeatureGroup]:
    """All features of the use case, in as few groups as can be."""
    grouped: dict[tuple[str, bool], tuple[AnyFeature, ...]] = {}
    for view in use_case.views:
        recorded = view.visibility == "known" and _source(use_case, view.source).created_timestamp is not None
        same = (view.source, recorded)
        grouped[same] = (*grouped.get(same, ()), *view.features)
    return [
        FeatureGroup(source=_source(use_case, name), recorded=recorded, features=features)
        for (name, recorded), features in grouped.items()
    ]


def label_source(use_case: UseCase) -> EventSource:
    """The source that the label, and the spine with it, is made from."""
    return _source(use_case, use_case.label.source)


def _source(use_case: UseCase, name: str) -> EventSource:
    return next(source for source in use_case.sources if source.name == name)
