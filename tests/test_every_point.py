"""What a sample of points leaves out, several samples together try."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import every_point
from tests.every_point import one_in, sample

POINTS = st.lists(st.integers(), max_size=40)


@pytest.fixture(autouse=True)
def a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not everything, whatever the environment says."""
    monkeypatch.setattr(every_point, "EVERY_POINT", False)


@given(POINTS, st.integers(1, 9))
def test_samples_that_begin_at_each_place_are_all_points(points: list[int], every: int) -> None:
    assert set().union(*(sample(points, every, begin) for begin in range(every))) == set(points)


@given(POINTS, st.integers(1, 9), st.integers(0, 20))
def test_a_sample_is_one_in_so_many_and_never_empty(points: list[int], every: int, begin: int) -> None:
    found = sample(points, every, begin)
    assert bool(found) == bool(points)
    assert len(found) <= len(points) // every + 1


def test_with_every_point_nothing_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(every_point, "EVERY_POINT", True)
    assert sample(range(9), 4, 2) == list(range(9))
    assert one_in(4) == 1
