"""How features lie, and how far they have moved since."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_core.domain.profiles import Distribution, FeatureProfile
from mlops_core.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["LEAST_SHARE", "population_stability", "profile_of"]

LEAST_SHARE = 1e-4
"""An empty bin counts as this share, for the index has logarithms. What was never there before adds 0.05 when
it comes to a hundredth of rows, 0.25 at a twenty-fifth and 0.7 at a tenth."""

_DIGITS = 6


def profile_of(table: pa.Table, bins: int = 10) -> FeatureProfile:
    """Each column's distribution between its quantiles, deciles by default.

    Missing are nulls and NaN. Quantiles are of the finite values that are there; repeated ones are one edge,
    so a constant or empty column has few bins or one. A least value that is common has a bin of its own.
    Shares are rounded to 6 digits. Raises `DataError` when there are no rows.
    """
    if table.num_rows == 0:
        raise DataError("there are no rows to take the distribution of features from")
    features = {name: _distribution(_floats(table[name]), bins) for name in table.column_names}
    return FeatureProfile(rows=table.num_rows, features=features)


def population_stability(reference: Distribution, values: NDArray[np.float64]) -> float:
    """The population stability index of values (n,) from their reference; missing (NaN) is a bin of its own.

    The sum over bins of (share - reference share) ln(share / reference share), shares being at least
    `LEAST_SHARE`; 0 when nothing moved. By custom 0.1 is a small shift and 0.25 a large one (N. Siddiqi,
    "Credit Risk Scorecards", 2006, chapter 9); it is Jeffreys' divergence of the two (H. Jeffreys, "An
    invariant form for the prior probability in estimation problems", 1946). From no change at all it is
    about (bins - 1)(1/n + 1/m) by chance, n and m being the rows on both sides (B. Yurdakul, "Statistical
    Properties of Population Stability Index", 2018). Raises `DataError` for no values.
    """
    if len(values) == 0:
        raise DataError("there are no values to compare with their reference distribution")
    shares, missing = _shares(values, np.array(reference.edges))
    now = np.maximum([*shares, missing], LEAST_SHARE)
    then = np.maximum([*reference.shares, reference.missing], LEAST_SHARE)
    return float(np.sum((now - then) * np.log(now / then)))


def _distribution(values: Floats, bins: int) -> Distribution:
    edges = _edges(values[np.isfinite(values)], bins)
    shares, missing = _shares(values, edges)
    return Distribution(
        edges=tuple(map(float, edges)),
        shares=tuple(round(float(share), _DIGITS) for share in shares),
        missing=round(missing, _DIGITS),
    )


def _edges(values: Floats, bins: int) -> Floats:
    if len(values) == 0:
        return np.empty(0)
    edges = np.unique(np.quantile(values, np.arange(1, bins) / bins, method="lower"))
    if edges[0] == values.min():  # else what comes to lie below a common least value would not show
        edges = np.insert(edges, 0, np.nextafter(edges[0], -np.inf))
    return edges[np.isfinite(edges)]


def _shares(values: Floats, edges: Floats) -> tuple[Floats, float]:
    """Shares of all rows in each bin (lower edge, upper edge], and of those without a value."""
    missing = np.isnan(values)
    filled = np.bincount(np.searchsorted(edges, values[~missing], "left"), minlength=len(edges) + 1)
    return filled / len(values), float(missing.mean())


def _floats(column: pa.ChunkedArray) -> Floats:
    import pyarrow as pa

    # Nulls become NaN.
    return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
