"""Profiles of features and the population stability index, against bins counted by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mlops_core.domain.profiles import Distribution, FeatureProfile
from mlops_core.errors import DataError
from mlops_core.metrics import LEAST_SHARE, bias, population_stability, profile_of

Floats = NDArray[np.float64]

values = st.lists(st.one_of(st.none(), st.integers(-5, 5), st.floats(-1e6, 1e6)), min_size=1, max_size=60)


def distribution(column: object, bins: int = 10) -> Distribution:
    return profile_of(pa.table({"x": column}), bins).features["x"]


def index_oracle(reference: Distribution, column: Floats) -> float:
    """Bin by bin, as the definition reads."""
    edges = [-np.inf, *reference.edges, np.inf]
    found = [float(np.mean((column > low) & (column <= high))) for low, high in pairwise(edges)]
    total = 0.0
    for share, then in zip(
        [*found, float(np.mean(np.isnan(column)))], [*reference.shares, reference.missing], strict=True
    ):
        now, before = max(share, LEAST_SHARE), max(then, LEAST_SHARE)
        total += (now - before) * np.log(now / before)
    return total


def test_deciles_hold_a_tenth_each() -> None:
    """Of a hundred different values, whatever their order; an edge belongs to the bin below it."""
    column = np.random.default_rng(0).permutation(np.arange(100.0))
    found = distribution(column)
    assert found.edges == (9.0, 19.0, 29.0, 39.0, 49.0, 59.0, 69.0, 79.0, 89.0)
    assert found.shares == (0.1,) * 10
    assert found.missing == 0.0


def test_repeated_deciles_are_one_edge() -> None:
    """Most counts are zero: that is one bin of many, and less than zero is another."""
    found = distribution([0] * 70 + [1] * 20 + [5] * 10)
    assert found.edges[1:] == (0.0, 1.0)
    assert found.shares == (0.0, 0.7, 0.2, 0.1)


def test_missing_values_have_a_share_of_their_own() -> None:
    """Null and NaN alike; the bins hold the rest, and all of them add up to one."""
    found = distribution(pa.array([1.0, 2.0, None, float("nan")]), bins=2)
    assert (found.shares, found.missing) == ((0.0, 0.25, 0.25), 0.5)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([7, 7, 7]), ((0.0, 1.0, 0.0), 0.0)),
        (pa.array([None, None], pa.int64()), ((0.0,), 1.0)),
        (pa.array([True, False, None, True]), ((0.0, 0.25, 0.5, 0.0), 0.25)),
        (pa.array([float("inf"), float("-inf"), 1.0, 2.0]), ((0.25, 0.25, 0.5), 0.0)),
    ],
)
def test_odd_columns_are_fine(column: pa.Array, expected: tuple[tuple[float, ...], float]) -> None:
    """Constant, empty, boolean and infinite; a constant has a bin of its own, so that any other shows."""
    found = distribution(column)
    assert (found.shares, found.missing) == expected


def test_a_profile_is_small_and_survives_json() -> None:
    """Shares have six digits."""
    table = pa.table({"x": np.arange(7.0), "y": np.ones(7)})
    profile = profile_of(table)
    assert profile.rows == 7
    assert FeatureProfile.model_validate_json(profile.model_dump_json()) == profile
    assert all(len(str(share)) <= 8 for share in profile.features["x"].shares)


@settings(max_examples=100)
@given(reference=values, now=values)
def test_the_index_is_what_its_definition_says(
    reference: list[float | None], now: list[float | None]
) -> None:
    """Against a count bin by bin, on columns with ties, extremes and missing values."""
    then = distribution(pa.array(reference, pa.float64()))
    column = np.array([np.nan if value is None else value for value in now])
    assert population_stability(then, column) == pytest.approx(index_oracle(then, column), abs=1e-12)
    assert population_stability(then, column) >= 0.0


@given(column=values)
def test_nothing_moved_from_itself(column: list[float | None]) -> None:
    """Up to the rounding of shares."""
    found = distribution(pa.array(column, pa.float64()))
    given_back = np.array([np.nan if value is None else value for value in column])
    assert population_stability(found, given_back) == pytest.approx(0.0, abs=1e-5)


def test_shifts_are_told_from_chance() -> None:
    """Fresh rows of the same kind stay far below 0.1, half a standard deviation reaches 0.2."""
    random = np.random.default_rng(1)
    reference = distribution(random.normal(size=5000))
    assert population_stability(reference, random.normal(size=5000)) < 0.02
    assert population_stability(reference, random.normal(0.5, 1, 5000)) > 0.2


def test_values_that_go_missing_move_a_feature() -> None:
    """A bin that was empty counts as a ten-thousandth: a tenth of rows costs 0.7 and more."""
    column = np.random.default_rng(2).normal(size=2000)
    reference = distribution(column)
    column[:200] = np.nan
    assert population_stability(reference, column) > 0.1 * np.log(0.1 / LEAST_SHARE) * 0.99


def test_a_constant_that_changed_has_moved() -> None:
    """Up, down or away."""
    reference = distribution(np.full(50, 3.0))
    assert population_stability(reference, np.full(50, 3.0)) == pytest.approx(0.0)
    assert population_stability(reference, np.full(50, 4.0)) > 9
    assert population_stability(reference, np.full(50, 2.0)) > 9
    assert population_stability(reference, np.full(50, np.nan)) > 9


def test_no_rows_have_no_distribution() -> None:
    """Neither now nor then."""
    with pytest.raises(DataError, match="no rows"):
        profile_of(pa.table({"x": pa.array([], pa.float64())}))
    with pytest.raises(DataError, match="no values"):
        population_stability(Distribution(edges=(), shares=(1.0,), missing=0.0), np.empty(0))


def test_bias_is_in_standard_deviations_of_the_truth() -> None:
    """High or low alike, whatever the unit; errors that cancel out are none."""
    truth = np.array([1.0, 3.0, 1.0, 3.0])
    assert bias(truth, truth + 0.5) == bias(truth * 60, truth * 60 - 30) == 0.5
    assert bias(truth, truth[::-1]) == 0.0


def test_bias_has_no_value_where_it_has_no_unit() -> None:
    """A constant truth that is missed, or a prediction that is not finite."""
    assert bias(np.ones(3), np.ones(3)) == 0.0
    assert np.isnan(bias(np.ones(3), np.full(3, 1.1)))
    assert np.isnan(bias(np.arange(3.0), np.array([0.0, np.inf, 1.0])))
