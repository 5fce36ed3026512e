"""Rules that a source's rows must keep before any is stored, beside the contract of every source.

The contract (no null key or timestamp, the types that the features need) always holds; these are the user's.
A null breaks `NotNull` alone: the other rules judge values.
"""

from __future__ import annotations

from dataclasses import field
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, field_validator, model_validator
from pydantic.dataclasses import dataclass

from mlops_core.domain.conditions import Scalar

__all__ = ["AnyRule", "Fresh", "InRange", "Matches", "NotNull", "OneOf", "Unique", "Volume"]

_CONFIG = ConfigDict(extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True, config=_CONFIG)
class NotNull:
    """Every row has a value in the column."""

    column: str
    rule: Literal["not_null"] = field(default="not_null", kw_only=True)


@dataclass(frozen=True, config=_CONFIG)
class InRange:
    """Values of a numeric column lie in [low, high]."""

    column: str
    low: float | None = None
    high: float | None = None
    rule: Literal["in_range"] = field(default="in_range", kw_only=True)

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.low is None and self.high is None:
            raise ValueError(f"a range of {self.column!r} needs low=, high= or both")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"nothing lies between {self.low:g} and {self.high:g}: swap low and high")
        return self


@dataclass(frozen=True, config=_CONFIG)
class OneOf:
    """Values of a column are among those listed."""

    column: str
    values: tuple[Scalar, ...] = Field(min_length=1)
    rule: Literal["one_of"] = field(default="one_of", kw_only=True)


@dataclass(frozen=True, config=_CONFIG)
class Matches:
    """Values of a text column match a regular expression from beginning to end (RE2's grammar)."""

    column: str
    pattern: str
    rule: Literal["matches"] = field(default="matches", kw_only=True)

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        import pyarrow as pa
        import pyarrow.compute as pc

        try:
            pc.match_substring_regex(pa.array([""]), pattern)
        except pa.ArrowInvalid as error:
            raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error
        return pattern


@dataclass(frozen=True, config=_CONFIG)
class Unique:
    """No two rows are equal in all these columns; nulls are equal to no other row."""

    columns: tuple[str, ...] = Field(min_length=1)
    rule: Literal["unique"] = field(default="unique", kw_only=True)


@dataclass(frozen=True, config=_CONFIG)
class Fresh:
    """The newest event is at most this old when the events are brought in, by the clock."""

    within: timedelta
    rule: Literal["fresh"] = field(default="fresh", kw_only=True)

    @field_validator("within")
    @classmethod
    def _positive(cls, within: timedelta) -> timedelta:
        if within <= timedelta(0):
            raise ValueError(f"an age is more than zero, got {within}")
        return within


@dataclass(frozen=True, config=_CONFIG)
class Volume:
    """The number of rows is at least `least` and at most `most` times that of the last delivery, if any."""

    least: float = 0.5
    most: float = 10.0
    rule: Literal["volume"] = field(default="volume", kw_only=True)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not (0 <= self.least <= self.most and self.most > 0):
            raise ValueError(
                f"a volume is between least= (zero or more) and most=, got {self.least:g} and {self.most:g}"
            )
        return self


AnyRule = Annotated[
    NotNull | InRange | OneOf | Matches | Unique | Fresh | Volume, Field(discriminator="rule")
]
