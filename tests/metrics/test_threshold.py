"""Where probabilities are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_core.metrics import accuracy, best_threshold

ROWS = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([0.125, 0.3, 0.375, 0.5, 0.625, 0.9])), min_size=1
)


def tried_out(labels: tuple[int, ...], scores: tuple[float, ...]) -> float:
    """The definition read aloud: a cut for every gap, each tried on all rows."""
    known = [0.0, *sorted(set(scores)), 1.0]
    cuts = [0.5 if low < 0.5 <= high else (low + high) / 2 for low, high in pairwise(known)]
    return min(cuts, key=lambda cut: (-accuracy(labels, scores, cut), abs(cut - 0.5), cut))


@given(rows=ROWS)
def test_the_threshold_is_the_most_accurate_and_nearest_to_a_half(rows: list[tuple[int, float]]) -> None:
    """Equal to trying every gap between scores."""
    labels, scores = zip(*rows, strict=True)
    assert best_threshold(labels, scores) == tried_out(labels, scores)


@pytest.mark.parametrize(
    ("labels", "scores", "expected"),
    [
        ([0, 1], [0.2, 0.4], 0.3),
        ([0, 1], [0.2, 0.9], 0.5),
        ([0, 1], [0.6, 0.9], 0.75),
        ([1, 1], [0.2, 0.4], 0.1),
        ([0, 0], [0.6, 0.8], 0.9),
        ([1, 1], [0.7, 0.8], 0.5),
    ],
)
def test_the_threshold_lies_in_the_middle_of_its_gap(
    labels: list[int], scores: list[float], expected: float
) -> None:
    """Or at a half, where the gap has one; beyond the scores half-way to 0 or 1."""
    assert best_threshold(labels, scores) == pytest.approx(expected)


def test_scores_at_the_ends_can_be_cut_off_and_kept() -> None:
    """Everyone is negative even at a score of 1, and positive even at 0."""
    assert accuracy([0, 0], [1.0, 1.0], best_threshold([0, 0], [1.0, 1.0])) == 1.0
    assert accuracy([1, 1], [0.0, 0.0], best_threshold([1, 1], [0.0, 0.0])) == 1.0
