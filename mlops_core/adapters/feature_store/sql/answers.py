"""From what SQL aggregated to the values of features: the same steps for every engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mlops_core.adapters.feature_store.sql.aggregates import spread_parts
from mlops_core.adapters.feature_store.sql.limbs import spread_limbs
from mlops_core.domain.features import StdDev, Sum
from mlops_core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_core.adapters.feature_store.columns import FeatureGroup
    from mlops_core.adapters.feature_store.instants import Column
    from mlops_core.adapters.feature_store.sql.events import Events
    from mlops_core.adapters.feature_store.sql.limbs import Limbs

__all__ = ["answered"]

_AT_ONCE = 50_000  # Python's integers take ten times the room of the sums


def answered(found: pa.Table, group: FeatureGroup, events: Events) -> dict[str, Column]:
    """Values by feature, from the rows of `queries.features_query`.

    Raises `DataError` for what is past the range of floats.
    """
    values: dict[str, Column] = {}
    for number, feature in enumerate(group.features):
        if isinstance(feature, StdDev):
            limbs = spread_limbs(events.columns[feature.column], events)
            parts = {part: found[f"f{number}_{part}"] for part in spread_parts(limbs)}
            values[feature.name] = _deviations(parts, limbs)
        else:
            values[feature.name] = found[f"f{number}"]
        if isinstance(feature, Sum | StdDev):
            _check_finite(values[feature.name], feature, group.source.name)
    return values


def _check_finite(column: Column, feature: Sum | StdDev, source: str) -> None:
    past = pc.sum(pc.is_inf(column)).as_py() or 0
    if past:
        raise DataError(
            f"feature {feature.name!r} over column {feature.column!r} of {source!r} leaves the range of "
            f"float64 (1.8e308) in {past} row(s) of the spine. Scale the column: store it in a greater unit."
        )


def _deviations(parts: Mapping[str, Column], limbs: Limbs) -> Column:
    """Sample standard deviations from exact sums; null for fewer than two values."""
    rows = len(parts["n"])
    found = np.full(rows, np.nan)
    for start in range(0, rows, _AT_ONCE):
        piece = {name: column.slice(start, _AT_ONCE) for name, column in parts.items()}
        found[start : start + _AT_ONCE] = _roots(piece, limbs)
    return pa.array(found, from_pandas=True)  # NaN becomes null


def _roots(parts: Mapping[str, Column], limbs: Limbs) -> NDArray[np.float64]:
    """`n * sum(x**2) - sum(x)**2` is taken in Python's integers: exact, and 0 for equal values alone."""
    counts = np.asarray(parts["n"].to_numpy(), dtype=np.int64)
    found = np.full(len(counts), np.nan)
    several = np.flatnonzero(counts > 1)
    n = counts[several].astype(np.object_)
    total = sum(_integers(parts[str(i)])[several] << _weight(limbs, i) for i in range(limbs.count))
    squares = sum(
        _integers(parts[f"{i}_{j}"])[several] << _weight(limbs, i) + _weight(limbs, j) + (i != j)
        for i, j in limbs.pairs
    )
    difference = n * squares - total * total
    excess = np.array([max(0, one.bit_length() - 900) // 2 for one in difference], dtype=np.int64)
    variances = ((difference >> 2 * excess.astype(np.object_)) / (n * (n - 1))).astype(np.float64)
    with np.errstate(over="ignore"):  # what overflows is looked for
        found[several] = np.ldexp(np.sqrt(variances) * limbs.unit, excess)
    return found


def _weight(limbs: Limbs, place: int) -> int:
    return limbs.bits * (limbs.count - 1 - place)


def _integers(column: Column) -> NDArray[np.object_]:
    """Whole numbers of up to 38 digits as Python's; nulls as anything."""
    whole: Any = column.cast(pa.decimal128(38, 0)).combine_chunks()
    if isinstance(whole, pa.ChunkedArray):  # of an empty table
        return np.empty(0, dtype=object)
    halves = np.frombuffer(whole.buffers()[1], dtype="<i8").reshape(-1, 2)[whole.offset :][: len(whole)]
    high, low = halves[:, 1].astype(np.object_), halves[:, 0].view("<u8").astype(np.object_)
    return np.asarray(high * 2**64 + low, dtype=np.object_)
