"""Formulas of on-demand features as Python functions over pandas, with the nulls that ours give."""

from __future__ import annotations

import ast

__all__ = ["function_of"]

_BINARY = {
    ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide", ast.Pow: "power",
    ast.Lt: "less", ast.LtE: "less_equal", ast.Gt: "greater", ast.GtE: "greater_equal", ast.Eq: "equal",
    ast.NotEq: "not_equal",
}  # fmt: skip

# Feast keeps the function alone, without the module around it: all it needs is inside.
_FUNCTION = '''\
def {function}(inputs: pd.DataFrame) -> pd.DataFrame:
    """{formula}"""
    import numpy as np
    import pandas as pd

    def column(name):
        return pd.to_numeric(inputs[name]).to_numpy(dtype="float64", na_value=np.nan)

    def applied(function, left, right):
        return np.where(np.isnan(left) | np.isnan(right), np.nan, function(left, right))

    def coalesce(first, second):
        return np.where(np.isfinite(first), first, second)

    with np.errstate(all="ignore"):
        found = {expression}
    return pd.DataFrame({{{name!r}: np.where(np.isfinite(found), found, np.nan)}})
'''


def function_of(function: str, name: str, formula: str) -> str:
    """Source of `function`: a frame with the features that `formula` reads, to a frame of feature `name`."""
    expression = _code(ast.parse(formula.strip(), mode="eval").body)
    shown = " ".join(formula.split())  # names, numbers and operators: nothing that would end the docstring
    return _FUNCTION.format(function=function, name=name, formula=shown, expression=expression)


def _code(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=value):
            return f"np.float64({value!r})"
        case ast.Name(id=name):
            return f"column({name!r})"
        case ast.UnaryOp(operand=operand):
            return f"-{_code(operand)}"
        case ast.BinOp(left=left, op=operator, right=right):
            return f"applied(np.{_BINARY[type(operator)]}, {_code(left)}, {_code(right)})"
        case ast.Compare(left=left, ops=[operator], comparators=[right]):
            return f"applied(np.{_BINARY[type(operator)]}, {_code(left)}, {_code(right)})"
        case ast.Call(func=ast.Name(id=name), args=args):
            called = name if name == "coalesce" else f"np.{name}"
            return f"{called}({', '.join(map(_code, args))})"
    raise ValueError(f"{ast.unparse(node)!r} is not part of a formula")
