"""The data of an exported Feast repository: a Parquet file a view, named as in `mlops_core.exporters.feast`.

Latest values are the source's own rows, in Feast's terms: seen from `event_timestamp` on, recorded at
`created_timestamp`. What Feast cannot compute is computed at the rows of a spine.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mlops_core.adapters.feature_store.canonical import events_schema, write_events
from mlops_core.adapters.feature_store.columns import columns_of, source_keys
from mlops_core.adapters.feature_store.feast_reads import feature_column, narrowed
from mlops_core.adapters.feature_store.instants import TIMESTAMP
from mlops_core.adapters.feature_store.spine import EVENT_TIMESTAMP, Spine, events_of, spine_table
from mlops_core.domain.features import Latest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlops_core.domain.usecase import UseCase
    from mlops_core.domain.views import FeatureView
    from mlops_core.ports import OfflineStore

    Kind = Literal["integer", "number", "text"]

__all__ = ["write_feast_data"]

_CREATED = "created_timestamp"


def write_feast_data(
    use_case: UseCase, offline: OfflineStore, events: Mapping[str, Path], spine: pa.Table, folder: Path
) -> dict[str, Kind]:
    """Write `<view>.parquet` of every view to `folder` and return what `to_feast` takes as `types`.

    `events` are canonical events by source; `spine` are the rows (key columns, `event_timestamp`) at which
    `offline` computes what Feast cannot. Keys that are null are left out: they match nothing.
    """
    asked = Spine.of(spine, use_case.entity.keys)
    types: dict[str, Kind] = {}
    for view in use_case.views:
        if view.latest and use_case.source(view.source).event_id is None:
            table = _rows(use_case, view, events_of(events, view.source))
        else:
            table = _computed(use_case, view, offline, events, asked)
        write_events(table, folder / f"{view.name}.parquet")
        kinds = {name: _kind(table.schema.field(name).type) for name in table.column_names}
        types |= {name: kind for name, kind in kinds.items() if kind is not None}
    return types


def _rows(use_case: UseCase, view: FeatureView, path: Path) -> pa.Table:
    source = use_case.source(view.source)
    events_schema(path, columns_of(use_case, source).names)
    table = pq.read_table(path)
    keys = zip(use_case.entity_of(view).keys, source_keys(use_case, view), strict=True)
    columns = {name: table.column(own) for name, own in keys}
    happened = table.column(source.event_timestamp).cast(pa.int64())
    columns[EVENT_TIMESTAMP] = pc.add(happened, source.delay // timedelta(microseconds=1)).cast(TIMESTAMP)
    if source.created_timestamp is not None:
        columns[_CREATED] = table.column(source.created_timestamp)
    for feature in view.features:
        if isinstance(feature, Latest):
            columns[feature.name] = feature_column(table.column(feature.column))
    return pa.table(columns)


def _computed(
    use_case: UseCase, view: FeatureView, offline: OfflineStore, events: Mapping[str, Path], asked: Spine
) -> pa.Table:
    names = [feature.name for feature in view.features]
    plain = spine_table(asked.keys, asked.moments)
    found = offline.features(narrowed(use_case, names), events, plain)
    by = [*use_case.entity_of(view).keys, EVENT_TIMESTAMP]
    found = found.append_column("row", pa.array(np.arange(found.num_rows)))
    # The view's key may be a part of the spine's: rows equal in it and in the moment have equal features.
    first = found.select([*by, "row"]).drop_null().group_by(by, use_threads=False).aggregate([("row", "min")])
    return found.take(first.column("row_min")).select([*by, *names])


def _kind(kind: pa.DataType) -> Kind | None:
    if pa.types.is_timestamp(kind):
        return None
    if pa.types.is_integer(kind):
        return "integer"
    return "number" if pa.types.is_floating(kind) else "text"
