"""Rows of a slice are those that plain Python would pick."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_core.checks.slices import LEAST_PER_CLASS, LEAST_ROWS, rows_of
from mlops_core.definitions import Slice, Where
from tests.checks.cases import POLICY, check, classes, first

if TYPE_CHECKING:
    from mlops_core.domain.conditions import Operator

COMPARE: dict[Operator, Any] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
whole = st.none() | st.integers(-3, 3)
numbers = st.none() | st.sampled_from([-1.5, -0.0, 0.0, 1.0, 2.5, math.nan, math.inf])
booleans = st.none() | st.booleans()
values = st.integers(-3, 3) | st.sampled_from([-1.5, 0.0, 1.0, 2.5])
conditions = st.one_of(
    st.builds(Where, st.sampled_from(["n", "x", "b"]), st.sampled_from(sorted(COMPARE)), values),
    st.builds(
        Where, st.sampled_from(["n", "x"]), st.just("in"), st.lists(values, min_size=1, max_size=3).map(tuple)
    ),
    st.builds(Where, st.just("b"), st.sampled_from(["==", "!="]), st.booleans()),
)


def meets(value: Any, condition: Where) -> bool:
    """As `mlops_core.domain.conditions` has it: a null meets nothing; NaN is how a model is given one."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return False
    if condition.operator == "in":
        return value in condition.values
    return bool(COMPARE[condition.operator](value, condition.value))


@given(
    rows=st.lists(st.tuples(whole, numbers, booleans), max_size=12),
    where=st.lists(conditions, min_size=1, max_size=3).map(tuple),
)
def test_rows_of_a_slice_meet_all_conditions(rows: list[tuple[Any, ...]], where: tuple[Where, ...]) -> None:
    """Nulls and NaN none, booleans as the 0 and 1 that a model is given."""
    types = {"n": pa.int64(), "x": pa.float64(), "b": pa.bool_()}
    table = pa.table(
        {name: pa.array([row[place] for row in rows], types[name]) for place, name in enumerate(types)}
    )
    expected = [all(meets(row["nxb".index(one.column)], one) for one in where) for row in rows]
    assert rows_of(Slice(name="s", where=where), table).tolist() == expected


@pytest.mark.parametrize("compare", COMPARE)
def test_a_missing_value_meets_no_condition(compare: Operator) -> None:
    """Not even that of being another."""
    table = pa.table({"x": [math.nan, None]})
    assert not rows_of(Slice(name="s", where=(Where("x", compare, 1.0),)), table).any()


def test_whole_numbers_are_compared_as_such() -> None:
    """Two to the 53rd and one more are one number to a float."""
    table = pa.table({"n": [2**53, 2**53 + 1]})
    assert rows_of(Slice(name="s", where=(Where("n", "==", 2**53 + 1),)), table).tolist() == [False, True]


def test_a_slice_of_too_few_rows_tells_how_many_there_are() -> None:
    """One row more, and it is judged."""
    places = [row for row, value in enumerate(classes().rows["signal"].to_pylist()) if value < 0]
    policy = POLICY.model_copy(update={"slice_margin": 9.0})
    few = check("slice low", policy, first(places[LEAST_ROWS - 1], classes()))
    assert few.outcome == "not applicable"
    assert few.sentence.startswith(f"{LEAST_ROWS - 1} rows, ")
    assert few.figures["rows"] == LEAST_ROWS - 1
    assert few.figures["rarer_class"] >= LEAST_PER_CLASS
    assert check("slice low", policy, first(places[LEAST_ROWS - 1] + 1, classes())).outcome == "passed"
