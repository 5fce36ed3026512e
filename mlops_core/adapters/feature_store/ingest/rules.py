"""A source's own rules (`mlops_core.domain.rules`), checked over whole columns.

Those of freshness and volume are not of rows and are `mlops_core.history`'s.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mlops_core.adapters.feature_store import values
from mlops_core.adapters.feature_store.ingest.ordering import order_of, same_as_before, taken
from mlops_core.domain.conditions import kind_of
from mlops_core.domain.rules import InRange, Matches, NotNull, OneOf, Unique

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mlops_core.adapters.feature_store.ingest.reading import SourceRows
    from mlops_core.adapters.feature_store.ingest.violations import Violations
    from mlops_core.adapters.feature_store.instants import Column, Converted
    from mlops_core.domain.conditions import Scalar
    from mlops_core.domain.rules import AnyRule

__all__ = ["check_rules"]

_SHOWN = 5
_NEEDS = {"number": "a number", "text": "text", "boolean": "true or false"}
_READ = {"number": values.numeric, "text": values.words, "boolean": values.boolean}


def check_rules(
    rules: Sequence[AnyRule], rows: SourceRows, stored: Mapping[str, Column], violations: Violations
) -> None:
    """Add what breaks the row rules to `violations`. `stored` are the columns in their canonical types.

    That rows are unique is asked of those that break nothing else.
    """
    columns = _Columns(rows, stored, violations)
    for rule in sorted(rules, key=lambda one: isinstance(one, Unique)):
        match rule:
            case NotNull():
                empty = np.asarray(pc.is_null(values.plain(rows.table.column(rule.column))))
                violations.of_rows(rule.column, "is null against its rule", empty)
            case InRange():
                column = columns.read("number", rule.column, rule.rule)
                if column is not None:
                    violations.of_rows(rule.column, _range(rule), _outside(column, rule))
            case OneOf():
                _check_listed(rule, columns, violations)
            case Matches():
                _check_pattern(rule, columns, violations)
            case Unique():
                _check_unique(rule, rows, stored, violations)


class _Columns:
    """Columns as the rules need them; what cannot be read so is a violation."""

    def __init__(self, rows: SourceRows, stored: Mapping[str, Column], violations: Violations) -> None:
        self._rows = rows
        self._stored = stored
        self._violations = violations

    def read(self, kind: str, name: str, rule: str) -> Column | None:
        """Column `name` as numbers, text or booleans; None when it is none."""
        raw = values.plain(self._rows.table.column(name))
        found = _READ[kind](raw, text=self._rows.text)
        if found is None:
            self._violations.of_column(f"rule {rule} needs {name} to be {_NEEDS[kind]}, found {raw.type}")
            return None
        if name not in self._stored:  # else they have been found already
            for sentence, broken in found.broken:
                self._violations.of_rows(name, sentence, broken)
        return _without(found)


def _without(found: Converted) -> Column:
    """The values; null where they mean nothing, so that no rule judges what another one has refused."""
    column = found.values
    for _, broken in found.broken:
        if broken.any():
            column = pc.if_else(pa.array(broken), pa.scalar(None, column.type), column)
    return column


def _range(rule: InRange) -> str:
    if rule.low is None or rule.high is None:
        return f"is above {_figure(rule.high)}" if rule.low is None else f"is below {_figure(rule.low)}"
    return f"is outside {_figure(rule.low)} to {_figure(rule.high)}"


def _figure(value: float | None) -> str:
    return f"{value:.0f}" if value is not None and value.is_integer() and abs(value) < 1e17 else f"{value}"


def _outside(column: Column, rule: InRange) -> NDArray[np.bool_]:
    low, high = rule.low, rule.high
    if pa.types.is_integer(column.type):  # compared as integers: large ones have no exact float
        low = None if low is None or low < -(2**63) else math.ceil(low)
        high = None if high is None or high >= 2**63 else math.floor(high)
        if (low is not None and low >= 2**63) or (high is not None and high < -(2**63)):
            return _mask(pc.is_valid(column))
    else:
        column = column.cast(pa.float64())
    found = np.zeros(len(column), dtype=np.bool_)
    if low is not None:
        found |= _mask(pc.less(column, pa.scalar(low, column.type)))
    if high is not None:
        found |= _mask(pc.greater(column, pa.scalar(high, column.type)))
    return found


def _check_listed(rule: OneOf, columns: _Columns, violations: Violations) -> None:
    kinds = {kind_of(value) for value in rule.values}
    if len(kinds) > 1:
        violations.of_column(
            f"rule {rule.rule} of {rule.column} lists {' and '.join(sorted(kinds))}, not one kind"
        )
        return
    column = columns.read(next(iter(kinds)), rule.column, rule.rule)
    if column is not None:
        wrong = pc.and_(pc.is_valid(column), pc.invert(pc.is_in(*_comparable(column, rule.values))))
        shown = ", ".join(map(repr, rule.values[:_SHOWN])) + (", …" if len(rule.values) > _SHOWN else "")
        violations.of_rows(rule.column, f"is not one of {shown}", _mask(wrong))


def _comparable(column: Column, listed: Sequence[Scalar]) -> tuple[Column, pa.Array]:
    """The column and the listed values in one type that holds both exactly where any does."""
    if pa.types.is_integer(column.type):
        fit = [int(one) for one in listed if float(one).is_integer() and -(2**63) <= int(one) < 2**63]
        return column, pa.array(fit, pa.int64())
    if pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
        return column.cast(pa.float64()), pa.array([float(one) for one in listed], pa.float64())
    return column, pa.array(listed, column.type)


def _check_pattern(rule: Matches, columns: _Columns, violations: Violations) -> None:
    column = columns.read("text", rule.column, rule.rule)
    if column is not None:
        fine = pc.match_substring_regex(column, rf"^(?:{rule.pattern})\z")
        shown = rule.pattern if len(rule.pattern) <= 60 else f"{rule.pattern[:60]}…"
        violations.of_rows(rule.column, f"does not match {shown}", _mask(pc.invert(fine)))


def _check_unique(
    rule: Unique, rows: SourceRows, stored: Mapping[str, Column], violations: Violations
) -> None:
    names = [f"c{number}" for number, _ in enumerate(rule.columns)]
    columns = [
        stored[name] if name in stored else values.plain(rows.table.column(name)) for name in rule.columns
    ]
    asked = ~violations.broken
    for column in columns:
        asked &= np.asarray(pc.is_valid(column))
    where = np.flatnonzero(asked)
    table = taken(pa.table(columns, names=names), where)
    try:
        order = order_of(table, names)
    except pa.ArrowException:
        kinds = ", ".join(str(column.type) for column in columns)
        violations.of_column(f"rule {rule.rule} cannot compare {', '.join(rule.columns)} ({kinds})")
        return
    again = same_as_before(taken(table, order), names)
    broken = np.zeros(rows.table.num_rows, dtype=np.bool_)
    broken[where[order[again]]] = True
    broken[where[order[np.flatnonzero(again) - 1]]] = True
    many = len(rule.columns) > 1
    violations.of_rows(", ".join(rule.columns), "are not unique" if many else "is not unique", broken)


def _mask(condition: Column) -> NDArray[np.bool_]:
    return np.asarray(pc.fill_null(condition, False), dtype=np.bool_)
