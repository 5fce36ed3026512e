"""Is it no worse within each slice? A gain on most rows may be paid for by some.

Conditions are read as those on events are (`mlops_core.domain.conditions`): a null meets none, nor does NaN,
which is how a model is given a missing value.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mlops_core.checks.answer import failed, not_applicable
from mlops_core.checks.champion import unpaired
from mlops_core.checks.comparison import Pair, compared
from mlops_core.checks.rows import rarer_class
from mlops_core.domain.gates import NonInferiority
from mlops_core.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mlops_core.checks.judged import Judged
    from mlops_core.domain.conditions import Scalar, Where
    from mlops_core.domain.gates import Check, GatePolicy, Slice

__all__ = ["LEAST_PER_CLASS", "LEAST_ROWS", "rows_of", "slices"]

LEAST_ROWS = 50
"""A slice of fewer rows is not judged."""

LEAST_PER_CLASS = 10
"""Nor is one with fewer rows of the rarer class."""

_COMPARE = {
    "==": pc.equal,
    "!=": pc.not_equal,
    "<": pc.less,
    "<=": pc.less_equal,
    ">": pc.greater,
    ">=": pc.greater_equal,
}


def slices(policy: GatePolicy, judged: Judged) -> Iterator[Check]:
    """The policy's metric within each slice, not worse than the champion's by the slice margin."""
    for one in policy.slices:
        yield _slice(one, policy, judged)


def _slice(one: Slice, policy: GatePolicy, judged: Judged) -> Check:
    name = f"slice {one.name}"
    try:
        mask = rows_of(one, judged.rows)
    except DefinitionError as error:
        return failed(name, str(error))
    truth = judged.truth[mask]
    counts, rarer = f"{len(truth):,} rows", len(truth)
    needed = f"{LEAST_ROWS} rows"
    figures = {"rows": len(truth)}
    if judged.task == "classification":
        rarer = rarer_class(truth)
        counts += f", {rarer:,} of the rarer class"
        needed += f" and {LEAST_PER_CLASS} of the rarer class"
        figures["rarer_class"] = rarer
    if len(truth) < LEAST_ROWS or rarer < LEAST_PER_CLASS:
        return not_applicable(name, f"{counts}: too few to judge by, needed are {needed}", **figures)
    pair = Pair.of(judged)
    if pair is None:
        return not_applicable(name, unpaired(judged, policy.metric), **figures)
    wanted = NonInferiority(margin=policy.slice_margin)
    return compared(name, policy.metric, wanted, pair.within(mask), policy.confidence, **figures)


def rows_of(one: Slice, rows: pa.Table) -> NDArray[np.bool_]:
    """Which rows, shape (n,), meet all conditions of a slice.

    Raises `DefinitionError` when a feature is not there or cannot be compared with the value.
    """
    met = [_meets(condition, rows, one.name) for condition in one.where]
    return reduce(np.logical_and, met)


def _meets(condition: Where, rows: pa.Table, who: str) -> NDArray[np.bool_]:
    if condition.column not in rows.column_names:
        raise DefinitionError(
            f"slice {who!r} looks at {condition.column!r}, no feature of this model: {rows.column_names}"
        )
    column = rows[condition.column]
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())  # as a model is given it
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    compare = _COMPARE["==" if condition.operator == "in" else condition.operator]
    try:
        met = reduce(pc.or_, [compare(column, _scalar(value)) for value in condition.values])
    except pa.ArrowException as error:
        raise DefinitionError(
            f"slice {who!r} compares {condition.column!r}, which is {column.type}, with {condition.value!r}"
        ) from error
    return np.asarray(pc.fill_null(met, False).to_numpy(), dtype=np.bool_)


def _scalar(value: Scalar) -> pa.Scalar:
    return pa.scalar(int(value) if isinstance(value, bool) else value)
