"""Which columns of a source a use case reads, as what, and which features one pass over it can answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from mlops_core.domain.features import ColumnFeature, CountDistinct, Feature, Latest, Sum
from mlops_core.domain.labels import SumWithin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlops_core.domain.features import AnyFeature
    from mlops_core.domain.rules import AnyRule
    from mlops_core.domain.sources import EventSource
    from mlops_core.domain.usecase import UseCase
    from mlops_core.domain.views import FeatureView

__all__ = [
    "FeatureGroup",
    "SourceColumns",
    "columns_needed",
    "columns_of",
    "feature_groups",
    "label_source",
    "label_sum",
    "source_keys",
    "timing",
]


@dataclass(frozen=True, kw_only=True)
class SourceColumns:
    """Columns of one source: a column may be read as several things, and must then be fit for each.

    `numeric` columns are summed, averaged or compared; of `distinct` columns the different values count;
    `texts` and `booleans` are compared in conditions; the newest value of `latest` columns (numbers or
    booleans) is asked for. `unique` are the keys by which rows of features must differ, one tuple a view.
    """

    source: str
    keys: tuple[str, ...]
    event_timestamp: str
    created_timestamp: str | None
    event_id: str | None = None
    numeric: frozenset[str] = frozenset()
    distinct: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()
    booleans: frozenset[str] = frozenset()
    latest: frozenset[str] = frozenset()
    unique: tuple[tuple[str, ...], ...] = ()
    rules: tuple[AnyRule, ...] = ()

    @property
    def timestamps(self) -> tuple[str, ...]:
        """The event timestamp and, where declared, the created timestamp."""
        return tuple(dict.fromkeys(filter(None, (self.event_timestamp, self.created_timestamp))))

    @property
    def names(self) -> tuple[str, ...]:
        """Every stored column once, in canonical order: keys, timestamps, event id, the others by name."""
        first = (*self.keys, *self.timestamps, *((self.event_id,) if self.event_id else ()))
        others = self.numeric | self.distinct | self.texts | self.booleans | self.latest
        return tuple(dict.fromkeys((*first, *sorted(others))))

    @property
    def ruled(self) -> tuple[str, ...]:
        """Columns that are read for a rule alone, and not stored."""
        return tuple(dict.fromkeys(name for name in _ruled(self.rules) if name not in self.names))


def columns_of(use_case: UseCase, source: EventSource) -> SourceColumns:
    """What `use_case` reads of `source`: keys, timestamps, every feature's columns, and those with rules."""
    views = [view for view in use_case.views if view.source == source.name]
    features = [feature for view in views for feature in view.features]
    conditions = [one for feature in features if isinstance(feature, Feature) for one in feature.conditions]
    keys = [source_keys(use_case, view) for view in views]
    if source.name == use_case.label.source:
        keys.insert(0, use_case.entity.keys)
    by_kind = {kind: frozenset(one.column for one in conditions if one.kind == kind) for kind in _KINDS}
    columns = [one for one in features if isinstance(one, ColumnFeature)]
    numeric = by_kind["number"] | {one.column for one in columns if not isinstance(one, CountDistinct)}
    if isinstance(use_case.label, SumWithin) and source.name == use_case.label.source:
        numeric |= {use_case.label.column}
    return SourceColumns(
        source=source.name,
        keys=tuple(dict.fromkeys(key for one in keys for key in one)),
        event_timestamp=source.event_timestamp,
        created_timestamp=source.created_timestamp,
        event_id=source.event_id,
        numeric=numeric,
        distinct=frozenset(one.column for one in columns if isinstance(one, CountDistinct)),
        texts=by_kind["text"],
        booleans=by_kind["boolean"],
        latest=frozenset(one.column for one in features if isinstance(one, Latest)),
        unique=tuple(dict.fromkeys(source_keys(use_case, view) for view in views if view.latest)),
        rules=source.rules,
    )


@dataclass(frozen=True, kw_only=True)
class FeatureGroup:
    """Features that one pass over a source can answer.

    `keys` are (column of the spine, column of the source) pairs that must be equal. `recorded` says that rows
    are seen from when they were recorded on; otherwise from their event timestamp on. `latest` features are
    of the newest row, `ttl` old at most; the others are aggregates.
    """

    source: EventSource
    keys: tuple[tuple[str, str], ...]
    recorded: bool
    latest: bool
    ttl: timedelta | None
    features: tuple[AnyFeature, ...]


def feature_groups(use_case: UseCase) -> list[FeatureGroup]:
    """The features that `use_case.joined_names` lists, in as few groups as can be."""
    wanted = set(use_case.joined_names)
    grouped: dict[tuple[object, ...], FeatureGroup] = {}
    for view in use_case.views:
        source = use_case.source(view.source)
        features = tuple(feature for feature in view.features if feature.name in wanted)
        keys = tuple(zip(use_case.entity_of(view).keys, source_keys(use_case, view), strict=True))
        recorded = view.visibility == "known" and source.created_timestamp is not None
        same = (view.source, keys, recorded, view.latest, view.ttl)
        before = grouped[same].features if same in grouped else ()
        if features:
            grouped[same] = FeatureGroup(
                source=source,
                keys=keys,
                recorded=recorded,
                latest=view.latest,
                ttl=view.ttl,
                features=(*before, *features),
            )
    return list(grouped.values())


def columns_needed(group: FeatureGroup) -> list[str]:
    """The columns that a group of features reads."""
    names = [*(theirs for _, theirs in group.keys), *timing(group.source)]
    for feature in group.features:
        if isinstance(feature, ColumnFeature | Latest):
            names.append(feature.column)
        if isinstance(feature, Feature):
            names.extend(condition.column for condition in feature.conditions)
    return list(dict.fromkeys(names))


def timing(source: EventSource) -> list[str]:
    """The columns that say which events there are, and when."""
    columns = source.event_timestamp, source.created_timestamp, source.event_id
    return [column for column in columns if column is not None]


def source_keys(use_case: UseCase, view: FeatureView) -> tuple[str, ...]:
    """The source's columns that hold the key of the view's entity."""
    return view.on or use_case.entity_of(view).keys


def label_source(use_case: UseCase) -> EventSource:
    """The source that the label, and the spine with it, is made from."""
    return use_case.source(use_case.label.source)


def label_sum(use_case: UseCase, label: SumWithin) -> FeatureGroup:
    """The label as a feature: what is summed over (T, T + horizon] is a window's sum seen from T + horizon.

    From there every event counts that happened by then, however late it is seen: that binds features alone.
    """
    source = label_source(use_case).model_copy(update={"delay": timedelta(0)})
    return FeatureGroup(
        source=source,
        keys=tuple((key, key) for key in use_case.entity.keys),
        recorded=False,
        latest=False,
        ttl=None,
        features=(Sum(label.name, label.column, window=label.horizon),),
    )


_KINDS = ("number", "text", "boolean")


def _ruled(rules: Iterable[AnyRule]) -> Iterator[str]:
    for rule in rules:
        if hasattr(rule, "column"):
            yield rule.column
        elif hasattr(rule, "columns"):
            yield from rule.columns
