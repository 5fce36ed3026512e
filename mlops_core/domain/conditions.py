"""Conditions on an event's columns: which events a feature looks at."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import ConfigDict, field_validator, model_validator
from pydantic.dataclasses import dataclass

__all__ = ["Operator", "Scalar", "Where"]

Operator = Literal["==", "!=", "<", "<=", ">", ">=", "in"]
Scalar = bool | int | float | str

_ORDERED = ("<", "<=", ">", ">=")


@dataclass(frozen=True, config=ConfigDict(extra="forbid", allow_inf_nan=False, strict=True))
class Where:
    """`column operator value`, such as `Where("channel", "==", "web")` or `Where("usd", ">=", 100)`.

    A null meets no condition, "!=" included. Text, numbers and booleans can be equal or not and be looked for
    with "in", which takes a tuple; only numbers are ordered. Several conditions must all be met.
    """

    column: str
    operator: Operator
    value: Scalar | tuple[Scalar, ...]

    @field_validator("value", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:  # Any: as it was written; JSON has no tuples
        return tuple(value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.operator == "in") != isinstance(self.value, tuple):
            takes = "a tuple of values" if self.operator == "in" else "one value"
            raise ValueError(f'{self.column}: "{self.operator}" takes {takes}, got {self.value!r}')
        kinds = {kind_of(value) for value in self.values}
        if len(kinds) != 1:
            found = ", ".join(sorted(kinds)) or "none"
            raise ValueError(f'{self.column}: "in" needs values of one kind, got {found}')
        if self.operator in _ORDERED and kinds != {"number"}:
            raise ValueError(f'{self.column}: "{self.operator}" compares numbers, got {self.value!r}')
        return self

    @property
    def values(self) -> tuple[Scalar, ...]:
        """The values compared with, one or more."""
        return self.value if isinstance(self.value, tuple) else (self.value,)

    @property
    def kind(self) -> Literal["number", "text", "boolean"]:
        """What the column must hold."""
        return kind_of(self.values[0])


def kind_of(value: Scalar) -> Literal["number", "text", "boolean"]:
    """The kind of a value; True is no number."""
    if isinstance(value, bool):
        return "boolean"
    return "text" if isinstance(value, str) else "number"
