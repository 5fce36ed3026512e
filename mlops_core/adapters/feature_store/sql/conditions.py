"""`Where` as SQL: exact whatever the type of the column and of the value."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

from mlops_core.adapters.feature_store.sql.events import double

if TYPE_CHECKING:
    from mlops_core.adapters.feature_store.sql.dialect import Dialect
    from mlops_core.adapters.feature_store.sql.events import EventColumn
    from mlops_core.domain.conditions import Operator, Scalar, Where

__all__ = ["condition"]

_SQL = {"==": "=", "!=": "<>"}
_NOTHING = "(1 = 0)"
_INT64 = 2**63 - 1
_DOUBLE = 1.7976931348623157e308


def condition(where: Where, column: EventColumn, dialect: Dialect) -> str:
    """An expression that is true for the events that meet the condition, and false or null for the others."""
    if where.operator == "in":
        return f"({' OR '.join(_compared(column, '==', one, dialect) for one in where.values)})"
    return _compared(column, where.operator, where.values[0], dialect)


def _compared(column: EventColumn, operator: Operator, value: Scalar, dialect: Dialect) -> str:
    if isinstance(value, bool):
        return f"{column.name} {_SQL[operator]} {'TRUE' if value else 'FALSE'}"
    if isinstance(value, str):
        return f"{column.name} {_SQL[operator]} {dialect.text(value)}"
    return _number(column, operator, value)


def _number(column: EventColumn, operator: Operator, value: float) -> str:
    """Compares with the nearest numbers that the column can hold, so that no engine rounds either side."""
    below, above = _doubles_by(value) if column.kind == "float" else _wholes_by(value, column)
    fits = below == above
    match operator:
        case "==" | "!=":
            otherwise = _NOTHING if operator == "==" else f"{column.name} IS NOT NULL"
            return f"{column.name} {_SQL[operator]} {below}" if fits else otherwise
        case "<" | "<=":
            up_to = operator if fits else "<="
            return _NOTHING if below is None else f"{column.name} {up_to} {below}"
        case _:
            from_on = operator if fits else ">="
            return _NOTHING if above is None else f"{column.name} {from_on} {above}"


def _doubles_by(value: float) -> tuple[str | None, str | None]:
    """The greatest finite float up to `value`, and the least one from it on; None where there is none."""
    if abs(value) > _DOUBLE:
        return (double(_DOUBLE), None) if value > 0 else (None, double(-_DOUBLE))
    near = float(value)
    below = near if near <= value else math.nextafter(near, -math.inf)
    above = near if near >= value else math.nextafter(near, math.inf)
    return double(below), double(above)


def _wholes_by(value: float, column: EventColumn) -> tuple[str | None, str | None]:
    """The same of integers and of decimals, which are integers of their last digit.

    Beside decimals, 0.1 is what was written, one tenth, and not the float next to it.
    """
    scaled = (Fraction(repr(value)) if column.kind == "decimal" else Fraction(value)) * 10**column.scale
    most = 10**column.digits - 1 if column.kind == "decimal" else _INT64
    least = -most - (column.kind == "integer")
    below, above = math.floor(scaled), math.ceil(scaled)
    return (
        _whole(min(below, most), column) if below >= least else None,
        _whole(max(above, least), column) if above <= most else None,
    )


def _whole(value: int, column: EventColumn) -> str:
    if column.kind == "integer":
        return str(value)
    digits = f"{abs(value):0{column.scale + 1}d}"
    point = len(digits) - column.scale
    text = f"{'-' if value < 0 else ''}{digits[:point]}.{digits[point:]}"
    return f"CAST('{text}' AS DECIMAL({column.digits}, {column.scale}))"
