"""What a run leaves to look at in the Prefect UI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlops_core.delivery import Delivery
    from mlops_core.domain.gates import GateDecision
    from mlops_core.domain.receipts import EvaluationReceipt
    from mlops_core.domain.registry import ModelVersion

__all__ = ["publish", "publish_question"]


def publish(delivery: Delivery, context: Mapping[str, Any], summary: str) -> None:
    """Publish the summary, the metrics with their intervals, the gate's checks and a link to the report."""
    name = _key(delivery.use_case.name)
    evaluation: EvaluationReceipt = context["model_evaluation"]
    create_markdown_artifact(f"```\n{summary}\n```", key=f"{name}-summary", description="How the run ended.")
    create_table_artifact(
        [
            {"metric": metric, "value": f"{one.value:.4f}", "interval": f"{one.low:.4f} to {one.high:.4f}"}
            for metric, one in evaluation.metrics.items()
        ],
        key=f"{name}-metrics",
        description=f"{evaluation.candidate} on {evaluation.rows:,} rows it has never seen.",
    )
    _gate_and_report(name, context["gate"].decision, delivery.report_path(context).absolute())


def publish_question(version: ModelVersion, text: str, decision: GateDecision, report: Path) -> None:
    """Publish what a person is asked, the gate's checks and a link to the report."""
    name = _key(version.name)
    asked = f"Waits for an answer about version {version.number}: press Resume."
    create_markdown_artifact(text, key=f"{name}-question", description=asked)
    _gate_and_report(name, decision, report)


def _gate_and_report(name: str, decision: GateDecision, report: Path) -> None:
    create_table_artifact(
        [{"check": check.name, "outcome": check.outcome, "why": check.sentence} for check in decision.checks],
        key=f"{name}-gate",
        description=f"The gate: {decision.verdict}.",
    )
    create_link_artifact(
        report.as_uri(), link_text=str(report), key=f"{name}-report", description="The HTML report."
    )


def _key(name: str) -> str:
    return name.replace("_", "-")
