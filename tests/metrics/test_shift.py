"""The index by which a canary says how far scores moved."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mlops_core.metrics.shift import shift

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
