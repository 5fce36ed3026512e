"""Conditions say which events a feature looks at, and cannot be meant in two ways."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from mlops_core.domain.conditions import Where
from mlops_core.domain.features import Count


@pytest.mark.parametrize(
    ("condition", "kind"),
    [
        (Where("channel", "==", "web"), "text"),
        (Where("channel", "in", ("web", "app")), "text"),
        (Where("usd", ">=", 100), "number"),
        (Where("usd", "in", (1, 2.5)), "number"),
        (Where("paid", "!=", True), "boolean"),
    ],
)
def test_a_condition_knows_what_its_column_holds(condition: Where, kind: str) -> None:
    """Text, numbers or booleans; True is no number."""
    assert condition.kind == kind
    adapter = TypeAdapter(Where)
    assert adapter.validate_json(adapter.dump_json(condition)) == condition


@pytest.mark.parametrize(
    ("operator", "value", "message"),
    [
        ("in", "web", "usd: \"in\" takes a tuple of values, got 'web'"),
        ("==", ("web",), 'usd: "==" takes one value'),
        ("in", (), 'usd: "in" needs values of one kind, got none'),
        ("in", ("web", 1), 'usd: "in" needs values of one kind, got number, text'),
        ("in", (True, 1), 'usd: "in" needs values of one kind, got boolean, number'),
        ("<", "web", "usd: \"<\" compares numbers, got 'web'"),
        (">=", True, 'usd: ">=" compares numbers, got True'),
        ("==", None, "Input should be"),
        ("==", float("nan"), "finite number"),
        ("like", "w%", "Input should be '=='"),
    ],
)
def test_a_condition_that_cannot_be_meant_is_refused(operator: Any, value: Any, message: str) -> None:
    """Naming the column, what the operator takes and what came."""
    with pytest.raises(ValidationError) as caught:
        Where("usd", operator, value)
    assert message in str(caught.value)


def test_one_condition_needs_no_tuple() -> None:
    """It reads as it is said; JSON gives it back as one of several."""
    one = Where("usd", ">", 1)
    assert Count("n", where=one).conditions == (one,)
    assert Count("n", where=one) == Count("n", where=(one,))


def test_a_value_keeps_its_type() -> None:
    """1, 1.0, True and "1" are four things."""
    adapter = TypeAdapter(Where)
    for value in (1, 1.0, True, "1"):
        again = adapter.validate_json(adapter.dump_json(Where("x", "==", value)))
        assert type(again.value) is type(value)
