"""The descent of a version as OpenLineage run events, which catalogues of data and models read.

Each thing of the descent but the events is the output of one run of a job: `<model>.features`,
`<model>.training_set` and so on, in the namespace `mlops`; its inputs are what it follows from. Nothing is
emitted: these are the events that would have been, one a job (COMPLETE, or RUNNING while a person has not
answered), and equal arguments give equal ones.

Source: OpenLineage 2-0-2, https://openlineage.io/spec/2-0-2/OpenLineage.json and the facets beside it. What
no facet of theirs can say is in facets of our own, `mlops_…`, whose schema is docs/lineage.schema.json.
"""

from __future__ import annotations

import json
import re
from importlib.metadata import version as version_of
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from mlops_core.domain.digest import canonical
from mlops_core.exporters.openlineage_columns import column_lineage_of, schema_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mlops_core.domain.descent import Descent, Node
    from mlops_core.domain.registry import ModelVersion

__all__ = ["to_openlineage"]

_SPEC = "https://openlineage.io/spec"
_OWN = "urn:mlops-core:docs/lineage.schema.json"
_NAMESPACE = "mlops"
_IDS = UUID("7a1d5ba0-53c0-5b8d-9c39-6f2a5d1c4e77")  # any: it tells our ids from those of others
_PARTS_OF_A_RUN = ("features", "training set", "run", "version", "decision")
_OWN_FACETS = {kind: f"mlops_{kind}" for kind in ("decision", "approval", "promotion", "release")}


def to_openlineage(version: ModelVersion, descent: Descent) -> list[dict[str, Any]]:
    """The run events in the order of the descent, as JSON.

    A stage whose time is not kept (features, training set, training) has the one of the registration, and so
    has a decision that the ledger does not know. `nominalTime` is the day that the data is of.
    """
    return [_event(version, descent, node) for node in descent.nodes if node.kind != "events"]


def _event(version: ModelVersion, descent: Descent, node: Node) -> dict[str, Any]:
    return {
        "eventType": "RUNNING" if node.kind == "approval" and node.at is None else "COMPLETE",
        "eventTime": _instant(node.at or version.created_at),
        "run": {"runId": _run_id(version, node.id, node.digest), "facets": _run_facets(version, node)},
        "job": {
            "namespace": _NAMESPACE,
            "name": f"{version.name}.{node.kind.replace(' ', '_')}",
            "facets": _job_facets(version, node),
        },
        "inputs": [_dataset(version, one) for one in descent.parents(node)],
        "outputs": [_dataset(version, node, made=True)],
        "producer": _producer(),
        "schemaURL": f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent",
    }


def _run_facets(version: ModelVersion, node: Node) -> dict[str, Any]:
    facets: dict[str, Any] = {}
    lineage = version.lineage
    if node.kind in _PARTS_OF_A_RUN:
        run = {"runId": _run_id(version, "pipeline", version.digest)}
        job = {"namespace": _NAMESPACE, "name": version.name}
        facets["parent"] = _facet("ParentRunFacet", "1-2-0", run=run, job=job)
        day = _instant(lineage.as_of)
        facets["nominalTime"] = _facet("NominalTimeRunFacet", "1-0-1", nominalStartTime=day)
    if node.kind == "run":
        if "scikit-learn" in lineage.libraries:
            engine = {"name": "scikit-learn", "version": lineage.libraries["scikit-learn"]}
            facets["processing_engine"] = _facet("ProcessingEngineRunFacet", "1-1-1", **engine)
        facets["mlops_run"] = _own(
            "run",
            runId=version.run_id,
            candidate=version.candidate,
            code=lineage.code,
            libraries=lineage.libraries,
            environment=lineage.environment,
        )
    if node.kind in _OWN_FACETS:
        facets[_OWN_FACETS[node.kind]] = _own(
            node.kind, name=node.name, digest=node.digest, **{_camel(key): said for key, said in node.facts}
        )
    return facets


