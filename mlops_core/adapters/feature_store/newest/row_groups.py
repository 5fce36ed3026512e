"""Canonical events read one row group at a time, of which only those that are needed.

Every page is compared with its checksum when it is read.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mlops_core.adapters.feature_store.instants import micros
from mlops_core.adapters.feature_store.newest.corrections import ALWAYS, NEVER_THERE, replaced_at
from mlops_core.adapters.feature_store.newest.search import Rows
from mlops_core.errors import DataError, IntegrityError, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from numpy.typing import NDArray

    from mlops_core.adapters.feature_store.columns import FeatureGroup
    from mlops_core.adapters.feature_store.instants import Column
    from mlops_core.adapters.feature_store.newest.keys import NumberedKeys

    Numbers = NDArray[np.int64]

__all__ = ["RowGroups"]


class RowGroups:
    """The row groups of one source's canonical events, as a group of features reads them."""

    def __init__(self, file: pq.ParquetFile, group: FeatureGroup, as_known_at: datetime | None) -> None:
        source = group.source
        self._file = file
        self._recorded = group.recorded
        self._keys = [theirs for _, theirs in group.keys]
        self._times = [name for name in (source.event_timestamp, source.created_timestamp) if name]
        has_created = source.created_timestamp is not None
        self._known = micros(as_known_at) if as_known_at is not None and has_created else None
        self._until = self._replaced(source.event_id) if source.event_id else None
        counts = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
        self._offsets = np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))

    @classmethod
    @contextmanager
    def opened(
        cls, path: Path, group: FeatureGroup, columns: Sequence[str], as_known_at: datetime | None
    ) -> Iterator[RowGroups]:
        """Those of the file at `path`, which needs `columns`; what cannot be read in the body is translated.

        Raises `NotFound` without the file, `IntegrityError` when it is damaged, and `DataError` when it was
        ingested for definitions that read less.
        """
        source = group.source
        others = (source.event_timestamp, source.created_timestamp, source.event_id)
        needed = [name for name in (*(theirs for _, theirs in group.keys), *others, *columns) if name]
        try:
            schema = pq.read_schema(path)
            missing = [name for name in dict.fromkeys(needed) if name not in schema.names]
            if missing:
                raise DataError(
                    f"the events at {path} lack {', '.join(map(repr, missing))}: they were ingested for "
                    "other definitions. Ingest their source again."
                )
            texts = [name for name in needed if schema.field(name).type == pa.string()]
            with pq.ParquetFile(path, page_checksum_verification=True, read_dictionary=texts) as file:
                yield cls(file, group, as_known_at)
        except FileNotFoundError as error:
            raise NotFound(f"there are no events at {path}. Ingest their source first.") from error
        except (pa.ArrowException, OSError) as error:
            raise IntegrityError(
                f"the events at {path} are damaged and cannot be read. Delete that file and ingest its "
                "source again."
            ) from error

    def type_of(self, column: str) -> pa.DataType:
        """The type of a column's values."""
        kind = self._file.schema_arrow.field(column).type
        return kind.value_type if isinstance(kind, pa.DictionaryType) else kind

    def needed(self, keys: NumberedKeys, until: int) -> list[int]:
        """Numbers of the row groups that may hold one of `keys` in a row that happened by `until`."""
        names = self._file.schema_arrow.names
        key, time = names.index(self._keys[0]), names.index(self._times[0])
        found = []
        for number in range(self._file.num_row_groups):
            columns = self._file.metadata.row_group(number)
            of_keys, of_times = columns.column(key).statistics, columns.column(time).statistics
            if not (of_keys and of_keys.has_min_max and of_times and of_times.has_min_max):
                found.append(number)  # it does not say what it holds
            elif micros(of_times.min) <= until and keys.any_between(of_keys.min, of_keys.max):
                found.append(number)
        return found

    def rows(self, number: int, keys: NumberedKeys) -> Rows:
        """The rows of a row group that have one of `keys` and that there are."""
        table = self.columns(number, (*self._keys, *self._times))
        numbers = keys.find([table[name] for name in self._keys])
        happened, *written = (np.asarray(table[name].cast(pa.int64())) for name in self._times)
        created = written[0] if written else None
        wanted = numbers >= 0
        if self._known is not None and created is not None:
            wanted &= created <= self._known
        until = None
        if self._until is not None:
            until = self._until[self._offsets[number] : self._offsets[number + 1]]
            wanted &= until > NEVER_THERE if self._recorded else until == ALWAYS
        return Rows(numbers, happened, created, until, np.arange(len(numbers))).where(wanted)

    def columns(self, number: int, names: Sequence[str]) -> dict[str, Column]:
        """Columns of a row group, each in one piece."""
        table = self._file.read_row_group(number, columns=list(dict.fromkeys(names)))
        return {name: _whole(table[name]) for name in names}

    def _replaced(self, event_id: str) -> Numbers:
        table = self._file.read(columns=[event_id, self._times[-1]])
        created = np.asarray(table[self._times[-1]].cast(pa.int64()))
        return replaced_at(table[event_id], created, self._known)


def _whole(column: Column) -> Column:
    """In one piece, which it usually is: `combine_chunks` would copy that one."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
