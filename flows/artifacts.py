"""What a run leaves to look at in the Prefect UI."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactCreate
from prefect.context import FlowRunContext

from flows.account import account, metric_rows
from flows.plots import plots
from mlops_core.places import Places, listed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_core.delivery import Delivery
    from mlops_core.domain.gates import GateDecision
    from mlops_core.domain.receipts import EvaluationReceipt
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.ports import Engines

__all__ = ["publish", "publish_question"]


def publish(
    delivery: Delivery, context: Mapping[str, Any], summary: str, *, known_as: str | None = None
) -> None:
    """Publish how it ended, the metrics beside the champion's, the gate's checks and the report's plots.

    `known_as` is how commands find the use case, as module:ATTRIBUTE where it is one of the user's own.
    """
    name, outcome = delivery.use_case.name, delivery.outcome(context)
    evaluation: EvaluationReceipt = context["model_evaluation"]
    decision: GateDecision = context["gate"].decision
    places = Places.of(name, outcome.version, known_as or name)
    judged = f"{evaluation.candidate} on {evaluation.rows:,} rows it has never seen."
    _create(
        _markdown(f"{name}-summary", account(context, outcome, places, summary), "How the run ended."),
        _table(f"{name}-metrics", metric_rows(evaluation, decision), judged),
        _gate(name, decision),
        _report(name, delivery.engines, outcome.report, places),
    )


def publish_question(
    engines: Engines, version: ModelVersion, text: str, decision: GateDecision, report: str, places: Places
) -> None:
    """Publish what a person is asked, the gate's checks and the plots of the report at this place."""
    name = version.name
    asked = f"Waits for an answer about version {version.number}: press Resume."
    _create(
        _markdown(f"{name}-question", text, asked),
        _gate(name, decision),
        _report(name, engines, report, places),
    )


def _gate(name: str, decision: GateDecision) -> ArtifactCreate:
    rows = [{"check": one.name, "outcome": one.outcome, "why": one.sentence} for one in decision.checks]
    return _table(f"{name}-gate", rows, f"The gate: {decision.verdict}.")


def _report(name: str, engines: Engines, report: str, places: Places) -> ArtifactCreate:
    drawn = plots(engines.reporter, engines.workspace.path(report))
    text = "\n\n".join([listed([places.report(report)]), *drawn])
    return _markdown(f"{name}-report", text, "The report's plots; the page itself has its tables too.")


def _markdown(key: str, text: str, description: str) -> ArtifactCreate:
    return ArtifactCreate(type="markdown", key=_key(key), data=text, description=description)


def _table(key: str, rows: Sequence[Mapping[str, str]], description: str) -> ArtifactCreate:
    return ArtifactCreate(type="table", key=_key(key), data=json.dumps(rows), description=description)


def _create(*artifacts: ArtifactCreate) -> None:
    """All through one connection; each of Prefect's own functions makes another."""
    context = FlowRunContext.get()
    run = context.flow_run.id if context is not None and context.flow_run is not None else None
    with get_client(sync_client=True) as client:
        for one in artifacts:
            client.create_artifact(one.model_copy(update={"flow_run_id": run}))


def _key(name: str) -> str:
    return name.replace("_", "-")