def _job_facets(version: ModelVersion, node: Node) -> dict[str, Any]:
    by_person = node.kind in ("approval", "promotion")
    kind = {"processingType": "BATCH", "integration": "MLOPS", "jobType": "DECISION" if by_person else "TASK"}
    facets = {"jobType": _facet("JobTypeJobFacet", "2-0-4", **kind)}
    commit = version.lineage.git_commit
    if commit is not None and node.kind in _PARTS_OF_A_RUN:
        # The repository's address is not known, so the URL names the commit and cannot be fetched.
        where = {"type": "git", "url": f"urn:git:commit:{commit}", "version": commit}
        facets["sourceCodeLocation"] = _facet("SourceCodeLocationJobFacet", "1-1-0", **where)
    return facets


def _dataset(version: ModelVersion, node: Node, *, made: bool = False) -> dict[str, Any]:
    facets: dict[str, Any] = {}
    if node.digest is not None:
        facets["version"] = _facet("DatasetVersionDatasetFacet", "1-0-1", datasetVersion=node.digest)
    facets["documentation"] = _facet("DocumentationDatasetFacet", "1-1-0", description=_described(node))
    definitions: Mapping[str, Any] = json.loads(version.use_case)
    fields = schema_of(node, version, definitions)
    if fields:
        facets["schema"] = _facet("SchemaDatasetFacet", "1-2-0", fields=fields)
    source = _source_of(node, definitions)
    if source is not None:
        facets["dataSource"] = _facet("DatasourceDatasetFacet", "1-0-1", **source)
    columns = column_lineage_of(node, version, definitions, lambda name: _name(version, f"events/{name}"))
    if made and columns:
        facets["columnLineage"] = _facet("ColumnLineageDatasetFacet", "1-2-0", fields=columns)
    if made and node.kind in ("version", "release"):
        change = {"lifecycleStateChange": "CREATE"}
        facets["lifecycleStateChange"] = _facet("LifecycleStateChangeDatasetFacet", "1-0-1", **change)
    return {"namespace": _NAMESPACE, "name": _dataset_name(version, node), "facets": facets}


def _dataset_name(version: ModelVersion, node: Node) -> str:
    """What has versions itself has one name; what belongs to one version of the model has its number."""
    match node.kind:
        case "events":
            return _name(version, f"events/{node.name}")
        case "features" | "training set" | "version":
            return _name(version, {"version": "model"}.get(node.kind, node.kind.replace(" ", "_")))
        case "run":
            return _name(version, "fitted_model")
        case _:
            return _name(version, f"{version.number}/{node.id.replace('.', '/')}")


def _name(version: ModelVersion, what: str) -> str:
    return f"{version.name}/{what}"


def _described(node: Node) -> str:
    facts = "".join(f"; {caption} {said}" for caption, said in node.facts)
    return f"{node.kind}: {node.name}{facts}"


def _source_of(node: Node, definitions: Mapping[str, Any]) -> dict[str, str] | None:
    """The source of events by name; where its rows lie is a path of one machine, and is left out."""
    names = [one.get("name") for one in definitions.get("sources") or ()]
    return {"name": node.name} if node.kind == "events" and node.name in names else None


def _facet(name: str, release: str, /, **fields: Any) -> dict[str, Any]:
    url = f"{_SPEC}/facets/{release}/{name}.json#/$defs/{name}"
    return {"_producer": _producer(), "_schemaURL": url, **fields}


def _own(kind: str, /, **fields: Any) -> dict[str, Any]:
    there = {name: value for name, value in fields.items() if value is not None}
    return {"_producer": _producer(), "_schemaURL": f"{_OWN}#/$defs/{kind}", **there}


def _producer() -> str:
    return f"urn:mlops-core:{version_of('mlops-core')}"


def _run_id(version: ModelVersion, what: str, digest: str | None) -> str:
    return str(uuid5(_IDS, canonical([version.name, version.digest, version.run_id, what, digest])))


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _camel(caption: str) -> str:
    first, *others = re.split(r"[^A-Za-z0-9]+", caption)
    return first + "".join(word.capitalize() for word in others)
