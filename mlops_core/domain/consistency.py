"""What the parts of a use case must agree on; every disagreement is found at once."""

from __future__ import annotations

from collections import Counter
from difflib import get_close_matches
from typing import TYPE_CHECKING

from mlops_core.domain.metrics import suits
from mlops_core.domain.reads import reads_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mlops_core.domain.usecase import UseCase

__all__ = ["problems_of"]


def problems_of(use_case: UseCase) -> list[str]:
    """One sentence a problem; empty when the use case can be meant."""
    unknown = [*_unknown_sources(use_case), *_unknown_entities(use_case)]
    service = list(_service(use_case))
    problems = [*_repeated(use_case), *unknown, *_unknown_features(use_case), *service]
    problems += [*_candidates(use_case), *_metrics(use_case)]
    if not service:  # it decides which features there are to slice by
        problems += _slices(use_case)
    problems += _expected_drift(use_case)
    if unknown:  # what follows looks things up by these names
        return problems
    return [*problems, *_keys(use_case), *_columns(use_case)]


def _repeated(use_case: UseCase) -> Iterator[str]:
    reserved = [*use_case.entity.keys, use_case.label.name, "event_timestamp", "split"]
    groups: dict[str, Iterable[str]] = {
        "source": [source.name for source in use_case.sources],
        "entity": [use_case.entity.name, *(entity.name for entity in use_case.entities)],
        "view": [view.name for view in use_case.views],
        "feature or column": [*use_case.all_names, *reserved],
        "service": [service.label for service in use_case.services],
        "candidate": [candidate.name for candidate in use_case.candidates],
        "slice": [one.name for one in use_case.gate.slices],
    }
    for service in use_case.services:
        groups[f"in service {service.label!r} feature"] = service.features
    for kind, names in groups.items():
        for name, count in Counter(names).items():
            if count > 1:
                yield f"{kind} name {name!r} is used {count} times, names must differ"


def _unknown_sources(use_case: UseCase) -> Iterator[str]:
    known = [source.name for source in use_case.sources]
    asked = {f"view {view.name!r}": view.source for view in use_case.views}
    asked[f"label {use_case.label.name!r}"] = use_case.label.source
    for who, source in asked.items():
        if source not in known:
            yield f"{who} reads source {source!r}, which is not among {sorted(known)}{_hint(source, known)}"


def _unknown_entities(use_case: UseCase) -> Iterator[str]:
    known = [use_case.entity.name, *(entity.name for entity in use_case.entities)]
    for view in use_case.views:
        if view.entity is not None and view.entity not in known:
            yield (
                f"view {view.name!r} is of entity {view.entity!r}, which is not among {sorted(known)}"
                f"{_hint(view.entity, known)}"
            )


def _unknown_features(use_case: UseCase) -> Iterator[str]:
    known = use_case.view_names
    for one in use_case.on_demand:
        for name in one.inputs:
            if name not in known:
                yield f"on-demand {one.name!r} reads {name!r}, no feature of a view{_hint(name, known)}"
    for service in use_case.services:
        for name in service.features:
            if name not in use_case.all_names:
                yield f"service {service.label!r} lists {name!r}, no feature{_hint(name, use_case.all_names)}"


def _service(use_case: UseCase) -> Iterator[str]:
    wanted = use_case.service
    known = [name for one in use_case.services for name in (one.name, one.label)]
    if wanted is not None and wanted not in known:
        there = ", ".join(repr(one.label) for one in use_case.services) or "none"
        yield f"the model's service {wanted!r} is not among those defined ({there}){_hint(wanted, known)}"


def _metrics(use_case: UseCase) -> Iterator[str]:
    label, task = use_case.label.name, use_case.task
    for name in use_case.gate.metrics:
        if suits(name, task):
            continue
        if task == "classification":
            yield (
                f"the gate's metric {name!r} judges predicted numbers, but label {label!r} is 0 or 1: "
                "name one for classification, such as 'roc_auc'"
            )
        else:
            default = " (or None)" if name == use_case.gate.scoring_rule else ""
            yield (
                f"the gate's metric {name!r} judges probabilities, but label {label!r} is a number: name one "
                f"for regression{default}, such as 'neg_mean_absolute_error' or 'r2'"
            )


def _candidates(use_case: UseCase) -> Iterator[str]:
    label, task = use_case.label.name, use_case.task
    what, others = {
        "classification": ("0 or 1", "LogisticRegression or GradientBoosting"),
        "regression": ("a number", "Ridge, PoissonRegression or GradientBoostingRegression"),
    }[task]
    for one in use_case.candidates:
        if one.task != task:
            yield (
                f"candidate {one.name!r} ({type(one).__name__}) is for {one.task}, but label {label!r} is "
                f"{what}: take {others}"
            )


def _slices(use_case: UseCase) -> Iterator[str]:
    known = use_case.feature_names
    for one in use_case.gate.slices:
        for condition in one.where:
            name = condition.column
            if name not in known:
                yield f"slice {one.name!r} looks at {name!r}, no feature of the model{_hint(name, known)}"
            elif condition.kind == "text":
                yield f"slice {one.name!r} compares {name!r} with text, but features are numbers or booleans"


def _expected_drift(use_case: UseCase) -> Iterator[str]:
    known = use_case.all_names
    for name in use_case.gate.expected_drift:
        if name not in known:
            yield f"the gate expects {name!r} to drift, no feature{_hint(name, known)}"


def _keys(use_case: UseCase) -> Iterator[str]:
    keys = use_case.entity.keys
    for entity in use_case.entities:
        missing = [key for key in entity.keys if key not in keys]
        if missing:
            yield (
                f"entity {entity.name!r} has key columns {missing} that entity {use_case.entity.name!r} "
                "lacks: a row asked for has no value to look them up by"
            )
    for view in use_case.views:
        wanted = use_case.entity_of(view).keys
        if view.on is not None and len(view.on) != len(wanted):
            yield f"view {view.name!r} joins on {list(view.on)}, but its entity's key is {list(wanted)}"


def _columns(use_case: UseCase) -> Iterator[str]:
    """Columns that a source was declared not to have, or to have with another type."""
    for source in use_case.sources:
        if source.columns is None:
            continue
        for who, column, kinds in dict.fromkeys(reads_of(use_case, source)):
            found = source.columns.get(column)
            if found is None:
                yield (
                    f"{who} reads column {column!r}, which source {source.name!r} does not declare"
                    f"{_hint(column, source.columns)}"
                )
            elif found not in kinds:
                wanted = " or ".join(kinds)
                yield f"{who} needs {column!r} to be {wanted}, source {source.name!r} says {found}"


def _hint(name: str, known: Iterable[str] | Mapping[str, object]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f", did you mean {close[0]!r}?" if close else ""
