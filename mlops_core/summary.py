"""The last words of a run: what was delivered, or why not, and what to type next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from mlops_core.domain.value import Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from mlops_core.domain.receipts import (
        DeploymentReceipt,
        EvaluationReceipt,
        FeatureStoreReceipt,
        TrainingSetReceipt,
    )

__all__ = ["EXIT_REJECTED", "Outcome", "outcome_of", "summarise"]

EXIT_REJECTED = 3
"""Exit code of a run that the gate rejected, when it was asked to say so."""


class Outcome(Value):
    """How a delivery ended, for a program: also what `mlops run --json` prints."""

    use_case: str
    status: Literal["delivered", "already delivered", "rejected"]
    version: int
    stage: str
    candidate: str
    metrics: dict[str, float]
    reasons: tuple[str, ...]
    release: str | None
    report: str


def outcome_of(context: Mapping[str, Any], started: datetime) -> Outcome:
    """The outcome of a finished pipeline, from its receipts; `started` tells new from already there."""
    deployed: DeploymentReceipt = context["deployment"]
    evaluation: EvaluationReceipt = context["model_evaluation"]
    status: Literal["delivered", "already delivered", "rejected"] = "rejected"
    if deployed.released_at is not None:
        status = "delivered" if deployed.released_at >= started else "already delivered"
    return Outcome(
        use_case=deployed.name,
        status=status,
        version=deployed.version,
        stage=deployed.stage,
        candidate=evaluation.candidate,
        metrics={name: interval.value for name, interval in evaluation.metrics.items()},
        reasons=context["gate"].decision.reasons,
        release=deployed.release,
        report=context["model_registry"].report,
    )


def summarise(context: Mapping[str, Any], outcome: Outcome, home: Path) -> str:
    """The summary that a person reads, plain text of about twenty lines."""
    events: FeatureStoreReceipt = context["feature_store"]
    rows: TrainingSetReceipt = context["training_set"]
    evaluation: EvaluationReceipt = context["model_evaluation"]
    name = outcome.use_case
    lines = [_headline(outcome), ""]
    for source, log in events.events.items():
        lines.append(f"  events      {log.rows:,} {source} of {log.entities:,} entities, {_span(log)}")
    lines.append(f"  online      {events.online_rows:,} entities, as of {events.as_of:%Y-%m-%d}")
    count = rows.fit.rows + rows.embargo.rows + rows.validation.rows
    lines.append(f"  training    {count:,} rows, {_snapshots(rows.training)}")
    lines.append(f"  evaluation  {evaluation.rows:,} rows, {_snapshots(rows.evaluation.snapshots)}")
    lines += ["", "  candidate      validation   evaluation (interval)"]
    lines += [_candidate(one, evaluation) for one in evaluation.validation]
    lines += ["", f"  gate        {context['gate'].decision.verdict}"]
    lines += [f"              - {reason}" for reason in outcome.reasons]
    lines += ["", f"  version     {name} {outcome.version}, {outcome.stage}"]
    if outcome.release is not None:
        lines.append(f"  serves from {home / outcome.release}")
    lines.append(f"  report      {home / outcome.report}")
    return "\n".join([*lines, "", *_next_steps(outcome)])


def _headline(outcome: Outcome) -> str:
    name, version = outcome.use_case, outcome.version
    match outcome.status:
        case "delivered":
            return f"{name} version {version} is delivered."
        case "already delivered":
            return f"{name} version {version} is already delivered: same inputs, nothing to do."
        case "rejected":
            return f"{name} version {version} was rejected by the gate; what serves now goes on serving."


def _candidate(name: str, evaluation: EvaluationReceipt) -> str:
    figures = evaluation.validation[name]
    text = f"  {name:<14} ROC AUC {figures['roc_auc']:.4f}"
    if name == evaluation.candidate:
        judged = evaluation.metrics["roc_auc"]
        text += f"   {judged.value:.4f} ({judged.low:.4f} to {judged.high:.4f}), chosen"
    return text


def _next_steps(outcome: Outcome) -> list[str]:
    name = outcome.use_case
    if outcome.status == "rejected":
        return [f"Next: mlops models show {name}@staging"]
    return [f"Next: mlops serve {name}  |  mlops predict {name} --id 1  |  mlops models list {name}"]


def _span(log: Any) -> str:
    return f"{log.first:%Y-%m-%d} to {log.last:%Y-%m-%d}"


def _snapshots(instants: Sequence[datetime]) -> str:
    if len(instants) == 1:
        return f"snapshot of {instants[0]:%Y-%m-%d}"
    return f"{len(instants)} snapshots from {instants[0]:%Y-%m-%d} to {instants[-1]:%Y-%m-%d}"
