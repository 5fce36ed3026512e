"""DuckDB's own words in generated SQL."""

from __future__ import annotations

from typing import Literal

__all__ = ["DuckDBDialect"]


class DuckDBDialect:
    """`mlops_core.adapters.feature_store.sql.dialect.Dialect` for DuckDB."""

    def text(self, value: str) -> str:
        """See `Dialect.text`; nothing but the quote has a meaning within quotes."""
        return "'" + value.replace("'", "''") + "'"

    def integer_sum(self, column: str, where: str) -> str:
        """See `Dialect.integer_sum`; sums of integers are 128 bits wide by themselves."""
        return f"sum({column}){where}"

    def product(self, left: str, right: str) -> str:
        """See `Dialect.product`."""
        return f"CAST({left} AS HUGEINT) * {right}"

    def value_at(self, edge: Literal["min", "max"], value: str, order: str, where: str) -> str:
        """See `Dialect.value_at`; plain arg_max would pass over nulls."""
        return f"arg_{edge}_null({value}, {order}){where}"

    def second_least(self, value: str, where: str) -> str:
        """See `Dialect.second_least`; keeps two values a row, not all of them."""
        return f"list_extract(min({value}, 2){where}, 2)"
