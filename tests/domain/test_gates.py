"""The gate's policy: what it may say, what it is called by, and that it cannot say "no gate"."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from mlops_core.checks import judge
from mlops_core.definitions import Approval, GatePolicy, NonInferiority, Slice, Superiority, Where, days
from mlops_core.domain.digest import digest_of
from mlops_core.domain.gates import Check, GateDecision
from mlops_core.metrics import intervals
from tests.checks.cases import classes, with_scores

FULL = GatePolicy(
    floor=0.7,
    floors={"f1": 0.5},
    ceilings={"brier": 0.2},
    comparison=NonInferiority(margin=0.01),
    slices=(Slice(name="new", where=(Where("orders", "in", (1, 2)), Where("paid", "==", True))),),
    expected_drift=("tenure",),
    approval=Approval(expires=days(2), by_another=True, approvers=("ann",)),
)


def test_a_policy_is_read_back_as_it_was_written() -> None:
    """Its conditions and its comparison too."""
    for policy in (FULL, GatePolicy(floor=0.7), FULL.with_floor(0.9)):
        assert GatePolicy.model_validate_json(policy.model_dump_json()) == policy
        assert digest_of(GatePolicy.model_validate_json(policy.model_dump_json())) == digest_of(policy)


def test_a_run_can_be_told_another_floor_and_what_was_defined_stays_known() -> None:
    """However often it is told."""
    told = FULL.with_floor(0.9)
    assert (told.floor, told.replaced_floor) == (0.9, 0.7)
    assert told.with_floor(0.6).replaced_floor == 0.7
    assert told.with_floor(0.6).stated == told.stated == FULL.stated == FULL
    assert told != FULL
    assert told.model_copy(update={"floor": 0.7, "replaced_floor": None}) == FULL


def test_a_floor_of_zero_is_a_floor() -> None:
    """It is not mistaken for none."""
    told = GatePolicy(floor=0.0).with_floor(0.5)
    assert told.stated.floor == 0.0


def test_the_metrics_of_a_policy_are_named_once_and_its_own_first() -> None:
    """All of these are measured on each model."""
    policy = GatePolicy(metric="log_loss", floor=1, floors={"f1": 0.1, "roc_auc": 0.5}, ceilings={"brier": 1})
    assert policy.metrics == ("log_loss", "f1", "roc_auc", "brier")
    assert GatePolicy(floor=0.5, scoring_rule=None).metrics == ("roc_auc",)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"floor": None}, "Input should be a valid number"),
        ({"floor": math.nan}, "finite number"),
        ({"floor": -math.inf}, "finite number"),
        ({"floors": {"f1": math.nan}}, "finite number"),
        ({"metric": "auc"}, "no metric 'auc': did you mean 'roc_auc'?"),
        ({"metric": None}, "Input should be a valid string"),
        ({"ceilings": {"breir": 0.1}}, "no metric 'breir': did you mean 'brier'?"),
        ({"scoring_rule": "mean_squared_error"}, "did you mean 'neg_mean_squared_error'?"),
        ({"confidence": 0.5}, "greater than 0.5"),
        ({"confidence": 1}, "less than 1"),
        ({"comparison": None}, "comparison"),
        ({"comparison": {"kind": "none"}}, "'superiority', 'non-inferiority'"),
        ({"comparison": {"kind": "superiority", "smallest_effect": -1}}, "greater than or equal to 0"),
        ({"comparison": {"kind": "non-inferiority", "margin": 0}}, "greater than 0"),
        ({"comparison": {"kind": "non-inferiority", "margin": math.inf}}, "finite number"),
        ({"scoring_margin": 0}, "greater than 0"),
        ({"slice_margin": math.nan}, "finite number"),
        ({"slices": ({"name": "all", "where": ()},)}, "at least 1 item"),
        ({"slices": ({"name": "no name", "where": FULL.slices[0].where},)}, "should match pattern"),
        ({"calibration": 0}, "greater than 0"),
        ({"drift": -1}, "greater than 0"),
        ({"minimum_rows": 0}, "greater than or equal to 1"),
        ({"minimum_per_class": 0}, "greater than or equal to 1"),
        ({"approval": {"expires": 0}}, "an approval is waited for: give more than zero, got 0:00:00"),
        ({"tolerance": 0.01}, "Extra inputs are not permitted"),
        ({"enabled": False}, "Extra inputs are not permitted"),
    ],
)
def test_what_a_policy_cannot_mean_is_refused(changes: dict[str, Any], message: str) -> None:
    """With what was expected instead."""
    with pytest.raises(ValidationError) as caught:
        GatePolicy.model_validate({"floor": 0.7} | changes)
    assert message in str(caught.value)


MOST_LENIENT: dict[str, Any] = {
    "metric": "average_precision",
    "floor": -1e300,
    "floors": {},
    "ceilings": {},
    "confidence": 0.500001,
    "comparison": NonInferiority(margin=1e300),
    "scoring_rule": None,
    "scoring_margin": 1e300,
    "slices": (),
    "slice_margin": 1e300,
    "calibration": None,
    "drift": None,
    "expected_drift": ("signal", "orders", "web"),
    "latency_ms": None,
    "size_mb": None,
    "minimum_rows": 1,
    "minimum_per_class": 1,
    "approval": None,
    "replaced_floor": 0.7,
}


@pytest.mark.parametrize("field", sorted(GatePolicy.model_fields))
def test_no_field_alone_disarms_the_gate(field: str) -> None:
    """A guessing model is refused whatever one field says, with a champion and without."""
    guesses = np.random.default_rng(5).random(len(classes().truth))
    guessing = replace(
        with_scores(classes(), guesses),
        intervals=intervals(classes().truth, guesses, 0.5),
        training=classes().training.set_column(0, "signal", pa.array(guesses)),
    )
    policy = GatePolicy.model_validate({"floor": 0.7, field: MOST_LENIENT[field]})
    for judged in (guessing, replace(guessing, champion=None)):
        assert "failed" in {check.outcome for check in judge(policy, judged)}


def test_the_policy_that_is_most_lenient_in_all_still_asks() -> None:
    """Broken predictions pass no policy at all."""
    policy = GatePolicy.model_validate({**MOST_LENIENT, "metric": "roc_auc"})
    broken = with_scores(classes(), np.full(len(classes().truth), np.nan))
    for judged in (broken, replace(broken, champion=None)):
        assert "failed" in {check.outcome for check in judge(policy, judged)}


def decision(*outcomes: str) -> GateDecision:
    """A decision with checks of these outcomes, named by their place."""
    return GateDecision(
        verdict="rejected" if "failed" in outcomes else "passed",
        version=1,
        model_digest="m",
        checks=tuple(
            Check.model_validate({"name": str(place), "outcome": outcome, "sentence": f"{place} {outcome}"})
            for place, outcome in enumerate(outcomes)
        ),
        policy=FULL,
        code="c",
    )


def test_the_reasons_of_a_decision_are_what_failed_or_else_what_passed() -> None:
    """What was not applicable is no reason."""
    assert decision("passed", "failed", "not applicable", "failed").reasons == ("1 failed", "3 failed")
    assert decision("passed", "failed", "not applicable", "failed").failed == ("1", "3")
    assert decision("passed", "not applicable").reasons == ("0 passed",)
    assert decision("passed", "not applicable").failed == ()


def test_a_decision_is_another_when_its_policy_champion_or_code_is() -> None:
    """An approval of the one is none of the other."""
    one = decision("passed")
    others = [
        one.model_copy(update={"policy": FULL.with_floor(0.6)}),
        one.model_copy(update={"policy": FULL.model_copy(update={"comparison": Superiority()})}),
        one.model_copy(update={"champion": 1, "champion_digest": "x"}),
        one.model_copy(update={"code": "d"}),
        one.model_copy(update={"model_digest": "n"}),
        one.model_copy(update={"version": 2}),
        decision("not applicable"),
    ]
    assert len({each.digest for each in (one, *others)}) == len(others) + 1


def test_figures_that_are_not_finite_cannot_be_kept() -> None:
    """They would be null in JSON, and no limit at all."""
    for kept in ("figures", "measured"):
        with pytest.raises(ValidationError, match="finite number"):
            Check.model_validate({"name": "n", "outcome": "failed", "sentence": "s", kept: {"x": math.nan}})
