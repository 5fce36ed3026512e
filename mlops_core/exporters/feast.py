"""A use case as a Feast repository: feature_repo.py and feature_store.yaml, which `feast apply` takes.

Feast 0.67 has no windowed aggregates as of any moment, and no delay, visibility or label. What it lacks is
made in the data that the repository reads, `data/<view>.parquet`, or said in the comment at the file's head.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING

from mlops_core.exporters.feast_formulas import function_of
from mlops_core.exporters.feast_views import CREATED, TIMESTAMP, ExportedView, exported_views, key_kinds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import timedelta

    from mlops_core.domain.usecase import UseCase
    from mlops_core.exporters.feast_views import Kind

__all__ = ["FeastRepository", "to_feast"]

_SQLITE = {"type": "sqlite", "path": "data/online_store.db"}
_VALUE_TYPES = {"integer": "INT64", "text": "STRING"}
_DTYPES = {"integer": "Int64", "number": "Float64", "text": "String"}


@dataclass(frozen=True)
class FeastRepository:
    """Text of a repository's two files."""

    definitions: str
    configuration: str


def to_feast(
    use_case: UseCase,
    *,
    types: Mapping[str, Kind] | None = None,
    data: str = "data",
    online: Mapping[str, object] | None = None,
) -> FeastRepository:
    """The repository; the same use case gives the same text.

    `types` are those of key columns and of latest values, by name, where the sources declare no columns: a
    key of unknown type is left for Feast to infer from the data, a latest value is then Float64. `data` is
    the folder of the Parquet files, as Feast is to find it (relative: from where Feast is run); `online` is
    Feast's configuration of the online store (default: SQLite).

    Raises `DefinitionError` for a view that no Feast repository can say.
    """
    views = exported_views(use_case, types or {})
    keys = key_kinds(use_case, types or {})
    parts = [
        _header(use_case, views),
        _IMPORTS,
        *_entities(keys),
        *(line for view in views for line in _view(view, keys, data)),
        *_on_demand(use_case),
        *_services(use_case),
    ]
    return FeastRepository("\n".join(parts), _configuration(use_case, online or _SQLITE))


_IMPORTS = """\
from datetime import timedelta

import pandas as pd
from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Float64, Int64, String
"""


def _header(use_case: UseCase, views: Iterable[ExportedView]) -> str:
    notes = [note for view in views for note in view.notes()]
    notes.append(f"label {use_case.label.name!r} is not part of a Feast repository")
    lines = [
        f"Use case {use_case.name!r} as a Feast 0.67 repository, made from its definitions: change those.",
        "What Feast cannot say, or its DuckDB store answers otherwise:",
        *(f"- {note}" for note in notes),
    ]
    wrapped = [part for line in lines for part in wrap(line, 108, subsequent_indent="  ")]
    return "\n".join(f"# {line}" for line in wrapped) + "\n"


def _entities(keys: Mapping[str, Kind | None]) -> Iterator[str]:
    """One for each key column: Feast's entities have one join key, a composite key is several of them."""
    for number, (key, kind) in enumerate(keys.items()):
        value = "" if kind is None else f", value_type=ValueType.{_VALUE_TYPES[kind]}"
        yield f"entity_{number} = Entity(name={key!r}, join_keys=[{key!r}]{value})"
    yield ""


def _view(view: ExportedView, keys: Mapping[str, Kind | None], data: str) -> Iterator[str]:
    numbers = [list(keys).index(key) for key in view.keys]
    # Keys of a known type are fields too: Feast then need not look into the file.
    kinds = {key: kind for key in view.keys if (kind := keys[key]) is not None} | dict(view.kinds)
    yield f"source_{view.name} = FileSource("
    yield f"    name={view.name + '_file'!r},"
    yield f"    path={f'{data}/{view.name}.parquet'!r},"
    yield f"    timestamp_field={TIMESTAMP!r},"
    if view.created:
        yield f"    created_timestamp_column={CREATED!r},"
    yield ")"
    yield f"view_{view.name} = FeatureView("
    yield f"    name={view.name!r},"
    yield f"    entities=[{', '.join(f'entity_{number}' for number in numbers)}],"
    yield f"    ttl={_duration(view.ttl)},"
    yield "    schema=["
    yield from (f"        Field(name={name!r}, dtype={_DTYPES[kind]})," for name, kind in kinds.items())
    yield "    ],"
    yield f"    source=source_{view.name},"
    yield ")"
    yield ""


def _on_demand(use_case: UseCase) -> Iterator[str]:
    for one in use_case.on_demand:
        yield "@on_demand_feature_view("
        yield f"    name={_demand_name(use_case, one.name)!r},"
        yield f"    sources=[{', '.join(_projections(use_case, one.inputs))}],"
        yield f"    schema=[Field(name={one.name!r}, dtype=Float64)],"
        yield '    mode="pandas",'
        yield ")"
        yield function_of(f"on_demand_{one.name}", one.name, one.formula)


def _services(use_case: UseCase) -> Iterator[str]:
    lists = {f"{one.name}_v{one.version}": one.features for one in use_case.services}
    if use_case.service is None:  # what the model is given then: everything
        lists = {use_case.name: use_case.all_names, **lists}
    for number, (name, features) in enumerate(lists.items()):
        demanded = [one.name for one in use_case.on_demand if one.name in features]
        parts = [*_projections(use_case, features), *(f"on_demand_{one}" for one in demanded)]
        yield f"service_{number} = FeatureService(name={name!r}, features=[{', '.join(parts)}])"
    yield ""


def _projections(use_case: UseCase, features: Iterable[str]) -> Iterator[str]:
    """Those of the features that views have, a selection a view."""
    wanted = set(features)
    for view in use_case.views:
        names = [one.name for one in view.features if one.name in wanted]
        if names:
            yield f"view_{view.name}[{names!r}]"


def _demand_name(use_case: UseCase, name: str) -> str:
    """A name that no view has: features and views may share one here, not in Feast."""
    taken, found = {view.name for view in use_case.views}, f"{name}_on_demand"
    while found in taken:
        found += "_"
    return found


def _duration(ttl: timedelta | None) -> str:
    if ttl is None:
        return "timedelta(0)"  # Feast's word for no limit
    return f"timedelta(days={ttl.days}, seconds={ttl.seconds}, microseconds={ttl.microseconds})"


def _configuration(use_case: UseCase, online: Mapping[str, object]) -> str:
    # Values are JSON, which YAML reads.
    lines = {
        "project": use_case.name,
        "provider": "local",
        "registry": "data/registry.db",
        "offline_store": {"type": "duckdb"},
        "online_store": dict(online),
        "entity_key_serialization_version": 3,
    }
    return "".join(f"{name}: {json.dumps(value)}\n" for name, value in lines.items())
