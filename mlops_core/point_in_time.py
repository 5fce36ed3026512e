"""The point-in-time join as everyone asks for it: views joined by a store, features on demand on top."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.domain.expressions import evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    import pyarrow as pa

    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import OfflineStore

__all__ = ["historical_features"]


def historical_features(
    use_case: UseCase,
    offline: OfflineStore,
    events: Mapping[str, Path],
    spine: pa.Table,
    *,
    as_known_at: datetime | None = None,
) -> pa.Table:
    """The spine, unchanged and in its order, and a column per feature of `use_case.feature_names`, in order.

    Values are as of each row's `event_timestamp`. `as_known_at` reads history as it was known then.
    """
    joined = offline.features(use_case, events, spine, as_known_at=as_known_at)
    found = {name: joined[name] for name in use_case.joined_names}
    wanted = set(use_case.feature_names)
    for one in use_case.on_demand:
        if one.name in wanted:
            found[one.name] = _computed(one.formula, {name: joined[name] for name in one.inputs})
    table = spine
    for name in use_case.feature_names:
        table = table.append_column(name, found[name])
    return table


def _computed(formula: str, columns: Mapping[str, pa.ChunkedArray]) -> pa.Array:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    values = {
        name: np.asarray(pc.fill_null(column.cast(pa.float64(), safe=False), float("nan")), dtype=np.float64)
        for name, column in columns.items()
    }
    return pa.array(evaluate(formula, values), from_pandas=True)  # NaN becomes null
