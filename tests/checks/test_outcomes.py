"""Each check passes, fails and is not applicable where it should be, and says so to a person."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from mlops_core.checks import judge
from mlops_core.checks.answer import answered
from mlops_core.definitions import NonInferiority, Slice, Superiority, Where
from mlops_core.domain.gates import GatePolicy
from mlops_core.metrics import profile_of
from tests.checks.cases import (
    NUMBERS,
    POLICY,
    check,
    classes,
    columns,
    first,
    numbers,
    probability,
    signal,
    with_scores,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.checks import Judged

    Change = Callable[[Judged], Judged]


def same(judged: Judged) -> Judged:
    """As it is."""
    return judged


def alone(judged: Judged) -> Judged:
    """Nothing is in Production."""
    return replace(judged, champion=None)


def unseen(judged: Judged) -> Judged:
    """What is in Production cannot be loaded."""
    assert judged.champion is not None
    return replace(
        judged, champion=replace(judged.champion, predictions=None, obstacle="model.skops is not there")
    )


def swapped(judged: Judged) -> Judged:
    """The better one is in Production."""
    assert judged.champion is not None
    assert judged.champion.predictions is not None
    return with_scores(judged, judged.champion.predictions.scores, judged.challenger.scores)


def equal(judged: Judged) -> Judged:
    """The same model is in Production."""
    return with_scores(judged, theirs=judged.challenger.scores)


def trained_on(**changed: Any) -> Change:
    """Some columns of the training rows are others, or with None gone."""

    def change(judged: Judged) -> Judged:
        table = judged.training
        for name, values in changed.items():
            table = table.drop_columns([name]) if name in table.column_names else table
            table = table if values is None else table.append_column(name, pa.array(values))
        return replace(judged, training=table)

    return change


def known_to_champion(*names: str) -> Change:
    """The champion was trained on these features."""

    def change(judged: Judged) -> Judged:
        assert judged.champion is not None
        profile = profile_of(columns().select(list(names)))
        return replace(judged, champion=replace(judged.champion, profile=profile))

    return change


def without(metric: str) -> Change:
    """A metric had no finite value."""
    return lambda judged: replace(
        judged, intervals={name: one for name, one in judged.intervals.items() if name != metric}
    )


def policy(**changes: Any) -> GatePolicy:
    """The policy of binary labels, changed."""
    return GatePolicy.model_validate(dict(POLICY) | changes)


FAR = signal() + 3
TINY = (Slice(name="low", where=(Where("signal", "<", -2.5),)),)
ABSENT = (Slice(name="low", where=(Where("cds", "<", 0),)),)
TEXT = (Slice(name="low", where=(Where("signal", "==", "x"),)),)

CASES: list[tuple[str, dict[str, Any], Change, str, str]] = [
    (
        "enough rows",
        {},
        same,
        "passed",
        "1,200 evaluation rows, 598 of the rarer class; needed are 500 and 50",
    ),
    ("enough rows", {"minimum_rows": 1201}, same, "failed", "needed are 1,201 and 50"),
    (
        "enough rows",
        {"minimum_per_class": 600},
        same,
        "failed",
        "598 of the rarer class; needed are 500 and 600",
    ),
    ("floor", {}, same, "passed", "its worse end is at or above the floor 0.6"),
    ("floor", {"floor": 0.74}, same, "failed", "its worse end is below the floor 0.74"),
    ("floor", {"metric": "log_loss", "floor": 0.7}, same, "passed", "at or below the floor 0.7"),
    ("floor", {"metric": "log_loss", "floor": 0.6}, same, "failed", "its worse end is above the floor 0.6"),
    ("floor", {}, without("roc_auc"), "failed", "roc_auc has no finite value on these 1,200 rows"),
    ("floor", {"metric": "f1"}, alone, "failed", "f1 has no finite value on these 1,200 rows"),
    ("accuracy at least", {}, same, "passed", "is at least 0.6"),
    ("accuracy at least", {"floors": {"accuracy": 0.9}}, same, "failed", "is not at least 0.9"),
    ("accuracy at least", {}, without("accuracy"), "failed", "accuracy has no finite value"),
    ("log_loss at most", {}, same, "passed", "is at most 0.7"),
    ("log_loss at most", {"ceilings": {"log_loss": 0.1}}, same, "failed", "is not at most 0.1"),
    ("log_loss at most", {}, without("log_loss"), "failed", "log_loss has no finite value"),
    ("champion", {}, same, "passed", "on the same 1,200 rows (DeLong): better, as wanted"),
    ("champion", {}, swapped, "failed", "roc_auc is worse than version 2 in Production by 0.0"),
    (
        "champion",
        {},
        equal,
        "failed",
        "it predicts just what version 2 in Production does, so roc_auc is the same",
    ),
    (
        "champion",
        {"comparison": Superiority(smallest_effect=0.3)},
        same,
        "failed",
        "better, but by less than the 0.3 that count",
    ),
    ("champion", {"comparison": NonInferiority()}, equal, "passed", "not worse by 0.002, as wanted"),
    ("champion", {"comparison": NonInferiority()}, swapped, "failed", "perhaps worse by 0.002 or more"),
    (
        "champion",
        {"comparison": NonInferiority(margin=0.4)},
        swapped,
        "passed",
        "not worse by 0.4, as wanted",
    ),
    ("champion", {}, alone, "not applicable", "no version is in Production yet to compare roc_auc with"),
    ("champion", {}, unseen, "failed", "cannot be compared with: model.skops is not there. Mend that"),
    ("champion", {"metric": "brier"}, lambda it: with_scores(it, FAR), "failed", "brier needs probabilities"),
    ("scoring rule", {}, same, "passed", "(paired bootstrap): not worse by 0.002, as wanted"),
    ("scoring rule", {}, equal, "passed", "so brier is the same"),
    ("scoring rule", {}, swapped, "failed", "perhaps worse by 0.002 or more"),
    ("scoring rule", {}, alone, "not applicable", "no version is in Production yet to compare brier with"),
    (
        "scoring rule",
        {},
        unseen,
        "not applicable",
        'version 2 in Production cannot be compared with, see "champion"',
    ),
    ("scoring rule", {"scoring_rule": None}, same, "not applicable", "the policy names no scoring rule"),
    ("scoring rule", {"scoring_rule": "r2"}, same, "not applicable", "r2 does not judge classification"),
    ("slice low", {}, same, "passed", "on the same 622 rows (DeLong): not worse by 0.05, as wanted"),
    ("slice low", {}, swapped, "failed", "perhaps worse by 0.05 or more"),
    ("slice low", {}, alone, "not applicable", "no version is in Production yet"),
    ("slice low", {}, unseen, "not applicable", 'see "champion"'),
    (
        "slice low",
        {"slices": TINY},
        same,
        "not applicable",
        "too few to judge by, needed are 50 rows and 10 of the",
    ),
    ("slice low", {}, lambda it: first(80, it), "not applicable", "37 rows, "),
    ("slice low", {"slices": ABSENT}, same, "failed", "slice 'low' looks at 'cds', no feature of this model"),
    (
        "slice low",
        {"slices": TEXT},
        same,
        "failed",
        "slice 'low' compares 'signal', which is double, with 'x'",
    ),
    ("calibration", {}, same, "passed", "how far probabilities are from frequencies: at most 0.05"),
    ("calibration", {"calibration": 0.001}, same, "failed", "more than 0.001"),
    ("calibration", {}, without("calibration_error"), "failed", "calibration_error has no finite value"),
    ("calibration", {"calibration": None}, same, "not applicable", "lifted by the policy"),
    ("drift", {}, same, "passed", "population stability index is 0.0000, at most 0.25"),
    (
        "drift",
        {},
        trained_on(signal=FAR, orders=[9] * 1200),
        "failed",
        "orders moved most from the training data of version 2: its population stability index is 1",
    ),
    ("drift", {}, trained_on(signal=FAR, orders=[9] * 1200), "failed", "and so have moved signal 6."),
    (
        "drift",
        {"expected_drift": ("signal",)},
        trained_on(signal=FAR),
        "passed",
        "left out are features expected to move (signal ",
    ),
    ("drift", {}, trained_on(cds=signal(), web=None), "passed", "new (cds), no longer there (web)"),
    ("drift", {}, trained_on(signal=[None] * 1200), "failed", "signal moved most"),
    ("drift", {}, known_to_champion("web"), "passed", "left out are features new (signal, orders)"),
    (
        "drift",
        {"expected_drift": ("web",)},
        known_to_champion("web"),
        "not applicable",
        "no feature is left to compare; left out are features expected to move (web 0.0000), new (signal,",
    ),
    ("drift", {}, alone, "not applicable", "no version is in Production yet whose training data"),
    ("drift", {"drift": None}, same, "not applicable", "lifted by the policy"),
    ("drift", {}, unseen, "passed", "at most 0.25"),
    ("latency", {}, same, "passed", "a prediction takes (median) 0.40 ms: at most 100"),
    ("latency", {"latency_ms": 0.3}, same, "failed", "not at most 0.3"),
    ("latency", {"latency_ms": None}, same, "not applicable", "lifted by the policy"),
    ("size", {}, same, "passed", "the model's files take 0.20 MB: at most 500"),
    ("size", {"size_mb": 0.1}, same, "failed", "not at most 0.1"),
    ("size", {"size_mb": None}, same, "not applicable", "lifted by the policy"),
]


@pytest.mark.parametrize(("name", "changes", "change", "outcome", "sentence"), CASES)
def test_a_check_answers_and_says_why(
    name: str, changes: dict[str, Any], change: Change, outcome: str, sentence: str
) -> None:
    """Binary labels."""
    found = check(name, policy(**changes), change(classes()))
    assert (found.outcome, sentence in found.sentence) == (outcome, True), found.sentence


OF_NUMBERS: list[tuple[str, dict[str, Any], Change, str, str]] = [
    ("enough rows", {}, same, "passed", "1,200 evaluation rows; needed are 500"),
    ("enough rows", {}, lambda it: first(499, it), "failed", "499 evaluation rows; needed are 500"),
    ("floor", {}, same, "passed", "its worse end is at or above the floor -1"),
    ("floor", {"floor": -0.5}, same, "failed", "its worse end is below the floor -0.5"),
    ("floor", {"metric": "roc_auc"}, same, "failed", "roc_auc has no finite value"),
    ("r2 at least", {}, same, "passed", "is at least 0.3"),
    ("champion", {}, same, "passed", "(paired bootstrap): not worse by 0.05, as wanted"),
    ("champion", {"comparison": Superiority()}, same, "passed", "better, as wanted"),
    ("champion", {"comparison": Superiority()}, equal, "failed", "neg_mean_absolute_error is the same"),
    ("champion", {}, equal, "passed", "not worse by 0.05, as wanted"),
    ("champion", {}, swapped, "failed", "perhaps worse by 0.05 or more"),
    ("champion", {}, alone, "not applicable", "no version is in Production yet"),
    ("champion", {"metric": "roc_auc"}, same, "failed", "roc_auc cannot be compared with version 2"),
    ("scoring rule", {}, same, "passed", "neg_mean_squared_error is better"),
    ("scoring rule", {}, swapped, "failed", "perhaps worse by 0.1 or more"),
    ("scoring rule", {"scoring_rule": "brier"}, same, "not applicable", "brier does not judge regression"),
    ("slice low", {}, same, "passed", "on the same 622 rows"),
    ("slice low", {}, swapped, "failed", "perhaps worse by 0.1 or more"),
    ("slice low", {"slices": TINY}, same, "not applicable", "too few to judge by, needed are 50 rows"),
    ("calibration", {}, same, "passed", "standard deviations of the label on average: at most 0.05"),
    ("calibration", {}, lambda it: with_scores(it, FAR), "failed", "predictions are off by 2."),
    ("calibration", {}, lambda it: replace(it, truth=it.truth * 0), "failed", "the bias is nan"),
    ("calibration", {"calibration": None}, same, "not applicable", "lifted by the policy"),
]


@pytest.mark.parametrize(("name", "changes", "change", "outcome", "sentence"), OF_NUMBERS)
def test_numbers_are_judged_as_classes_are(
    name: str, changes: dict[str, Any], change: Change, outcome: str, sentence: str
) -> None:
    """By the metrics of numbers."""
    found = check(name, GatePolicy.model_validate(dict(NUMBERS) | changes), change(numbers()))
    assert (found.outcome, sentence in found.sentence) == (outcome, True), found.sentence


def test_all_checks_are_there_whatever_was_found() -> None:
    """In one order, each with its own name, so that one can be waived by it."""
    names = [
        *("enough rows", "floor", "accuracy at least", "log_loss at most", "champion", "scoring rule"),
        *("slice low", "slice web", "calibration", "drift", "latency", "size"),
    ]
    lifted = policy(scoring_rule=None, calibration=None, drift=None, latency_ms=None, size_mb=None)
    for policies, change in ((POLICY, same), (POLICY, alone), (POLICY, unseen), (lifted, same)):
        checks = judge(policies, change(classes()))
        assert [one.name for one in checks] == names
        assert all(one.sentence for one in checks)


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss"])
def test_the_floor_is_for_the_worse_end_of_the_interval(metric: str) -> None:
    """A value that reaches it is not enough."""
    interval = classes().intervals[metric]
    worst = interval.low if metric == "roc_auc" else interval.high
    between = (worst + interval.value) / 2
    assert check("floor", policy(metric=metric, floor=between), classes()).outcome == "failed"
    assert check("floor", policy(metric=metric, floor=worst), classes()).outcome == "passed"


@pytest.mark.parametrize("of", ["ours", "theirs"])
def test_whose_predictions_are_not_finite_is_said(of: str) -> None:
    """And of how many rows."""
    broken = probability(signal())
    broken[:3] = float("nan")
    found = check("champion", POLICY, with_scores(classes(), **{of: broken}))
    who = "the challenger" if of == "ours" else "version 2 in Production"
    assert found.sentence.endswith(f"{who} predicts something that is not finite for 3 of 1,200 rows")


def test_no_answer_rests_on_a_figure_that_is_not_finite() -> None:
    """Whatever the one who asks made of it."""
    found = answered("n", True, "it is good", {"a": 1.0, "b": float("nan")}, {"c": float("inf")})
    assert (found.outcome, found.figures, found.measured) == ("failed", {"a": 1.0}, {})
    assert found.sentence == "it is good; b, c not being finite, this fails"


def test_a_better_challenger_passes_every_check() -> None:
    """Of classes and of numbers."""
    for gate, judged in ((POLICY, classes()), (NUMBERS, numbers())):
        assert {one.outcome for one in judge(gate, judged)} == {"passed"}


def test_figures_are_told_as_a_person_reads_them() -> None:
    """The whole sentence, once."""
    found = check("champion", POLICY, with_scores(classes(), theirs=probability(signal(0.15, seed=7))))
    assert found.sentence == (
        "roc_auc is better than version 2 in Production by 0.0046, at 95% confidence by at least 0.0006, "
        "on the same 1,200 rows (DeLong): better, as wanted"
    )
    assert set(found.figures) == {"gain", "low", "smallest_effect"}


def test_machine_dependent_figures_are_measured_and_no_figures() -> None:
    """Else the same model would be decided on anew on each machine."""
    for name, unit in (("latency", "latency_ms"), ("size", "size_mb")):
        found = check(name, POLICY, classes())
        assert set(found.figures) == {"limit"}
        assert set(found.measured) == {unit}


def test_the_index_of_each_feature_is_among_the_figures() -> None:
    """Also of those that may move."""
    found = check("drift", policy(expected_drift=("signal",)), trained_on(signal=FAR)(classes()))
    assert set(found.figures) == {"psi signal", "psi orders", "psi web", "limit"}
    assert found.figures["psi signal"] > 0.25 >= found.figures["psi orders"]
