"""Rows of the training set as a model takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["label_vector", "matrix", "read_splits"]


def read_splits(file: Path, *splits: str) -> pa.Table:
    """The rows of these splits, in stored order."""
    import pyarrow.parquet as pq

    return pq.read_table(file, filters=[("split", "in", set(splits))])


def matrix(table: pa.Table, names: Sequence[str]) -> NDArray[np.float64]:
    """Float64 matrix, one column a feature in the order of `names`; NaN where a value is missing."""
    import numpy as np
    import pyarrow as pa

    columns = [table[name].cast(pa.float64()).to_numpy() for name in names]
    return np.ascontiguousarray(np.column_stack(columns), dtype=np.float64)


def label_vector(table: pa.Table, name: str) -> NDArray[np.int8] | NDArray[np.float64]:
    """Labels: 0 and 1 (int8), or numbers."""
    import numpy as np

    return np.asarray(table[name].to_numpy())
