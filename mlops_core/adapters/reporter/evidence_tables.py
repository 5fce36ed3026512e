"""The tables of an evidence pack, as text ready to show."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_core.adapters.reporter.policy_words import conditions, limit_words
from mlops_core.adapters.reporter.tables import directed, unskilled
from mlops_core.adapters.reporter.whisker import whisker
from mlops_core.domain.metrics import task_of
from mlops_core.domain.readable import figure_text, gain_text, interval_text, readable
from mlops_core.domain.receipts import Interval

if TYPE_CHECKING:
    from datetime import datetime

    from markupsafe import Markup

    from mlops_core.domain.evidence import Evidence
    from mlops_core.domain.gates import Check, GatePolicy

__all__ = [
    "CheckGroup",
    "MeasuredRow",
    "SliceRow",
    "check_groups",
    "choice_table",
    "digest_rows",
    "instant",
    "measured_rows",
    "slice_rows",
]


@dataclass(frozen=True, slots=True)
class MeasuredRow:
    """A metric on the evaluation rows, with its picture and what the policy or no skill at all would say."""

    title: str
    value: str
    interval: str
    picture: Markup
    beside: str


@dataclass(frozen=True, slots=True)
class CheckGroup:
    """The checks of one outcome; `waived` are those that a person passed over."""

    outcome: str
    checks: tuple[tuple[Check, bool], ...]


@dataclass(frozen=True, slots=True)
class SliceRow:
    """Rows that were looked at by themselves; what was not computed is blank."""

    name: str
    where: str
    rows: str
    gain: str
    low: str
    margin: str
    outcome: str


def measured_rows(evidence: Evidence) -> list[MeasuredRow]:
    """All metrics that were registered with the version."""
    policy = evidence.decision.policy if evidence.decision else None
    means = _no_skill(evidence)
    made = []
    for metric, interval in evidence.metrics.items():
        words, limit = _limit(metric, policy)
        no_skill = f"no skill {figure_text(metric, means[metric])}" if metric in means else ""
        made.append(
            MeasuredRow(
                title=directed(metric),
                value=figure_text(metric, interval.value),
                interval=interval_text(metric, interval),
                picture=_picture(metric, interval, limit, means.get(metric)),
                beside=", ".join(filter(None, (words, no_skill))),
            )
        )
    return made


def _no_skill(evidence: Evidence) -> dict[str, float]:
    """What each metric is of a model that gives every row the mean of them, as far as that can be told."""
    if task_of(evidence.threshold) == "classification":
        rows, positives = evidence.rows or 0, evidence.positives or 0
        return unskilled(positives / rows) if 0 < positives < rows else {}
    found = {"r2": 0.0} if "r2" in evidence.metrics else {}
    rmse = evidence.metrics.get("neg_root_mean_squared_error")
    if rmse is not None and found and (left := 1 - evidence.metrics["r2"].value) > 0:
        found["neg_root_mean_squared_error"] = rmse.value / math.sqrt(left)  # by what R² is
    return found


def _picture(metric: str, interval: Interval, limit: float | None, no_skill: float | None) -> Markup:
    """The whisker, in the figures that stand beside it."""
    low, high = sorted(readable(metric, end) for end in (interval.low, interval.high))
    shown = Interval(value=readable(metric, interval.value), low=low, high=high)
    marks = [None if mark is None else readable(metric, mark) for mark in (limit, no_skill)]
    return whisker(shown, *marks)


def _limit(metric: str, policy: GatePolicy | None) -> tuple[str, float | None]:
    """What the policy demands of a metric by itself: in words, and as the number to draw."""
    if policy is None:
        return "", None
    demands = []
    if metric == policy.metric:
        demands.append(("floor", policy.floor))
    if metric in policy.floors:
        demands.append(("at least", policy.floors[metric]))
    if metric in policy.ceilings:
        demands.append(("at most", policy.ceilings[metric]))
    if metric == "calibration_error" and policy.calibration is not None:
        demands.append(("at most", policy.calibration))
    words = ", ".join(limit_words(metric, word, bound) for word, bound in demands)
    return words, demands[0][1] if demands else None


def check_groups(evidence: Evidence) -> list[CheckGroup]:
    """Failed, passed, not applicable; a group without checks is left out."""
    checks = evidence.decision.checks if evidence.decision else ()
    groups = []
    for outcome in ("failed", "passed", "not applicable"):
        found = tuple((one, one.name in evidence.waived) for one in checks if one.outcome == outcome)
        if found:
            groups.append(CheckGroup(outcome, found))
    return groups


def slice_rows(evidence: Evidence) -> list[SliceRow]:
    """The policy's slices with what came of each."""
    if evidence.decision is None:
        return []
    checks = {check.name: check for check in evidence.decision.checks}
    metric = evidence.decision.policy.metric
    made = []
    for one in evidence.decision.policy.slices:
        check = checks.get(f"slice {one.name}")
        figures = check.figures if check else {}
        rarer = _told(figures, "rarer_class", ",.0f", "{} of the rarer class")
        made.append(
            SliceRow(
                name=one.name,
                where=conditions(one),
                rows=", ".join(filter(None, (_told(figures, "rows", ",.0f", "{} rows"), rarer))),
                gain=gain_text(metric, figures["gain"]) if "gain" in figures else "",
                low=f"≥ {gain_text(metric, figures['low'])}" if "low" in figures else "",
                margin=_told(figures, "margin", "g", "-{}"),
                outcome=check.outcome if check else "",
            )
        )
    return made


def choice_table(evidence: Evidence) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """What the candidate was chosen by: the candidates, the chosen one first, and a row for each metric."""
    names = sorted(evidence.validation, key=lambda name: (name != evidence.candidate, name))
    metrics = dict.fromkeys(metric for figures in evidence.validation.values() for metric in figures)
    return names, [
        (directed(metric), [_measured(metric, evidence.validation[name]) for name in names])
        for metric in metrics
    ]


def digest_rows(evidence: Evidence) -> list[tuple[str, str, str]]:
    """What there is a digest of, the digest, and what it covers."""
    digests, lineage = evidence.digests, evidence.lineage
    found = [
        ("Version", digests.model, "fitted state, training set and definitions together"),
        ("Fitted state", digests.fitted_state, "the model's learnt numbers, however they are saved"),
        ("Training set", digests.training_set, "values of the training rows, in their order"),
        *((f"Events, {name}", digest, "values of the rows") for name, digest in lineage.data.items()),
        ("Definitions", digests.definitions, "entity, sources, features, label, candidates"),
        ("Candidate", lineage.candidate, "its specification"),
        ("Code", digests.code, "all code that a delivery uses"),
        ("Policy", digests.policy, "policy.json as canonical JSON"),
        ("Decision", digests.decision, "verdict, checks and figures, without what the machine decides"),
        ("Question", evidence.approval.request if evidence.approval else None, "all that was approved"),
        ("Report", digests.report, "the bytes of report.html"),
    ]
    return [(what, digest, covers) for what, digest, covers in found if digest is not None]


def instant(at: datetime) -> str:
    """Such as "2026-11-22 18:10:09 UTC"."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _measured(metric: str, figures: dict[str, float]) -> str:
    return figure_text(metric, figures[metric]) if metric in figures else ""


def _told(figures: dict[str, float], key: str, form: str, words: str = "{}") -> str:
    """A figure in some words; empty when there is none."""
    return words.format(format(figures[key], form)) if key in figures else ""
