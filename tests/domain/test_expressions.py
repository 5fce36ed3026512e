"""Formulas: one answer for a row and for a million, null where there is none, and nothing but arithmetic."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_core.domain.expressions import FUNCTIONS, evaluate, names_in

if TYPE_CHECKING:
    from collections.abc import Mapping

NULL = math.nan


def value(formula: str, **columns: float) -> float:
    """The formula's value for one row."""
    (found,) = evaluate(formula, {name: np.array([one], dtype=np.float64) for name, one in columns.items()})
    return float(found)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("a + 2 * b", 8.0),
        ("-a ** 2", -4.0),
        ("(a - b) / b", -1 / 3),
        ("a < b", 1.0),
        ("a >= b", 0.0),
        ("a == 2", 1.0),
        ("a != 2", 0.0),
        ("minimum(a, b) + maximum(a, b)", 5.0),
        ("abs(a - b)", 1.0),
        ("log(exp(a))", 2.0),
        ("log1p(a) - log(b)", 0.0),
        ("sqrt(a + a)", 2.0),
        ("coalesce(a, b)", 2.0),
        (" a\n", 2.0),
    ],
)
def test_formulas_are_arithmetic(formula: str, expected: float) -> None:
    """With a = 2 and b = 3."""
    assert value(formula, a=2.0, b=3.0) == pytest.approx(expected)


@pytest.mark.parametrize(
    "formula",
    [
        "a + 1", "1 - a", "a * 0", "a ** 0", "1 ** a", "-a", "a == a", "a != 1", "a < 1", "1 >= a",
        "minimum(a, 1)", "maximum(1, a)", "abs(a)", "exp(a)", "coalesce(a, a)", "coalesce(1, 2) + a",
    ],
)  # fmt: skip
def test_a_null_operand_makes_the_result_null(formula: str) -> None:
    """Also where arithmetic on NaN would hide it: comparisons, powers, least and greatest."""
    assert math.isnan(value(formula, a=NULL))


@pytest.mark.parametrize(
    "formula",
    ["1 / a", "a / a", "log(a)", "sqrt(a - 1)", "(a - 8) ** 0.5", "exp(a + 1000)", "1e308 * (a + 10)"],
)
def test_what_has_no_finite_value_is_null(formula: str) -> None:
    """Division by zero, logarithms and roots of what has none, and what leaves float64; a = 0."""
    assert math.isnan(value(formula, a=0.0))


def test_coalesce_is_the_way_around_null() -> None:
    """Also around a division by zero."""
    assert value("coalesce(a, 7)", a=NULL) == 7.0
    assert value("coalesce(1 / a, 0)", a=0.0) == 0.0
    assert value("coalesce(a, coalesce(b, 3))", a=NULL, b=NULL) == 3.0


leaves = st.sampled_from(["a", "b", "0", "2", "0.5"])
formulas = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "**", "<", "==", "!=", ">="]), inner).map(
            lambda parts: f"({' '.join(parts)})"
        ),
        st.tuples(
            st.sampled_from(sorted(name for name, count in FUNCTIONS.items() if count == 2)), inner, inner
        ).map(lambda parts: f"{parts[0]}({parts[1]}, {parts[2]})"),
        st.tuples(
            st.sampled_from(sorted(name for name, count in FUNCTIONS.items() if count == 1)), inner
        ).map(lambda parts: f"{parts[0]}({parts[1]})"),
        inner.map(lambda one: f"-{one}"),
    ),
    max_leaves=8,
).map(lambda one: f"a + 0 * {one}")  # so that every formula reads a feature
numbers = st.just(NULL) | st.just(0.0) | st.floats(-1e3, 1e3)


@given(formula=formulas, rows=st.lists(st.tuples(numbers, numbers), min_size=1, max_size=40))
def test_a_batch_is_its_rows(formula: str, rows: list[tuple[float, float]]) -> None:
    """f(batch) = concat(f(row)), bit for bit, null for null: training and inference cannot differ."""
    a, b = np.array(rows, dtype=np.float64).T
    batch = evaluate(formula, {"a": a, "b": b})
    single = np.concatenate(
        [evaluate(formula, {"a": a[row : row + 1], "b": b[row : row + 1]}) for row in range(len(rows))]
    )
    np.testing.assert_array_equal(batch, single)
    assert np.isfinite(batch[~np.isnan(batch)]).all()


def test_names_come_in_the_order_of_their_first_use() -> None:
    """Once each, functions not among them."""
    assert names_in("b / (a + b) - log1p(c)") == ("b", "a", "c")


NO_FORMULAS: Mapping[str, str] = {
    "__import__('os').system('x')": "cannot be part of a formula",
    "a.__class__": "cannot be part of a formula",
    "a[0]": "cannot be part of a formula",
    "(lambda: a)()": "cannot be part of a formula",
    "[a for a in b]": "cannot be part of a formula",
    "(a := 1)": "cannot be part of a formula",
    "f'{a}'": "cannot be part of a formula",
    "await a": "cannot be part of a formula",
    "eval('a')": "cannot be part of a formula",
    "abs(*a)": "cannot be part of a formula",
    "log(a, b)": "cannot be part of a formula",
    "log(a, base=b)": "cannot be part of a formula",
    "minimum(a)": "cannot be part of a formula",
    "a if b else c": "cannot be part of a formula",
    "a and b": "cannot be part of a formula",
    "a < b < c": "cannot be part of a formula",
    "a in b": "cannot be part of a formula",
    "a // b": "cannot be part of a formula",
    "a % b": "cannot be part of a formula",
    "~a": "cannot be part of a formula",
    "a + 'b'": "cannot be part of a formula",
    "a + True": "cannot be part of a formula",
    "a + None": "cannot be part of a formula",
    "a + 1j": "cannot be part of a formula",
    f"a * {10**400}": "cannot be part of a formula",
    "a < 1e999": "cannot be part of a formula",
    "a = 1": "is not a formula",
    "a; b": "is not a formula",
    "import os": "is not a formula",
    "a +": "is not a formula",
    "": "is not a formula",
    "a\x00": "is not a formula",
    "(" * 250 + "a" + ")" * 249: "is not a formula",
    "1 + 2": "reads no feature",
    "a" * 501: "at most 500 characters",
}


@pytest.mark.parametrize("formula", NO_FORMULAS, ids=range(len(NO_FORMULAS)))
def test_nothing_but_a_formula_can_be_written(formula: str) -> None:
    """No attribute, call, loop, name of Python's or statement: no code can be run."""
    with pytest.raises(ValueError, match=NO_FORMULAS[formula]):
        names_in(formula)


def test_a_formula_cannot_reach_what_python_knows() -> None:
    """A builtin's name is the name of a feature, which must be defined."""
    assert names_in("print + open") == ("print", "open")


@pytest.mark.parametrize("formula", ["a + " * 120 + "a", "-" * 480 + "a", "abs(" * 90 + "a" + ")" * 90])
def test_a_long_formula_is_as_good_as_a_short_one(formula: str) -> None:
    """Depth is bounded by length, so nothing overflows."""
    assert names_in(formula) == ("a",)
    assert value(formula, a=1.0) in (1.0, 121.0)
