"""What SQL engines write differently; all else in `sql` is what they share."""

from __future__ import annotations

from typing import Literal, Protocol

__all__ = ["Dialect"]


class Dialect(Protocol):
    """One engine's way to say a thing. Arguments and results are SQL expressions.

    `where` is empty or a FILTER clause with a space before it, and belongs right behind an aggregate.
    """

    def text(self, value: str) -> str:
        """A string literal: whatever the value holds, it ends where the value ends."""

    def integer_sum(self, column: str, where: str) -> str:
        """The sum of 64-bit integers, or of products of two, exact up to 38 digits."""

    def product(self, left: str, right: str) -> str:
        """The product of two 64-bit integers, exact up to 38 digits."""

    def value_at(self, edge: Literal["min", "max"], value: str, order: str, where: str) -> str:
        """Of the rows whose `order` is not null, the value where it is least or greatest, null or not."""

    def second_least(self, value: str, where: str) -> str:
        """The second of the non-null values in ascending order, duplicates counted; null below two."""
