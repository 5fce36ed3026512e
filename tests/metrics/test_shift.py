"""The index by which a canary says how far scores moved."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mlops_core.metrics.shift import shift, shift_by_task

scores = arrays(np.float64, st.integers(1, 60), elements=st.floats(0, 1))


@given(scores)
def test_scores_that_lie_alike_have_not_moved(one: np.ndarray) -> None:
    assert shift(one, one[::-1]) == pytest.approx(0, abs=1e-12)


@given(scores, scores)
def test_it_is_the_same_both_ways_and_never_negative(one: np.ndarray, other: np.ndarray) -> None:
    assert shift(one, other) >= 0
    assert shift(one, other) == pytest.approx(shift(other, one), abs=1e-9)


@given(scores, scores, st.floats(0.01, 100), st.floats(-5, 5))
def test_the_scale_of_the_scores_is_of_no_effect(
    one: np.ndarray, other: np.ndarray, scale: float, offset: float
) -> None:
    """A use case whose scores are all below a hundredth is looked at as closely as any other."""
    one, other = np.round(one, 3), np.round(other, 3)
    assert shift(one * scale + offset, other * scale + offset) == pytest.approx(shift(one, other), abs=1e-6)


def test_many_equal_scores_that_move_together_by_little_are_a_little_shift() -> None:
    """They would all cross an edge of a bin: over deciles the index of this is above one."""
    rare = np.linspace(0.0, 1.0, 100)
    one, other = (np.concatenate([rare, np.full(100, score)]) for score in (0.599, 0.601))
    assert shift(one, other) < 0.01


def test_scores_that_are_turned_round_are_a_large_shift() -> None:
    one = np.random.default_rng(1).beta(8, 2, 500)
    assert shift(one, 1 - one) > 1


def amounts(seed: int = 1, rows: int = 1000) -> np.ndarray:
    """As expected spends lie: most a few dollars, some hundreds of them."""
    return np.random.default_rng(seed).lognormal(1.2, 1.3, rows)


@pytest.mark.parametrize("factor", [0.1, 10.0, 100.0, -1.0])
def test_amounts_in_another_unit_are_a_large_shift_whatever_one_of_them_is(factor: float) -> None:
    """Of tenths of a range one amount of a million leaves only the first, and nothing is seen."""
    one = amounts()
    outlier = one.copy()
    outlier[0] = 1e6
    assert shift_by_task(one, one * factor, "regression") > 1
    assert shift_by_task(outlier, one * factor, "regression") > 1
    assert shift(outlier, one * factor) < 0.1


def test_amounts_that_become_one_are_a_large_shift() -> None:
    one = amounts()
    assert shift_by_task(one, np.full_like(one, one.mean()), "regression") > 1


def test_one_amount_that_grows_a_thousandfold_is_no_shift() -> None:
    one = amounts()
    outlier = one.copy()
    outlier[0] *= 1000
    assert shift_by_task(one, outlier, "regression") < 0.05


@settings(deadline=None, max_examples=25)  # three indices of it, on a machine that may be busy
@given(st.integers(0, 9), st.floats(-3, 9), st.floats(-5, 5))
def test_the_unit_of_numbers_is_of_no_effect(seed: int, decade: float, offset: float) -> None:
    """Thousandths are looked at as closely as billions, and what both gain alike moves nothing."""
    one, other, scale = amounts(seed, 60), 1.5 * amounts(seed + 10, 60), 10.0**decade
    moved = shift_by_task((one + offset) * scale, (other + offset) * scale, "regression")
    assert moved == pytest.approx(shift_by_task(one, other, "regression"), rel=1e-6)
    assert moved == pytest.approx(
        shift_by_task((other + offset) * scale, (one + offset) * scale, "regression"), rel=1e-6
    )


def test_numbers_that_are_all_the_same_but_few_have_an_index() -> None:
    """Their quartiles are one number, which is no spread to divide by."""
    one = np.zeros(100)
    other = np.concatenate([np.zeros(90), np.full(10, 5.0)])
    assert shift_by_task(one, one, "regression") == 0
    assert 0 < shift_by_task(one, other, "regression") < 1
