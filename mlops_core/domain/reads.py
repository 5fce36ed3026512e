"""What a use case reads of a source: which columns, as what, and for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.domain.features import ColumnFeature, CountDistinct, Feature, Latest
from mlops_core.domain.labels import SumWithin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_core.domain.sources import EventSource
    from mlops_core.domain.usecase import UseCase
    from mlops_core.domain.views import FeatureView

    Read = tuple[str, str, tuple[str, ...]]

__all__ = ["contract_of", "reads_of"]

_NUMBERS = ("integer", "number")
_KEYS = ("integer", "text")
_TIMES = ("timestamp", "date", "text")
_ANY = ("integer", "number", "text", "boolean", "date", "timestamp")
_OF_RULE = {"in_range": _NUMBERS, "matches": ("text",)}
_OF_CONDITION = {"number": _NUMBERS, "text": ("text",), "boolean": ("boolean",)}


def contract_of(use_case: UseCase, source: EventSource) -> list[object]:
    """What decides the canonical columns of a source: equal for definitions that read the same."""
    columns = sorted({(column, kinds) for _, column, kinds in reads_of(use_case, source, rules=False)})
    unique = [view.on or use_case.entity_of(view).keys for view in use_case.views if view.latest]
    keys = use_case.entity.keys if source.name == use_case.label.source else ()
    return [source.semantics, columns, unique, keys]


def reads_of(use_case: UseCase, source: EventSource, *, rules: bool = True) -> Iterator[Read]:
    """(who, column, allowed types) of everything that is read from a source, with or without its rules."""
    name = source.name
    yield f"source {name!r}", source.event_timestamp, _TIMES
    if source.created_timestamp is not None:
        yield f"source {name!r}", source.created_timestamp, _TIMES
    if source.event_id is not None:
        yield f"source {name!r}", source.event_id, _KEYS
    for rule in source.rules if rules else ():
        for column in (rule.column,) if hasattr(rule, "column") else getattr(rule, "columns", ()):
            yield f"a rule of source {name!r}", column, _OF_RULE.get(rule.rule, _ANY)
    if name == use_case.label.source:
        for key in use_case.entity.keys:
            yield f"label {use_case.label.name!r}", key, _KEYS
        if isinstance(use_case.label, SumWithin):
            yield f"label {use_case.label.name!r}", use_case.label.column, _NUMBERS
    for view in use_case.views:
        if view.source == name:
            yield from _reads_of(view, view.on or use_case.entity_of(view).keys)


def _reads_of(view: FeatureView, keys: tuple[str, ...]) -> Iterator[Read]:
    for key in keys:
        yield f"view {view.name!r}", key, _KEYS
    for feature in view.features:
        who = f"feature {feature.name!r}"
        if isinstance(feature, Latest):
            yield who, feature.column, (*_NUMBERS, "boolean")
        elif isinstance(feature, CountDistinct):
            yield who, feature.column, _ANY
        elif isinstance(feature, ColumnFeature):
            yield who, feature.column, _NUMBERS
        if isinstance(feature, Feature):
            for condition in feature.conditions:
                yield who, condition.column, _OF_CONDITION[condition.kind]
