"""Rules of a source that cannot be meant are refused when they are written."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from mlops_core.domain.rules import AnyRule, Fresh, InRange, Matches, NotNull, OneOf, Unique, Volume

RULES = [
    NotNull("usd"),
    InRange("usd", low=0),
    InRange("usd", high=5.5),
    InRange("usd", low=1, high=1),
    OneOf("channel", ("web", "app")),
    OneOf("level", (1, 2)),
    OneOf("paid", (True,)),
    Matches("code", "[A-Z]{2}"),
    Unique(("order", "line")),
    Fresh(timedelta(days=2)),
    Volume(),
    Volume(least=0.9, most=1.1),
]


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_a_rule_survives_json(rule: Any) -> None:
    """With the types of its values: True does not become 1."""
    adapter: TypeAdapter[AnyRule] = TypeAdapter(AnyRule)
    again = adapter.validate_json(adapter.dump_json(rule))
    assert repr(again) == repr(rule)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: InRange("usd"), "a range of 'usd' needs low=, high= or both"),
        (lambda: InRange("usd", low=2, high=1), "nothing lies between 2 and 1: swap low and high"),
        (lambda: InRange("usd", low=float("nan")), "finite number"),
        (lambda: InRange("usd", high=float("inf")), "finite number"),
        (lambda: OneOf("channel", ()), "at least 1 item"),
        (lambda: Unique(()), "at least 1 item"),
        (lambda: TypeAdapter(NotNull).validate_python({"column": "usd", "low": 1}), "Unexpected keyword"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(make: Any, message: str) -> None:
    """Naming the column and what would do."""
    with pytest.raises(ValidationError, match=message):
        make()


def test_an_unknown_rule_is_refused() -> None:
    """A stored definition of a later version is not read as if the rule were none."""
    with pytest.raises(ValidationError, match=r"'plausible' .* does not match any of the expected tags"):
        TypeAdapter(AnyRule).validate_python({"rule": "plausible", "column": "usd"})


@pytest.mark.parametrize("within", [timedelta(0), timedelta(days=-1)])
def test_freshness_is_an_age(within: timedelta) -> None:
    """Nothing is ever fresher than zero: such a rule would refuse everything."""
    with pytest.raises(ValidationError, match="an age is more than zero"):
        Fresh(within)


@pytest.mark.parametrize("bounds", [{"least": 2.0, "most": 1.0}, {"least": -1.0}, {"most": 0.0}])
def test_volumes_have_room_between_their_bounds(bounds: Any) -> None:
    """Else every delivery would be refused."""
    with pytest.raises(ValidationError, match="a volume"):
        Volume(**bounds)


@pytest.mark.parametrize("pattern", ["(", "[a-", "*a"])
def test_a_pattern_is_a_regular_expression(pattern: str) -> None:
    """Said when it is written, not at the first delivery."""
    with pytest.raises(ValidationError, match="not a regular expression"):
        Matches("code", pattern)
