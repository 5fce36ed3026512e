"""The last words of a run: what was delivered, or why not, and what to type next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from mlops_core.domain.readable import column_of, figure_text, figure_with_interval
from mlops_core.domain.value import Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from mlops_core.domain.gates import Check, GateDecision
    from mlops_core.domain.receipts import (
        ApprovalReceipt,
        DeploymentReceipt,
        EvaluationReceipt,
        FeatureStoreReceipt,
        TrainingSetReceipt,
    )

__all__ = ["EXIT_REJECTED", "Outcome", "Status", "outcome_of", "summarise", "telling"]

EXIT_REJECTED = 3
"""Exit code of a run whose version the gate rejected or a person refused, when it was asked to say so."""

Status = Literal[
    "delivered", "already delivered", "rejected", "awaiting approval", "refused", "held back", "handed over"
]

_GOES_ON = "what serves now goes on serving"


class Outcome(Value):
    """How a delivery ended, for a program: also what `mlops run --json` prints.

    `reasons` are the gate's, `why` is a sentence on what else keeps a version that passed out of Production:
    the answer of a person, that it was rolled back from, or who delivers it. `request` is the digest of the
    question put to a person, where one was.
    """

    use_case: str
    status: Status
    version: int
    stage: str
    candidate: str
    metrics: dict[str, float]
    reasons: tuple[str, ...]
    request: str | None = None
    why: str | None = None
    release: str | None
    report: str

    @property
    def turned_down(self) -> bool:
        """Whether the gate or a person said no; one that waits for an answer is not turned down."""
        return self.status in ("rejected", "refused")


def outcome_of(context: Mapping[str, Any], started: datetime) -> Outcome:
    """The outcome of a finished pipeline, from its receipts; `started` tells new from already there."""
    deployed: DeploymentReceipt = context["deployment"]
    evaluation: EvaluationReceipt = context["model_evaluation"]
    approval: ApprovalReceipt = context["approval"]
    return Outcome(
        use_case=deployed.name,
        status=_status(deployed, started),
        version=deployed.version,
        stage=deployed.stage,
        candidate=evaluation.candidate,
        metrics={name: interval.value for name, interval in evaluation.metrics.items()},
        reasons=context["gate"].decision.reasons,
        request=approval.request,
        why=deployed.why,
        release=deployed.release,
        report=context["model_registry"].report,
    )


def _status(deployed: DeploymentReceipt, started: datetime) -> Status:
    if deployed.status == "deployed":
        new = deployed.released_at is not None and deployed.released_at >= started
        return "delivered" if new else "already delivered"
    return "awaiting approval" if deployed.status == "waiting" else deployed.status


def summarise(
    context: Mapping[str, Any], outcome: Outcome, home: Path, *, known_as: str | None = None
) -> str:
    """The summary that a person reads, plain text of about twenty lines.

    `known_as` is how commands find the use case, as module:ATTRIBUTE where it is one of the user's own.
    """
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
    decision: GateDecision = context["gate"].decision
    lines += ["", "  candidate      validation   evaluation (interval)"]
    lines += [_candidate(one, evaluation, decision.policy.metric) for one in evaluation.validation]
    lines += ["", f"  gate        {decision.verdict}"]
    lines += [f"              - {check.name}: {check.sentence}" for check in telling(decision)]
    if outcome.request is not None:
        lines.append(f"  approval    {context['approval'].why}")
        lines.append(f"              question {outcome.request[:12]}")
    if outcome.status in ("held back", "handed over"):
        lines.append(f"  {outcome.status:<12}{outcome.why}")
    lines += ["", f"  version     {name} {outcome.version}, {outcome.stage}"]
    if outcome.release is not None:
        lines.append(f"  serves from {home / outcome.release}")
    lines.append(f"  report      {home / outcome.report}")
    return "\n".join([*lines, "", *_next_steps(outcome, known_as or name)])


def _headline(outcome: Outcome) -> str:
    name, version = outcome.use_case, outcome.version
    match outcome.status:
        case "delivered":
            return f"{name} version {version} is delivered."
        case "already delivered":
            return f"{name} version {version} is already delivered: same inputs, nothing to do."
        case "rejected":
            return f"{name} version {version} was rejected by the gate; {_GOES_ON}."
        case "awaiting approval":
            return f"{name} version {version} passed the gate and awaits a person's approval; {_GOES_ON}."
        case "refused":
            return f"{name} version {version} passed the gate, but a person refused it; {_GOES_ON}."
        case "held back":
            return f"{name} version {version} was rolled back from and is held back; {_GOES_ON}."
        case "handed over":
            return f"{name} version {version} passed the gate and is handed over; {_GOES_ON} until then."


def telling(decision: GateDecision) -> list[Check]:
    """The checks that a person reads first: those that failed, else those that passed."""
    failed = [check for check in decision.checks if check.outcome == "failed"]
    return failed or [check for check in decision.checks if check.outcome == "passed"]


def _candidate(name: str, evaluation: EvaluationReceipt, metric: str) -> str:
    figures = evaluation.validation[name]
    title = "ROC AUC" if metric == "roc_auc" else column_of(metric)
    text = f"  {name:<14} -"
    if metric in figures:
        text = f"  {name:<14} {title} {figure_text(metric, figures[metric])}"
    judged = evaluation.metrics.get(metric)
    if name == evaluation.candidate and judged is not None:
        text += f"   {figure_with_interval(metric, judged)}, chosen"
    return text


def _next_steps(outcome: Outcome, name: str) -> list[str]:
    version = outcome.version
    match outcome.status:
        case "awaiting approval":
            return [
                f"Next: mlops approve {name} {version} --reason …  |  "
                f"mlops reject {name} {version} --reason …  |  mlops approvals {name}"
            ]
        case "rejected" | "refused" | "held back" | "handed over":
            return [f"Next: mlops models show {name}@{version}  |  mlops history {name}"]
        case _:
            return [f"Next: mlops serve {name}  |  mlops predict {name} --id 1  |  mlops models list {name}"]


def _span(log: Any) -> str:
    return f"{log.first:%Y-%m-%d} to {log.last:%Y-%m-%d}"


def _snapshots(instants: Sequence[datetime]) -> str:
    if len(instants) == 1:
        return f"snapshot of {instants[0]:%Y-%m-%d}"
    return f"{len(instants)} snapshots from {instants[0]:%Y-%m-%d} to {instants[-1]:%Y-%m-%d}"
