"""Formulas of on-demand features: arithmetic on other features, the same for one row and for a million.

A formula is an expression in Python's grammar of names, numbers, `+ - * / **`, comparisons (1.0 or 0.0), and
the functions below; nothing else can be written. A null operand makes the result null (`coalesce` is there
for that), and so does what has no finite value, such as a division by zero.
"""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    Column = NDArray[np.float64]

__all__ = ["FUNCTIONS", "evaluate", "names_in"]

FUNCTIONS = {
    "abs": 1, "exp": 1, "log": 1, "log1p": 1, "sqrt": 1, "minimum": 2, "maximum": 2, "coalesce": 2,
}  # fmt: skip
"""Functions of a formula and how many arguments each takes; `coalesce(a, b)` is b where a is null."""

_BINARY = {
    ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide", ast.Pow: "power",
    ast.Lt: "less", ast.LtE: "less_equal", ast.Gt: "greater", ast.GtE: "greater_equal", ast.Eq: "equal",
    ast.NotEq: "not_equal",
}  # fmt: skip
_LONGEST = 500


def names_in(formula: str) -> tuple[str, ...]:
    """Names of the features that a formula reads, in the order of their first use.

    Raises `ValueError`, with what may be written, for anything that is not a formula.
    """
    found: dict[str, None] = {}
    _check(_parse(formula), formula, found)
    if not found:
        raise ValueError(f"{formula!r} reads no feature: it would be the same for everyone")
    return tuple(found)


def evaluate(formula: str, columns: Mapping[str, Column]) -> Column:
    """The formula's value per row; NaN stands for null, in the columns and in what is returned.

    Each row depends on that row alone.
    """
    import numpy as np

    with np.errstate(all="ignore"):
        found = np.asarray(_value(_parse(formula), columns), dtype=np.float64)
    return np.where(np.isfinite(found), found, np.nan)


def _parse(formula: str) -> ast.expr:
    if len(formula) > _LONGEST:
        raise ValueError(f"a formula has at most {_LONGEST} characters, this one {len(formula)}")
    try:
        return ast.parse(formula.strip(), mode="eval").body
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"{formula!r} is not a formula: {error}") from error


def _check(node: ast.expr, formula: str, found: dict[str, None]) -> None:
    match node:
        case ast.Constant(value=int() | float() as value) if _is_number(value):
            return
        case ast.Name(id=name):
            found[name] = None
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _BINARY:
            _check(left, formula, found)
            _check(right, formula, found)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            _check(operand, formula, found)
        case ast.Compare(left=left, ops=[operator], comparators=[right]) if type(operator) in _BINARY:
            _check(left, formula, found)
            _check(right, formula, found)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if len(args) == FUNCTIONS.get(name, -1):
            for one in args:
                _check(one, formula, found)
        case _:
            raise ValueError(
                f"{ast.unparse(node)!r} in {formula!r} cannot be part of a formula: features, numbers, "
                f"+ - * / **, one comparison at a time and the functions {_listed()} can"
            )


def _is_number(value: float) -> bool:
    """Whether it is a number that float64 can hold; True is none."""
    return not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _value(node: ast.expr, columns: Mapping[str, Column]) -> Any:
    import numpy as np

    match node:
        case ast.Constant(value=value):
            return np.float64(value)  # type: ignore[arg-type]  # checked when the definition was built
        case ast.Name(id=name):
            return columns[name]
        case ast.UnaryOp(operand=operand):
            return -_value(operand, columns)
        case ast.BinOp(left=left, op=operator, right=right):
            return _applied(_BINARY[type(operator)], _value(left, columns), _value(right, columns))
        case ast.Compare(left=left, ops=[operator], comparators=[right]):
            return _applied(_BINARY[type(operator)], _value(left, columns), _value(right, columns))
        case ast.Call(func=ast.Name(id="coalesce"), args=[first, second]):
            value = _value(first, columns)
            return np.where(np.isfinite(value), value, _value(second, columns))
        case ast.Call(func=ast.Name(id=name), args=args):
            function: Callable[..., Any] = getattr(np, name)
            return function(*(_value(one, columns) for one in args))
    raise ValueError(f"{ast.unparse(node)!r} is not part of a formula")


def _applied(function: str, left: Any, right: Any) -> Any:
    """NumPy's function of that name; null where either side is, which comparisons and 1 ** x would hide."""
    import numpy as np

    found = getattr(np, function)(left, right)
    return np.where(np.isnan(left) | np.isnan(right), np.nan, found)


def _listed() -> str:
    return ", ".join(FUNCTIONS)
