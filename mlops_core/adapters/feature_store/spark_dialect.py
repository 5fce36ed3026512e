"""Spark's own words in generated SQL."""

from __future__ import annotations

from typing import Literal

__all__ = ["SparkDialect"]


class SparkDialect:
    """`mlops_core.adapters.feature_store.sql.dialect.Dialect` for Spark in ANSI mode.

    `bounded` says that `min_by` can return the least few values, which Spark learnt with 4.3 (the oldest one
    this was run on); without it, all values of a row are collected and sorted.
    """

    def __init__(self, *, bounded: bool = True) -> None:
        self._bounded = bounded

    def text(self, value: str) -> str:
        """See `Dialect.text`; as bytes, since what a backslash or `${` means depends on Spark's settings."""
        return f"CAST(X'{value.encode().hex()}' AS STRING)"

    def integer_sum(self, column: str, where: str) -> str:
        """See `Dialect.integer_sum`; a sum of BIGINT would end at 64 bits."""
        return f"sum(CAST({column} AS DECIMAL(38, 0))){where}"

    def product(self, left: str, right: str) -> str:
        """See `Dialect.product`."""
        return f"CAST({left} AS DECIMAL(38, 0)) * {right}"

    def value_at(self, edge: Literal["min", "max"], value: str, order: str, where: str) -> str:
        """See `Dialect.value_at`; rows whose order is null are passed over, values that are null are not."""
        return f"{edge}_by({value}, {order}){where}"

    def second_least(self, value: str, where: str) -> str:
        """See `Dialect.second_least`; null values have no order and are passed over."""
        if self._bounded:
            return f"try_element_at(min_by({value}, {value}, 2){where}, 2)"
        return f"try_element_at(array_sort(collect_list({value}){where}), 2)"
