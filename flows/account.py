"""A delivery as a page of Markdown: the verdict first, then what it rests on, and how to go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core import comparison
from mlops_core.domain.readable import (
    column_of,
    figure_text,
    figure_with_interval,
    gain_text,
    interval_text,
)
from mlops_core.places import listed
from mlops_core.question import checks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlops_core.comparison import MetricRow
    from mlops_core.domain.gates import GateDecision
    from mlops_core.domain.receipts import DeploymentReceipt, EvaluationReceipt
    from mlops_core.places import Places
    from mlops_core.summary import Outcome

__all__ = ["account", "metric_rows"]


def account(context: Mapping[str, Any], outcome: Outcome, places: Places, summary: str) -> str:
    """How a delivery ended. `summary` is the text of the terminal, which is kept at the end."""
    headline, _, rest = summary.partition("\n")
    next_steps = rest.rpartition("Next:")[2].split("|")
    decision: GateDecision = context["gate"].decision
    parts = [
        f"# {headline}",
        listed(list(_situation(context, outcome))),
        f"## The gate: {decision.verdict}",
        listed(list(checks(decision))),
        "## Where to look",
        listed(list(_places(outcome, places))),
        "## How to go on",
        "\n".join(f"- `{step.strip()}`" for step in next_steps),
        "## As the terminal shows it",
        f"```\n{summary}\n```",
    ]
    return "\n\n".join(parts)


def metric_rows(evaluation: EvaluationReceipt, decision: GateDecision) -> list[dict[str, str]]:
    """A row a metric, as text; the champion's figure where the gate compared both on the same rows."""
    return [
        {"metric": column_of(row.metric), "value": figure_text(row.metric, row.value)}
        | (_beside(row, decision.champion) if decision.champion else {})
        | {"interval": interval_text(row.metric, evaluation.metrics[row.metric])}
        for row in comparison.metric_rows(evaluation.metrics, decision)
    ]


def _beside(row: MetricRow, champion: int) -> dict[str, str]:
    rival, gain = f"version {champion}", "gain, at worst"
    if row.gain is None or row.at_worst is None or row.other is None:
        return {rival: "", gain: ""}
    gained = f"{gain_text(row.metric, row.gain)}, {gain_text(row.metric, row.at_worst)}"
    return {rival: figure_text(row.metric, row.other, like=row.value), gain: gained}


def _situation(context: Mapping[str, Any], outcome: Outcome) -> Iterator[tuple[str, str]]:
    evaluation: EvaluationReceipt = context["model_evaluation"]
    deployed: DeploymentReceipt = context["deployment"]
    decision: GateDecision = context["gate"].decision
    yield "model", f"{outcome.candidate}, on data as of {context['feature_store'].as_of:%Y-%m-%d}"
    metric = decision.policy.metric
    if metric in evaluation.metrics:
        figure = figure_with_interval(metric, evaluation.metrics[metric])
        yield column_of(metric), f"{figure} on {evaluation.rows:,} rows it has never seen"
    if decision.champion:
        yield "against", f"version {decision.champion}, on the same rows"
    if outcome.release is not None:
        yield "replaces", f"version {deployed.previous}" if deployed.previous else "nothing: it is the first"
    if outcome.why:
        yield "why", outcome.why


def _places(outcome: Outcome, places: Places) -> Iterator[tuple[str, str]]:
    yield places.version()
    if outcome.release is not None:
        yield places.released(outcome.release)
    yield places.evidence(outcome.release)
    yield places.report(outcome.report)
    yield from places.further()
