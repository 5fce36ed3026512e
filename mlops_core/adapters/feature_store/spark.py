"""The offline store in Spark: for histories that outgrow one machine, over the same Parquet files.

The SQL is that of `sql`, so are the rules. What is written (ingestion, merging) is checked and written where
the driver is; what is read is read by Spark's workers, which must see the same folder.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from mlops_core.adapters.feature_store.columns import (
    columns_needed,
    feature_groups,
    label_source,
    label_sum,
    timing,
)
from mlops_core.adapters.feature_store.ingest.canonical_files import CanonicalFiles
from mlops_core.adapters.feature_store.instants import Column, micros
from mlops_core.adapters.feature_store.spark_dialect import SparkDialect
from mlops_core.adapters.feature_store.spark_events import SparkEvents
from mlops_core.adapters.feature_store.spark_session import SparkProcess
from mlops_core.adapters.feature_store.spine import Spine, events_of, spine_table
from mlops_core.adapters.feature_store.sql.aggregates import split_floats
from mlops_core.adapters.feature_store.sql.answers import answered
from mlops_core.adapters.feature_store.sql.queries import (
    features_query,
    labels_query,
    latest_query,
    magnitudes_of,
    magnitudes_query,
    spine_query,
)
from mlops_core.domain.labels import SumWithin
from mlops_core.progress import tell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from pyspark.sql import SparkSession

    from mlops_core.adapters.feature_store.columns import FeatureGroup
    from mlops_core.domain.usecase import UseCase

__all__ = ["SparkOfflineStore"]


class SparkOfflineStore(CanonicalFiles):
    """`mlops_core.ports.OfflineStore` in Spark.

    `master` is where Spark runs, such as `local[4]` or `spark://host:7077`; where this process has a Spark
    already, that one is used. Nothing is started before the first read; `close` stops what was started.
    """

    def __init__(self, *, master: str = "local[*]") -> None:
        self._spark = SparkProcess(master)

    def close(self) -> None:
        """Stop Spark if this store started it; the next read starts it again."""
        self._spark.close()

    def spine(
        self, use_case: UseCase, events: Path, at: Sequence[datetime], *, as_known_at: datetime | None = None
    ) -> pa.Table:
        """See `OfflineStore.spine`."""
        keys = use_case.entity.keys
        file = _label_events(use_case, events, as_known_at)
        moments = pa.table({"moment": pa.array(sorted(set(map(micros, at))), pa.int64())})
        with self._spark.session(moments=moments) as session:
            query = spine_query(file.relation(session, keys, recorded=True))
            found = session.sql(query).toArrow()
        types = file.key_types(keys)
        columns = {key: found[f"k{number}"].cast(types[number]) for number, key in enumerate(keys)}
        return spine_table(columns, found["moment"])

    def features(
        self,
        use_case: UseCase,
        events: Mapping[str, Path],
        spine: pa.Table,
        *,
        as_known_at: datetime | None = None,
    ) -> pa.Table:
        """See `OfflineStore.features`. Each source, key and visibility is one pass over its events."""
        asked = Spine.of(spine, use_case.entity.keys)
        found: dict[str, Column] = {}
        for group in feature_groups(use_case):
            path = events_of(events, group.source.name)
            file = SparkEvents(path, group.source, columns_needed(group), as_known_at)
            tell(f"features from {group.source.name}", len(found) / len(use_case.joined_names))
            with self._spark.session(spine=file.spine(asked, group.keys)) as session:
                found |= _values(session, group, file)
        return asked.with_columns({name: found[name] for name in use_case.joined_names})

    def labels(
        self, use_case: UseCase, events: Path, spine: pa.Table, *, as_known_at: datetime | None = None
    ) -> pa.Table:
        """See `OfflineStore.labels`."""
        keys, label = use_case.entity.keys, use_case.label
        asked = Spine.of(spine, keys)
        if isinstance(label, SumWithin):
            group = label_sum(use_case, label)
            summed = SparkEvents(events, group.source, columns_needed(group), as_known_at)
            ahead = summed.spine(asked.ahead(label.horizon), group.keys)
            with self._spark.session(spine=ahead) as session:
                return asked.with_columns(_values(session, group, summed))
        file = _label_events(use_case, events, as_known_at)
        with self._spark.session(spine=file.spine(asked, zip(keys, keys, strict=True))) as session:
            query = labels_query(file.relation(session, keys, recorded=False), label.horizon)
            found = session.sql(query).toArrow()
        return asked.with_columns({label.name: found["label"].cast(pa.int8())})


def _label_events(use_case: UseCase, path: Path, known_at: datetime | None) -> SparkEvents:
    source = label_source(use_case)
    return SparkEvents(path, source, (*use_case.entity.keys, *timing(source)), known_at)


def _values(session: SparkSession, group: FeatureGroup, file: SparkEvents) -> dict[str, Column]:
    events = file.relation(session, [theirs for _, theirs in group.keys], recorded=group.recorded)
    if group.latest:
        found = session.sql(latest_query(events, group)).toArrow()
        return {one.name: found[f"f{number}"] for number, one in enumerate(group.features)}
    floats = split_floats(group.features, events)
    if floats:
        (row,) = session.sql(magnitudes_query(events, floats)).collect()
        events = replace(events, magnitudes=magnitudes_of(floats, row))
    query = features_query(events, group.features, SparkDialect(bounded=_bounded(session)))
    return answered(session.sql(query).toArrow(), group, events)


def _bounded(session: SparkSession) -> bool:
    major, minor = session.version.split(".")[:2]
    return (int(major), int(minor)) >= (4, 3)
