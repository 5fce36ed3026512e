"""What models as of past days would have been, a line a day: read from the receipts of a backfill."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from mlops_core.dag import part_of
from mlops_core.domain.metrics import greater_is_better
from mlops_core.domain.readable import column_of, figure_text, figure_with_interval
from mlops_core.domain.receipts import Interval
from mlops_core.domain.value import Value
from mlops_core.stages.model_evaluation import REPORT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from mlops_core.domain.receipts import EvaluationReceipt, FeatureStoreReceipt, TrainingSetReceipt
    from mlops_core.workspace import Workspace

__all__ = ["Past", "best_and_worst", "kept", "past_of", "table"]


class Past(Value):
    """The model as of `day`, judged on `rows` of the snapshot `judged_on`; `figure` is of the gate's metric.

    `known_until` is the last instant of which anything was known then. `found` says that it was there before.
    """

    day: date
    known_until: datetime
    judged_on: datetime
    rows: int
    candidate: str
    figure: Interval | None
    report: str
    found: bool


def kept(workspace: Workspace) -> dict[str, int]:
    """The evaluations that are there, and when each was made, in nanoseconds of the file system's clock."""
    found = workspace.home.glob("stages/model_evaluation/[!.]*/receipt.json")
    return {workspace.uri(file.parent): file.stat().st_mtime_ns for file in found}


def past_of(
    day: date, metric: str, results: Mapping[str, Any], before: Mapping[str, int], after: Mapping[str, int]
) -> Past | None:
    """The line of a day, None when it did not come that far; `before` and `after` are what was kept then."""
    receipts = part_of(day.isoformat(), results)
    if "model_evaluation" not in receipts:
        return None
    features: FeatureStoreReceipt = receipts["feature_store"]
    rows: TrainingSetReceipt = receipts["training_set"]
    judged: EvaluationReceipt = receipts["model_evaluation"]
    folder = judged.ref.uri.rstrip("/")
    return Past(
        day=day,
        known_until=features.as_of,
        judged_on=rows.evaluation.snapshots[-1],
        rows=judged.rows,
        candidate=judged.candidate,
        figure=judged.metrics.get(metric),
        report=f"{folder}/{REPORT}",
        found=folder in before and before[folder] == after.get(folder),
    )


def table(past: Sequence[Past], errors: Mapping[date, str], metric: str, home: str) -> list[dict[str, str]]:
    """A row a day, in words, ascending; a day that failed says why. Reports lie below `home`."""
    rows = {one.day: _row(one, metric, home) for one in past}
    empty = dict.fromkeys(("judged on", "rows", "candidate", column_of(metric), "report"), "")
    rows |= {day: {"as of": f"{day}", **empty, "result": f"failed: {why}"} for day, why in errors.items()}
    return [rows[day] for day in sorted(rows)]


def best_and_worst(past: Sequence[Past], metric: str) -> str:
    """Both in a sentence, or the figure that all have; empty when no day has the metric."""
    days = [(one.figure.value, one.day) for one in past if one.figure is not None]
    if not days:
        return ""
    low, high = min(days), max(days)
    if low[0] == high[0]:
        return f"{column_of(metric)} {figure_text(metric, low[0])}"
    best, worst = (high, low) if greater_is_better(metric) else (low, high)
    told = [f"{figure_text(metric, value)} as of {day}" for value, day in (best, worst)]
    return f"{column_of(metric)} best {told[0]}, worst {told[1]}"


def _row(one: Past, metric: str, home: str) -> dict[str, str]:
    as_of = f"{one.day}"
    if one.known_until.date() < one.day:
        as_of += f" (events until {one.known_until:%Y-%m-%d})"
    figure = one.figure
    return {
        "as of": as_of,
        "judged on": f"{one.judged_on:%Y-%m-%d}",
        "rows": f"{one.rows:,}",
        "candidate": one.candidate,
        column_of(metric): figure_with_interval(metric, figure) if figure else "-",
        "report": f"{home}/{one.report}",
        "result": "found" if one.found else "made",
    }
