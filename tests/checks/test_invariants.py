"""What holds of every decision, whatever came before the gate."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_core.checks import Champion, judge
from mlops_core.definitions import NonInferiority, Superiority
from mlops_core.domain.gates import Check, GateDecision, GatePolicy
from mlops_core.domain.profiles import Distribution, FeatureProfile
from mlops_core.domain.receipts import Interval
from tests.checks.cases import (
    NUMBERS,
    POLICY,
    ROWS,
    check,
    classes,
    numbers,
    probability,
    signal,
    with_scores,
)

if TYPE_CHECKING:
    from mlops_core.checks import Judged

QUICK = GatePolicy(floor=0.6, floors={"accuracy": 0.6}, ceilings={"log_loss": 0.7}, scoring_rule=None)

unfinite = st.sampled_from([math.nan, math.inf, -math.inf])
places = st.lists(st.integers(0, ROWS - 1), min_size=1, max_size=20, unique=True)


def spoilt(values: Any, where: list[int], by: float) -> Any:
    """The values with some that are not finite."""
    copy = values.copy()
    copy[where] = by
    return copy


def rejected(policy: GatePolicy, judged: Judged, *names: str) -> None:
    """These checks fail, and none holds a figure that is not finite."""
    checks = judge(policy, judged)
    assert set(names) <= {one.name for one in checks if one.outcome == "failed"}
    assert all(math.isfinite(x) for one in checks for x in (*one.figures.values(), *one.measured.values()))


@settings(max_examples=12, deadline=None)
@given(by=unfinite, where=places, numeric=st.booleans())
def test_a_prediction_that_is_not_finite_never_passes(by: float, where: list[int], numeric: bool) -> None:
    """Neither the challenger's, nor the champion's where it is compared with."""
    judged, policy = (numbers(), NUMBERS) if numeric else (classes(), POLICY)
    assert judged.champion is not None
    assert judged.champion.predictions is not None
    ours = with_scores(judged, spoilt(judged.challenger.scores, where, by))
    rejected(policy, ours, "enough rows", "champion", "scoring rule")
    theirs = with_scores(judged, theirs=spoilt(judged.champion.predictions.scores, where, by))
    rejected(policy, theirs, "champion", "scoring rule")
    if numeric:
        rejected(policy, ours, "calibration")


@settings(max_examples=10, deadline=None)
@given(by=unfinite, where=places, numeric=st.booleans())
def test_a_label_that_is_not_finite_never_passes(by: float, where: list[int], numeric: bool) -> None:
    """Whatever was measured on it."""
    judged, policy = (numbers(), NUMBERS) if numeric else (classes(), POLICY)
    rejected(policy, replace(judged, truth=spoilt(judged.truth, where, by)), "enough rows", "champion")


@settings(max_examples=40, deadline=None)
@given(
    by=unfinite,
    end=st.sampled_from(["value", "low", "high"]),
    of=st.sampled_from(
        [
            ("roc_auc", "floor"),
            ("accuracy", "accuracy at least"),
            ("log_loss", "log_loss at most"),
            ("calibration_error", "calibration"),
        ]
    ),
)
def test_a_metric_that_is_not_finite_never_passes(by: float, end: str, of: tuple[str, str]) -> None:
    """Nor does one whose interval is not."""
    metric, name = of
    figures = classes().intervals[metric].model_dump() | {end: by}
    intervals = {**classes().intervals, metric: Interval.model_construct(**figures)}
    rejected(QUICK, replace(classes(), intervals=intervals), name)


@given(by=unfinite)
def test_latency_and_size_that_are_not_finite_never_pass(by: float) -> None:
    """Minus infinity is at most any limit."""
    rejected(QUICK, replace(classes(), latency_ms=by, size_mb=by), "latency", "size")


@given(by=unfinite, of=st.sampled_from(["signal", "web"]))
def test_drift_that_is_not_finite_never_passes(by: float, of: str) -> None:
    """Even when another feature's is the greatest that is."""
    champion = classes().champion
    assert champion is not None
    broken = Distribution.model_construct(edges=(), shares=(by,), missing=0.0)
    profile = FeatureProfile.model_construct(rows=9, features={**champion.profile.features, of: broken})
    with np.errstate(all="ignore"):
        judged = replace(classes(), champion=Champion(number=2, profile=profile, obstacle="x"))
        found = check("drift", QUICK, judged)
    # A share of minus infinity is none to the index, which then is great and finite.
    assert found.outcome == "failed"
    assert all(math.isfinite(value) for value in found.figures.values())


