"""What Feast is given for a point-in-time read, and its answer put back in the spine's order.

Feast knows one rule, `created <= T` and `T - ttl <= ts <= T`, and it knows it well; what else ours says is
said by the rows it is given:

- **delay**: the spine that Feast sees, and the created timestamps, are moved back by it;
- **ttl**: Feast's DuckDB store fails on one of mixed units (36 hours), so Feast is given the next whole
  unit, which bounds its work, and the exact one is judged by the timestamp that is read along;
- **null keys**: never sent, as they match nothing;
- **as known at**: rows recorded later are not there;
- **names**: `k0`, `f0`, … as its DuckDB store loses columns whose names end in `_y`.

A row carries its number, as Feast returns rows in an order of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mlops_core.adapters.feature_store.canonical import events_schema
from mlops_core.adapters.feature_store.columns import columns_of
from mlops_core.adapters.feature_store.instants import TIMESTAMP, Column, micros
from mlops_core.adapters.feature_store.spine import EVENT_TIMESTAMP, Spine
from mlops_core.domain.features import Latest
from mlops_core.domain.views import FeatureService
from mlops_core.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from mlops_core.adapters.feature_store.columns import FeatureGroup
    from mlops_core.domain.usecase import UseCase

__all__ = ["FeastRead", "computed_read", "feature_column", "latest_read", "narrowed"]

_SEEN = "seen"
_TICK = timedelta(microseconds=1)
_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
_CENTURY = timedelta(days=36_525)


@dataclass(frozen=True, kw_only=True)
class FeastRead:
    """One view of Feast's and the spine it is asked for.

    `rows` are the feature rows (`k0`… keys, `ts`, `created`, `f0`… features) and `spine` the rows that can
    match: their number `row`, keys and `event_timestamp`. `names` are the features in the order of `f0`….
    With `ttl`, `rows` have `seen`, their own timestamp, and `moments` are those of the whole spine.
    """

    names: tuple[str, ...]
    rows: pa.Table
    spine: pa.Table
    known: bool
    moments: Column
    ttl: timedelta | None = None
    limit: timedelta | None = None
    otherwise: Mapping[str, Column] | None = None

    def request(self, number: int, folder: Path) -> dict[str, Any]:  # Any: JSON
        """Write the files and say, for the bridge, what to read."""
        source, spine, into = (folder / f"{what}{number}.parquet" for what in ("rows", "spine", "found"))
        pq.write_table(self.rows, source)
        pq.write_table(self.spine, spine)
        kinds = {name: _kind(self.rows.schema.field(name).type) for name in self.rows.column_names}
        limit = self.limit or timedelta(0)
        return {
            "view": f"view{number}",
            "source": str(source),
            "spine": str(spine),
            "into": str(into),
            "known": self.known,
            "created": "created" in kinds,
            "ttl_days": limit.days,
            "ttl_micros": limit // _TICK - limit.days * (_DAY // _TICK),
            "keys": [(name, kind) for name, kind in kinds.items() if name.startswith("k")],
            "features": [(name, kind) for name, kind in kinds.items() if name[0] == "f" or name == _SEEN],
        }

    def columns(self, into: str | None) -> dict[str, Column]:
        """Feast's answer, the file `into`, as a column per feature in the spine's order.

        None is the answer when there was no row to ask for.

        Raises `IntegrityError` when it does not hold each row that was asked for exactly once.
        """
        found = self._nothing() if into is None else pq.read_table(into)
        rows = np.asarray(found.column("row"))
        sent = np.asarray(self.spine.column("row"))
        if not np.array_equal(np.sort(rows), np.sort(sent)):
            raise IntegrityError(
                f"Feast was asked for {len(sent):,} rows and returned {len(rows):,} "
                f"({len(set(rows.tolist())):,} different): its join loses or repeats rows of this data."
            )
        place = np.full(len(self.moments), -1)
        place[rows] = np.arange(len(rows))
        alive = self._alive(found, place)
        columns = {}
        for number, name in enumerate(self.names):
            column = found.column(f"f{number}").combine_chunks().take(pa.array(place, mask=place < 0))
            if self.otherwise is not None:
                column = pc.if_else(pa.array(place >= 0), column, self.otherwise[name])
            columns[name] = pc.if_else(alive, column, pa.scalar(None, column.type))
        return columns

    def _nothing(self) -> pa.Table:
        columns = {name: self.rows.column(name).slice(0, 0) for name in self.rows.column_names}
        return pa.table({**columns, "row": pa.array([], pa.int64())})

    def _alive(self, found: pa.Table, place: Any) -> Column:
        if self.ttl is None:
            return pa.array(np.ones(len(place), dtype=np.bool_))
        seen = found.column(_SEEN).combine_chunks().take(pa.array(place, mask=place < 0))
        ttl = min(self.ttl // _TICK, 2**63 - 1)
        return pc.fill_null(pc.less_equal(pc.subtract(self.moments, seen), ttl), False)


def latest_read(
    use_case: UseCase, group: FeatureGroup, asked: Spine, path: Path, as_known_at: datetime | None
) -> FeastRead:
    """How Feast answers a group of latest values from the canonical events at `path`."""
    source = group.source
    schema = events_schema(path, columns_of(use_case, source).names)
    table = pq.read_table(path)
    if as_known_at is not None and source.created_timestamp is not None:
        created = table.column(source.created_timestamp).cast(pa.int64())
        table = table.filter(pc.less_equal(created, micros(as_known_at)))
    delay = source.delay // _TICK
    happened = table.column(source.event_timestamp)
    rows = {f"k{number}": table.column(name) for number, (_, name) in enumerate(group.keys)}
    rows["ts"] = happened
    if source.created_timestamp is not None:
        rows["created"] = _moved(table.column(source.created_timestamp).cast(pa.int64()), delay)
    if group.ttl is not None:
        rows[_SEEN] = happened.cast(pa.int64())
    features = [feature for feature in group.features if isinstance(feature, Latest)]
    for number, feature in enumerate(features):
        rows[f"f{number}"] = feature_column(table.column(feature.column))
    keys = [asked.key_like(name, schema.field(own).type, source.name) for name, own in group.keys]
    moments = pc.subtract(asked.moments, delay)
    return FeastRead(
        names=tuple(feature.name for feature in features),
        rows=pa.table(rows),
        spine=_spine(keys, moments),
        known=group.recorded,
        moments=asked.moments,
        ttl=group.ttl,
        limit=None if group.ttl is None else _whole_unit(group.ttl),
    )


def computed_read(names: Sequence[str], asked: Spine, computed: pa.Table) -> FeastRead:
    """How Feast hands out what was computed at each row of the spine: rows of features at those moments.

    `computed` has the columns `names`, row by row as the spine. Rows with a null key, which Feast cannot
    join, keep what was computed.
    """
    keys = list(asked.keys.values())
    spine = _spine(keys, asked.moments)
    # Rows equal in key and moment have equal features: one of them is enough.
    by = [*(name for name in spine.column_names if name[0] == "k"), EVENT_TIMESTAMP]
    first = spine.group_by(by, use_threads=False).aggregate([("row", "min")])
    taken = computed.take(first.column("row_min"))
    rows = {name: first.column(name) for name in by[:-1]}
    rows["ts"] = first.column(EVENT_TIMESTAMP)
    rows |= {f"f{number}": taken.column(name) for number, name in enumerate(names)}
    return FeastRead(
        names=tuple(names),
        rows=pa.table(rows),
        spine=spine,
        known=False,
        moments=asked.moments,
        limit=_TICK,  # only the row of that very moment: bounds Feast's join
        otherwise={name: computed.column(name).combine_chunks() for name in names},
    )


def narrowed(use_case: UseCase, names: Sequence[str]) -> UseCase:
    """The use case with the named features of its views only, over the same canonical events."""
    wanted = FeatureService(name="narrowed", features=tuple(names))
    return use_case.model_copy(update={"on_demand": (), "services": (wanted,), "service": wanted.name})


def _spine(keys: Sequence[Column], moments: Column) -> pa.Table:
    columns = {f"k{number}": key for number, key in enumerate(keys)}
    columns["row"] = pa.array(np.arange(len(moments)))
    columns[EVENT_TIMESTAMP] = moments.cast(TIMESTAMP)
    return pa.table(columns).drop_null()  # a null key matches nothing


def _moved(moments: Column, back: int) -> Column:
    return pc.subtract(moments, back).cast(TIMESTAMP)


def feature_column(column: Column) -> Column:
    """A column of the events as the feature that its newest value is: int64 or float64."""
    kind = column.type
    integers = pa.types.is_integer(kind) or pa.types.is_boolean(kind)
    return column.cast(pa.int64() if integers else pa.float64())


def _whole_unit(ttl: timedelta) -> timedelta | None:
    """The least ttl not shorter in whole days, in seconds below a day or in microseconds below a second."""
    if ttl > _CENTURY:  # bounds no work, and what it is added to has an end
        return None
    unit = _DAY if ttl >= _DAY else _SECOND if ttl >= _SECOND else _TICK
    return -(-ttl // unit) * unit


def _kind(kind: pa.DataType) -> str:
    if pa.types.is_integer(kind):
        return "integer"
    return "number" if pa.types.is_floating(kind) else "text"
