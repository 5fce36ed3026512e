"""The simulation of the gate's errors, run small: false promotions stay at the level that is stated."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks.gates import CONFIDENCE, SMALL, Rate, panels, simulated, table
from benchmarks.gates_models import CHAMPIONS_ERROR, classification, regression
from benchmarks.gates_plot import drawing
from mlops_core.metrics import calibration_error, roc_auc

pytestmark = pytest.mark.live

LEVEL = 1 - CONFIDENCE


@pytest.fixture(scope="module")
def rates() -> list[Rate]:
    """The small run."""
    return list(simulated(SMALL))


def most(times: int) -> float:
    """The share that a rule which errs at the level exceeds less than once in a thousand such runs."""
    return LEVEL + 3.1 * math.sqrt(LEVEL * (1 - LEVEL) / times) + 1 / times


def test_no_rule_of_the_gate_errs_more_often_than_it_says(rates: list[Rate]) -> None:
    """Equally good challengers, those worse by just the margin, and worse ones."""
    errors = [rate for rate in rates if rate.wrong and rate.rule != "`>=`"]
    assert {rate.rule for rate in errors} > {"superiority", "non-inferiority by 0.01", "whole gate"}
    assert [rate for rate in errors if rate.share > most(rate.times)] == []


def test_the_rule_that_only_compares_figures_errs_far_more_often(rates: list[Rate]) -> None:
    """It promotes about half of the challengers that are no better."""
    naive = [rate for rate in rates if rate.rule == "`>=`" and rate.gain == 0.0]
    assert len(naive) == len(SMALL)
    assert all(rate.share > most(rate.times) for rate in naive)


def test_better_challengers_are_promoted_more_often(rates: list[Rate]) -> None:
    """Power rises with the gain, since the same rows are drawn for all gains."""
    for case in SMALL:
        for rule in {rate.rule for rate in rates}:
            shares = [rate.share for rate in rates if (rate.case, rate.rule) == (case, rule)]
            assert shares == sorted(shares)


def test_models_are_as_good_as_they_are_said_to_be() -> None:
    """On a million rows: areas, calibration, and mean squared errors."""
    random = np.random.default_rng(0)
    for gain, drawn in zip((0.0, 0.02), classification(random, 1_000_000, (0.0, 0.02)), strict=True):
        ahead = roc_auc(drawn.truth, drawn.challenger) - roc_auc(drawn.truth, drawn.champion)
        assert ahead == pytest.approx(gain, abs=0.001)
        assert calibration_error(drawn.truth, drawn.challenger) < 0.003
    for gain, found in zip((0.0, 0.02), regression(random, 1_000_000, (0.0, 0.02)), strict=True):
        errors = [float(np.mean((found.truth - scores) ** 2)) for scores in found[1:]]
        assert errors[1] == pytest.approx(CHAMPIONS_ERROR, abs=0.02)
        assert errors[1] - errors[0] == pytest.approx(gain * CHAMPIONS_ERROR, abs=0.001)


def test_what_is_shown_has_every_rule(rates: list[Rate]) -> None:
    """Tables of one width, and a plot that is XML with a curve a rule and panel."""
    for task in ("classification", "regression"):
        lines = list(table(task, rates))
        assert len(lines) > 4
        assert len({line.count("|") for line in lines}) == 1
    plot = ElementTree.fromstring(drawing(panels(rates), level=LEVEL))  # noqa: S314 - our own
    kinds = [one.get("class", "") for one in plot.iter()]
    assert sum(kind.startswith("line") for kind in kinds) == 3 + 3  # in the legend, and in the only panel
    assert kinds.count("dot") == 1 + 8  # the whole gate's
