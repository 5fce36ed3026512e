"""The definitions that suit a look at the data and what was chosen, with the reason for each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_core.definitions import (
    Entity,
    EventSource,
    EveryMonth,
    FeatureView,
    GatePolicy,
    GradientBoosting,
    GradientBoostingRegression,
    LogisticRegression,
    NoEventWithin,
    PoissonRegression,
    Ridge,
    SumWithin,
    UseCase,
    days,
)
from mlops_core.scaffold.features import features_of
from mlops_core.scaffold.guards import rules_of
from mlops_core.scaffold.names import name_from, unlike

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_core.domain.candidates import AnyCandidate
    from mlops_core.domain.labels import AnyLabel
    from mlops_core.scaffold.look import Look
    from mlops_core.scaffold.preview import Preview

__all__ = ["R2_FLOOR", "ROC_AUC_FLOOR", "Chosen", "Draft", "drafted"]

ROC_AUC_FLOOR = 0.55
"""A constant, or any guess that looks at nothing, has 0.5 on whatever data."""
R2_FLOOR = 0.01
"""A constant has 0 at most on whatever data."""


@dataclass(frozen=True)
class Chosen:
    """What was said, or agreed to: the columns, what is predicted and how many days ahead."""

    key: tuple[str, ...]
    time: str
    created: str | None
    predict: str
    horizon: int

    @property
    def summed(self) -> str | None:
        """The column whose sum is predicted; None for churn."""
        return self.predict.partition(":")[2] or None

    @property
    def used(self) -> tuple[str, ...]:
        """Columns with a part of their own, that no feature describes."""
        return (*self.key, self.time, *((self.created,) if self.created else ()))


@dataclass(frozen=True)
class Draft:
    """A use case, and why each part is as it is: by the definition itself, or by "Type.field"."""

    use_case: UseCase
    reasons: Mapping[Any, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def drafted(name: str, look: Look, chosen: Chosen, preview: Preview | None = None) -> Draft:
    """The use case: whose events, which features, rules, label, candidates and gate.

    `preview` is what the label is on the training snapshots, once it is known: without it no reason is
    told in the label's unit.
    """
    source_name = name_from(look.path.stem.replace("*", ""), "events")
    event_id = _event_id(look, chosen)
    rules = rules_of(look, chosen.used, event_id, corrected=chosen.created is not None)
    source = EventSource(
        name=source_name,
        event_timestamp=chosen.time,
        created_timestamp=chosen.created,
        event_id=event_id if chosen.created else None,
        path=look.path,
        rules=tuple(rules),
    )
    found = features_of(look, chosen.used, event_id, time=chosen.time, horizon=chosen.horizon)
    label, why_label = _label(chosen, source_name, {*chosen.key, *(one.name for one in found.features)})
    gate, why_gate = _gate(chosen, found.aging, preview)
    candidates = _candidates(look, chosen)
    use_case = UseCase(
        name=name,
        entity=Entity(name=_entity(chosen.key), key=chosen.key[0] if len(chosen.key) == 1 else chosen.key),
        sources=(source,),
        views=(FeatureView(name="history", source=source_name, features=found.features),),
        label=label,
        spine=EveryMonth(history=24),
        candidates=candidates,
        gate=gate,
    )
    reasons = {
        **rules,
        **found.reasons,
        **_source_reasons(look, chosen, event_id),
        "UseCase.label": why_label,
        "UseCase.spine": "A row for every entity at the end of each month, two years back at most.",
        "UseCase.candidates": "The best on the validation snapshot is delivered, if the gate agrees.",
        **why_gate,
    }
    return Draft(use_case, reasons, found.left_out)


def _entity(keys: tuple[str, ...]) -> str:
    names = [name_from(key, "entity") for key in keys]
    short = [name.removesuffix("_id").removesuffix("_key").removesuffix("_no") for name in names]
    return "_".join(short)[:63]


def _event_id(look: Look, chosen: Chosen) -> str | None:
    """A column that names an event, by its name and since no value comes twice."""
    for one in look.columns.values():
        fit = one.kind in ("integer", "text") and one.is_unique and one.named_as_id
        if fit and one.name not in chosen.used:
            return one.name
    return None


def _source_reasons(look: Look, chosen: Chosen, event_id: str | None) -> dict[Any, str]:
    first, last = look.bounds(chosen.time)
    reasons: dict[Any, str] = {
        "EventSource.event_timestamp": f"When it happened: {first:%Y-%m-%d} to {last:%Y-%m-%d} in this data."
    }
    if chosen.created:
        reasons["EventSource.created_timestamp"] = (
            "When it was recorded: training sees an event only from then on, as a prediction would have."
        )
        if event_id:
            reasons["EventSource.event_id"] = (
                "Names an event: of rows with the same, the last recorded counts."
            )
    return reasons


def _label(chosen: Chosen, source: str, taken: set[str]) -> tuple[AnyLabel, str]:
    horizon = days(chosen.horizon)
    if chosen.summed is None:
        label = NoEventWithin(name=unlike("churned", taken), source=source, horizon=horizon)
        return label, f"What is predicted: whether there will be no event in the next {chosen.horizon} days."
    name = unlike(f"{name_from(chosen.summed, 'number')}_next_{chosen.horizon}d", taken)
    summed = SumWithin(name=name, source=source, column=chosen.summed, horizon=horizon)
    return summed, f"What is predicted: the sum of {chosen.summed} in the next {chosen.horizon} days."


def _candidates(look: Look, chosen: Chosen) -> tuple[AnyCandidate, ...]:
    if chosen.summed is None:
        return (LogisticRegression(), GradientBoosting())
    if (look.columns[chosen.summed].low or 0.0) >= 0:  # what is never negative may grow by factors
        return (PoissonRegression(), GradientBoostingRegression(loss="poisson"))
    return (Ridge(), GradientBoostingRegression())


_A_PERSON = (
    "No label of the evaluation was looked at for this. Set it to what a model must reach to be worth using."
)


def _gate(
    chosen: Chosen, aging: tuple[str, ...], preview: Preview | None
) -> tuple[GatePolicy, dict[Any, str]]:
    why = {
        "GatePolicy.expected_drift": "It ages with the calendar, so it may differ from the champion's data."
    }
    if chosen.summed is None:
        why["GatePolicy.floor"] = f"A constant has 0.5, whatever the data: it cannot pass. {_A_PERSON}"
        why["GatePolicy.calibration"] = "How far probabilities may be from what then happens, on average."
        return GatePolicy(metric="roc_auc", floor=ROC_AUC_FLOOR, expected_drift=aging), why
    why["GatePolicy.floor"] = f"A constant has at most 0, whatever the data: it cannot pass. {_A_PERSON}"
    why["GatePolicy.scoring_rule"] = (
        "r2 is one itself: squared error against that of a constant. Absolute errors are least for a "
        "forecast of the median, which is 0 where most sums are."
    )
    policy = GatePolicy(metric="r2", floor=R2_FLOOR, scoring_rule=None, expected_drift=aging)
    if preview is None or preview.one_value:
        return policy, why
    limit = policy.calibration or 0
    why["GatePolicy.calibration"] = (
        f"How far off predictions may be on average, in standard deviations of the label: {limit} of the "
        f"training labels' is {preview.deviation * limit:,.3g}, by which a total of them is off for each "
        "row. Yours to set: narrow where totals are planned with, wider where they only rank."
    )
    return policy, why
