"""A version beside another, mostly the champion: its figures, what the gate said, and what made them differ.

The gate's gains are paired: both models on the same rows. Against any version that it did not compare with,
there are only the figures that each had in its own evaluation, and those say less.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field

from mlops_core.domain.gates import GateDecision
from mlops_core.domain.inputs import Inputs
from mlops_core.domain.metrics import greater_is_better
from mlops_core.domain.receipts import Interval
from mlops_core.domain.value import Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_core.domain.gates import Check
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.standing import Standing

__all__ = ["Comparison", "Facts", "MetricRow", "compared", "intervals_of", "metric_rows"]


class MetricRow(Value):
    """A metric of a version with its interval, where there is one, and what the other version has.

    `gain` is how much better it is than the other on the same rows, `at_worst` the lower end of that; both
    are in units of the metric and always for the better. They are None where the gate compared nothing.
    """

    metric: str
    value: float
    low: float | None = None
    high: float | None = None
    other: float | None = None
    gain: float | None = None
    at_worst: float | None = None


class Facts(Value):
    """What a version is and what it was made from. `rows` are those it was trained on."""

    version: int
    stage: str | None
    candidate: str
    digest: str
    as_of: datetime
    rows: int
    training_set: str
    definitions: str
    code: str
    git_commit: str | None
    registered_at: datetime

    @classmethod
    def of(cls, version: ModelVersion, standing: Standing) -> Self:
        """Those of a registered version, and its stage by the ledger."""
        lineage = version.lineage
        return cls(
            version=version.number,
            stage=standing.stages.get(version.number),
            candidate=version.candidate,
            digest=version.digest,
            as_of=lineage.as_of,
            rows=version.profile.rows,
            training_set=lineage.training_set,
            definitions=lineage.definitions,
            code=lineage.code,
            git_commit=lineage.git_commit,
            registered_at=version.created_at,
        )


class Comparison(Value):
    """A version beside another, or by itself where `other` is None; `note` says how the two were compared.

    `changes` are sentences on what differs in what went into them, from the other one to this one; the first
    word is the part: data, definitions, parameters, code, libraries.
    """

    name: str
    verdict: str | None = Field(description="the gate's newest: passed or rejected; None before it decided")
    subject: Facts
    other: Facts | None
    paired: bool = Field(description="whether the gate compared these two on the same rows")
    note: str
    decision: GateDecision | None
    metrics: tuple[MetricRow, ...]
    changes: tuple[str, ...]

    @classmethod
    def of(
        cls,
        version: ModelVersion,
        standing: Standing,
        versions: Sequence[ModelVersion],
        other: ModelVersion | None = None,
    ) -> Self:
        """Compare with `other`; where that is None with whatever the gate compared with, if with anything.

        `versions` are those that are registered.
        """
        decision = standing.decisions.get(version.number)
        champion = decision.champion if decision else None
        if other is None:
            other = next((one for one in versions if one.number == champion), None)
        paired = other is not None and champion == other.number
        return cls(
            name=version.name,
            verdict=decision.verdict if decision else None,
            subject=Facts.of(version, standing),
            other=Facts.of(other, standing) if other else None,
            paired=paired,
            note=_note(decision, other, paired=paired),
            decision=decision,
            metrics=tuple(_rows(version, decision, other, paired=paired)),
            changes=tuple(_changes(other, version)) if other else (),
        )


def compared(decision: GateDecision) -> dict[str, Check]:
    """The gate's comparisons with the champion on all rows, by metric; a gain is always for the better."""
    names = {"champion": decision.policy.metric, "scoring rule": decision.policy.scoring_rule}
    return {
        metric: check
        for check in decision.checks
        if (metric := names.get(check.name)) is not None and {"gain", "low"} <= check.figures.keys()
    }


def metric_rows(metrics: Mapping[str, Interval], decision: GateDecision) -> list[MetricRow]:
    """A row a metric. The champion's figure is there where the gate compared both on the same rows."""
    gains = compared(decision)
    return [_row(name, one, gains.get(name)) for name, one in metrics.items()]


def intervals_of(version: ModelVersion) -> dict[str, Interval]:
    """The metrics of a version's evaluation with their intervals; it also has others, without."""
    found = version.metrics
    return {
        name: Interval(value=value, low=found[f"{name}_low"], high=found[f"{name}_high"])
        for name, value in found.items()
        if {f"{name}_low", f"{name}_high"} <= found.keys()
    }


def _row(name: str, one: Interval, check: Check | None) -> MetricRow:
    alone = MetricRow(metric=name, value=one.value, low=one.low, high=one.high)
    if check is None:
        return alone
    gain = check.figures["gain"]
    other = one.value - gain * (1 if greater_is_better(name) else -1)
    return alone.model_copy(update={"other": other, "gain": gain, "at_worst": check.figures["low"]})


def _rows(
    version: ModelVersion, decision: GateDecision | None, other: ModelVersion | None, *, paired: bool
) -> list[MetricRow]:
    """The metrics that the policy names come first."""
    found = intervals_of(version)
    first = [name for name in (decision.policy.metrics if decision else ()) if name in found]
    ordered = {name: found[name] for name in dict.fromkeys([*first, *found])}
    if paired and decision is not None:
        return metric_rows(ordered, decision)
    theirs = intervals_of(other) if other else {}
    return [
        _row(name, one, None).model_copy(update={"other": theirs[name].value if name in theirs else None})
        for name, one in ordered.items()
    ]


def _note(decision: GateDecision | None, other: ModelVersion | None, *, paired: bool) -> str:
    if other is None and decision is None:
        return "the gate has not decided, so there is no champion that it was compared with"
    if other is None and decision is not None and decision.champion is not None:
        return f"the gate compared it with version {decision.champion}, which is no longer registered"
    if other is None:
        return "there was no champion to compare it with: nothing was in Production when the gate decided"
    if paired and decision is not None and compared(decision):
        return f"gains over version {other.number} are the gate's: both models on the same rows"
    if paired:
        return f"the gate could not compare it with version {other.number}: see the checks"
    return (
        f"the gate did not compare these two: figures of version {other.number} are of its own evaluation, "
        "perhaps on other rows"
    )


def _changes(before: ModelVersion, now: ModelVersion) -> list[str]:
    from mlops_core.planning.changes import changes  # with all of planning, which a question does not need

    return changes(_inputs(before), _inputs(now), is_unknown=lambda _: False)


def _inputs(version: ModelVersion) -> Inputs:
    """What went into a model, as its lineage has it."""
    lineage = version.lineage
    known = {"as_known_at": lineage.as_known_at.isoformat()} if lineage.as_known_at else {}
    return Inputs(
        stage="model",
        use_case=version.name,
        data=lineage.data,
        definitions=_told_apart(json.loads(version.use_case)),
        parameters={"candidate": version.candidate, "as_of": lineage.as_of.isoformat(), **known},
        code=version.code,
        libraries={**lineage.libraries, **lineage.environment},
    )


def _told_apart(definitions: Any) -> Any:
    """Definitions with what has a name by its name, so that one that is new or gone is told as just that.

    Without where files lie: that is another place in every checkout, and `data` says what was in them.
    """
    if isinstance(definitions, dict):
        return {name: _told_apart(one) for name, one in definitions.items() if name != "path"}
    if not isinstance(definitions, list):
        return definitions
    parts = [_told_apart(one) for one in definitions]
    names = [one.get("name") if isinstance(one, dict) else None for one in parts]
    if None in names or len(set(names)) < len(names):
        return parts
    return dict(zip(names, parts, strict=True))
