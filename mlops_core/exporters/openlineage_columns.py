"""Columns of datasets for OpenLineage, by the definitions that a version was registered with.

These may have been written by an older version of this software, so they are read as JSON, and what is not
there is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlops_core.domain.descent import Node
    from mlops_core.domain.registry import ModelVersion

__all__ = ["column_lineage_of", "schema_of"]


def schema_of(node: Node, version: ModelVersion, definitions: Mapping[str, Any]) -> list[dict[str, str]]:
    """The columns of a dataset with their types, as far as they are known; empty for what is no table."""
    if node.kind == "features":
        return [{"name": name, "type": "double"} for name in version.feature_names]
    if node.kind == "training set":
        label = definitions.get("label") or {}
        kind = "double" if label.get("column") else "tinyint"
        rest = [{"name": label["name"], "type": kind}] if label.get("name") else []
        return [*({"name": name, "type": "double"} for name in version.feature_names), *rest]
    if node.kind == "events":
        return _event_columns(node.name, definitions)
    return []


def column_lineage_of(
    node: Node, version: ModelVersion, definitions: Mapping[str, Any], dataset: Callable[[str], str]
) -> dict[str, Any]:
    """Which columns of the events each feature of the model reads; `dataset` names those of a source.

    A feature on demand reads what the features in its formula read.
    """
    if node.kind != "features":
        return {}
    reads = _reads(definitions)
    fields = {}
    for name in version.feature_names:
        found = sorted(reads.get(name, set()) or _formula_reads(name, definitions, reads))
        inputs = [
            {"namespace": "mlops", "name": dataset(source), "field": column} for source, column in found
        ]
        if inputs:
            fields[name] = {"inputFields": inputs}
    return fields


def _event_columns(source: str, definitions: Mapping[str, Any]) -> list[dict[str, str]]:
    written: Mapping[str, Any] = next(
        (one for one in definitions.get("sources") or () if one.get("name") == source), {}
    )
    declared: Mapping[str, str] = written.get("columns") or {}
    known = [written.get("event_timestamp"), written.get("created_timestamp"), written.get("event_id")]
    read = {column for reads in _reads(definitions).values() for name, column in reads if name == source}
    label = definitions.get("label") or {}
    if label.get("source") == source and label.get("column"):
        read.add(label["column"])
    names = dict.fromkeys([*declared, *(name for name in known if name), *sorted(read)])
    return [{"name": name} | ({"type": declared[name]} if name in declared else {}) for name in names]


def _reads(definitions: Mapping[str, Any]) -> dict[str, set[tuple[str, str]]]:
    """The (source, column) pairs behind each feature of the views; the time for counts and ages."""
    times = {one.get("name"): one.get("event_timestamp") for one in definitions.get("sources") or ()}
    found: dict[str, set[tuple[str, str]]] = {}
    for view in definitions.get("views") or ():
        source = view.get("source")
        for feature in view.get("features") or ():
            where = feature.get("where") or ()
            conditions = [where] if isinstance(where, dict) else where
            columns = {feature.get("column") or times.get(source), *(one.get("column") for one in conditions)}
            found[feature.get("name")] = {(source, column) for column in columns if column}
    return found


def _formula_reads(
    name: str, definitions: Mapping[str, Any], reads: Mapping[str, set[tuple[str, str]]]
) -> set[tuple[str, str]]:
    from mlops_core.domain.expressions import names_in
    from mlops_core.errors import MlopsError

    formulas = [one["formula"] for one in definitions.get("on_demand") or () if one.get("name") == name]
    try:
        return {pair for formula in formulas for one in names_in(formula) for pair in reads.get(one, ())}
    except (MlopsError, ValueError):  # a formula of another version of this software
        return set()