noises = st.floats(0, 1.5)
seeds = st.integers(0, 50)


@settings(max_examples=60, deadline=None)
@given(noise=noises, seed=seeds, margins=st.tuples(st.floats(1e-6, 1), st.floats(1e-6, 1)))
def test_what_passes_a_margin_passes_a_wider_one(
    noise: float, seed: int, margins: tuple[float, float]
) -> None:
    """And what is better by some effect is better by a smaller one, and no worse by any margin."""
    judged = with_scores(classes(), probability(signal(noise, seed)), probability(signal(0.5, 99)))
    narrow, wide = sorted(margins)

    def passes(comparison: Superiority | NonInferiority) -> bool:
        policy = QUICK.model_copy(update={"comparison": comparison})
        return check("champion", policy, judged).outcome == "passed"

    line = [
        *(passes(Superiority(smallest_effect=effect)) for effect in (wide, narrow, 0.0)),
        *(passes(NonInferiority(margin=margin)) for margin in (narrow, wide)),
    ]
    assert line == sorted(line)


@settings(max_examples=30, deadline=None)
@given(noise=noises, seed=seeds, confidences=st.tuples(st.floats(0.55, 0.999), st.floats(0.55, 0.999)))
def test_what_is_sure_is_sure_at_less_confidence(
    noise: float, seed: int, confidences: tuple[float, float]
) -> None:
    """Of the comparison with the champion."""
    judged = with_scores(classes(), probability(signal(noise, seed)), probability(signal(0.5, 99)))
    less, more = (
        check("champion", QUICK.model_copy(update={"confidence": one}), judged).outcome == "passed"
        for one in sorted(confidences)
    )
    assert less >= more


@settings(max_examples=30, deadline=None)
@given(noise=noises, seed=seeds)
def test_of_two_models_at_most_one_is_better(noise: float, seed: int) -> None:
    """So that they cannot take turns in Production."""
    one, other = probability(signal(noise, seed)), probability(signal(0.5, 99))
    there = check("champion", QUICK, with_scores(classes(), one, other))
    back = check("champion", QUICK, with_scores(classes(), other, one))
    assert {there.outcome, back.outcome} != {"passed"}


def decision(policy: GatePolicy, checks: tuple[Check, ...]) -> GateDecision:
    """A decision that rests on these checks."""
    failed = any(one.outcome == "failed" for one in checks)
    return GateDecision(
        verdict="rejected" if failed else "passed",
        version=3,
        model_digest="3" * 64,
        champion=2,
        champion_digest="2" * 64,
        checks=checks,
        policy=policy,
        code="c" * 64,
    )


@settings(max_examples=20, deadline=None)
@given(latency=st.floats(0, 99), size=st.floats(0, 400), sentence=st.text(max_size=20))
def test_a_decision_s_digest_holds_no_measured_figures_and_no_sentences(
    latency: float, size: float, sentence: str
) -> None:
    """The same model, judged on a busy machine, is the same question to a person."""
    before = decision(QUICK, judge(QUICK, classes()))
    found = judge(QUICK, replace(classes(), latency_ms=latency, size_mb=size))
    after = decision(QUICK, tuple(one.model_copy(update={"sentence": sentence}) for one in found))
    assert after.digest == before.digest


def test_a_decision_s_digest_changes_with_outcomes_and_figures() -> None:
    """One of each."""
    checks = judge(QUICK, classes())
    before = decision(QUICK, checks).digest
    for changes in ({"outcome": "failed"}, {"figures": {"rows": 1.0}}, {"name": "other"}):
        changed = (checks[0].model_copy(update=changes), *checks[1:])
        assert decision(QUICK, changed).digest != before


def test_a_decision_that_was_stored_has_the_digest_that_was_asked_about() -> None:
    """Its figures are written and read back as they are: no integers, no minus zero."""
    same = with_scores(classes(), theirs=classes().challenger.scores)
    for policy, judged in ((POLICY, classes()), (POLICY, same), (NUMBERS, numbers())):
        made = decision(policy, judge(policy, judged))
        stored = GateDecision.model_validate_json(made.model_dump_json())
        assert (stored, stored.digest) == (made, made.digest)
        figures = [x for one in made.checks for x in (*one.figures.values(), *one.measured.values())]
        assert {type(x) for x in figures} == {float}
        assert not any(x == 0 and math.copysign(1, x) < 0 for x in figures)


def test_judging_twice_gives_the_same_checks() -> None:
    """No chance is in it."""
    assert judge(POLICY, classes()) == judge(POLICY, classes())
