"""What each verb prints with `--json`, as JSON Schema: docs/schemas/command-line.json is written from here.

Fields are added to a document; none is renamed or removed within a major version. So the published schema
lets fields come that it does not know.
"""

from __future__ import annotations

import json
import sys
from types import GenericAlias
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, create_model
from pydantic.json_schema import GenerateJsonSchema

from mlops_core.canary.result import Canary
from mlops_core.commands import shapes
from mlops_core.comparison import Comparison
from mlops_core.doctor.finding import Finding
from mlops_core.domain.evidence import Evidence
from mlops_core.domain.gates import GateDecision
from mlops_core.domain.history import HistoryVersion, Ingested
from mlops_core.domain.ledger import Entry
from mlops_core.domain.pipeline import TaskEntry
from mlops_core.domain.receipts import ApprovalReceipt, FeatureStoreReceipt, ParityReport
from mlops_core.domain.registry import ModelVersion
from mlops_core.domain.traffic import TargetStatus
from mlops_core.planning import Plan, TaskPlan
from mlops_core.reproduction import Reproduction
from mlops_core.summary import Outcome

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["DOCUMENTS", "ELSEWHERE", "command_line_schema"]

_ID = "urn:mlops-core:command-line:1"


def _also(name: str, model: type[BaseModel], without: frozenset[str] = frozenset(), **more: Any) -> Any:
    """The shape of a model without some of its fields, and with `more`."""
    kept = {key: (one.annotation, one) for key, one in model.model_fields.items() if key not in without}
    fields: Any = {**kept, **{key: (kind, ...) for key, kind in more.items()}}
    return create_model(name, __doc__=model.__doc__, **fields)


def _many(kind: Any) -> Any:
    """A list of what is made here, which no type checker can know."""
    return GenericAlias(list, (kind,))


_DECISION = _also("DecisionFacts", GateDecision, digest=str)
_VERSION = _also(
    "VersionFacts",
    ModelVersion,
    frozenset({"use_case", "tags", "probes", "profile"}),  # as `versions.facts_of` leaves them out
    stage=str | None,
    production_since=str | None,
    decision=_DECISION | None,
    approval=shapes.ApprovalFacts | None,
    rolled_back_from=shapes.WithdrawnFacts | None,
)
_GATE: Any = create_model(
    "GateFacts",
    name=(str, ...),
    version=(int, ...),
    digest=(str, ...),
    verdict=(str, ...),
    why=(str, ...),
    approval=(create_model("Asked", state=(str, ...), question=(shapes.ApprovalFacts | None, ...)), ...),
    previous=(int | None, ...),
    stage=(str | None, ...),
    candidate=(str, ...),
    metrics=(dict[str, float], ...),
    decision=(_DECISION | None, ...),
    rolled_back_from=(shapes.WithdrawnFacts | None, ...),
)
_DOCTOR: Any = create_model("DoctorFacts", problems=(int, ...), findings=(list[Finding], ...))
_TASK = _also("TaskFacts", TaskEntry)
_TASK_OF_RUN = _also("TaskOfRunFacts", TaskEntry, state=str, why=str | None, next=bool)

DOCUMENTS: dict[str, Any] = {
    "run": Outcome,
    "plan": Plan,
    "why": list[TaskPlan],
    "features list": list[shapes.FeatureLine],
    "features show": shapes.Definition,
    "features validate": dict[str, Ingested],
    "features materialise": FeatureStoreReceipt,
    "features upsert": dict[str, HistoryVersion],
    "features get": shapes.ValuesFacts,
    "features history": dict[str, list[HistoryVersion]],
    "features expire": dict[str, HistoryVersion],
    "features verify": _also("ParityFacts", ParityReport, equal=bool),
    "models list": _many(_VERSION),
    "models show": _VERSION,
    "models compare": Comparison,
    "gate": _GATE,
    "approvals": list[shapes.AskedFacts],
    "approve": shapes.AnswerFacts,
    "reject": shapes.AnswerFacts,
    "canary": _also("CanaryFacts", Canary, verdict=str),
    "traffic": _also("TrafficFacts", TargetStatus, tried=shapes.TriedFacts | None),
    "promote": shapes.DeedFacts,
    "rollback": shapes.DeedFacts,
    "github dispatch": shapes.DispatchFacts,
    "github status": shapes.StatusFacts,
    "github approval": shapes.GithubApprovalFacts,
    "github comment": shapes.CommentFacts,
    "history": _many(_also("EntryFacts", Entry, digest=str)),
    "history --at": shapes.At,
    "evidence": Evidence,
    "reproduce": Reproduction,
    "registry verify": dict[str, shapes.RegistryFacts],
    "registry verify --adopt": dict[str, shapes.AdoptedFacts],
    "gc": shapes.GarbageFacts,
    "predict": list[shapes.PredictionFacts],
    "export": shapes.ExportFacts,
    "task list": _many(_TASK),
    "task list --run": _many(_TASK_OF_RUN),
    "task answer": ApprovalReceipt,
    "task question": shapes.QuestionFacts,
    "doctor": _DOCTOR,
}
"""The type of what a verb prints, by its words and an option where that makes it another."""

ELSEWHERE = {
    "lineage": "run events of OpenLineage, see docs/lineage.md",
    "task run": "the receipt, on a line of its own; of several tasks a line each, see docs/tasks.md",
    "task show": "the receipt, see docs/tasks.md",
    "new": "the proposed use case and the files that were written",
    "serve": "nothing: it prints where it serves, and goes on",
    "completion": "nothing: it prints a script",
}
"""What other verbs print."""


class _AsDumped(GenerateJsonSchema):
    """A model that is printed has all of its fields, those with defaults too."""

    def field_is_required(self, field: Any, total: bool) -> bool:
        return field["type"] == "model-field" or super().field_is_required(field, total)


def command_line_schema() -> dict[str, Any]:
    """A property a verb, whose schema is that of what it prints."""
    adapters: list[tuple[str, Any, TypeAdapter[Any]]] = [
        (verb, "serialization", TypeAdapter(kind)) for verb, kind in DOCUMENTS.items()
    ]
    found, definitions = TypeAdapter.json_schemas(adapters, schema_generator=_AsDumped)
    schema: dict[str, Any] = {
        "$schema": GenerateJsonSchema.schema_dialect,
        "$id": _ID,
        "title": "mlops --json",
        "description": "What each verb prints on standard output with --json. Fields may be added.",
        "type": "object",
        "properties": {verb: found[verb, "serialization"] for verb in DOCUMENTS},
        "$defs": definitions["$defs"],
    }
    _open(schema)
    return schema


def _open(part: Any) -> None:
    """Let fields come that are not known yet."""
    if isinstance(part, dict):
        if part.get("additionalProperties") is False:
            del part["additionalProperties"]
        for one in part.values():
            _open(one)
    elif isinstance(part, list):
        for one in part:
            _open(one)


if __name__ == "__main__":
    sys.stdout.write(f"{json.dumps(command_line_schema(), indent=1, ensure_ascii=False)}\n")
