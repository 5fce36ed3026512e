"""Canonical events as files: written whole or not at all, and opened with their columns known."""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from mlops_core.disk import sync
from mlops_core.errors import DataError, IntegrityError, MlopsError, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["events_schema", "write_events"]

_ROW_GROUP = 122_880  # what DuckDB reads as one unit of parallel work


def write_events(events: pa.Table, into: Path) -> None:
    """Write `events` as Parquet: beside `into` first, flushed to disk, then renamed over it.

    Raises `MlopsError` when the folder cannot be written to; a file that was at `into` is then unharmed.
    """
    beside = into.with_name(f".{into.name}.{uuid.uuid4().hex}.tmp")
    try:
        into.parent.mkdir(parents=True, exist_ok=True)
        try:
            with beside.open("xb") as stream:
                pq.write_table(
                    events, stream, compression="zstd", row_group_size=_ROW_GROUP, write_page_checksum=True
                )
                stream.flush()
                os.fsync(stream.fileno())
            beside.replace(into)
        finally:
            beside.unlink(missing_ok=True)
        sync(into.parent)
    except OSError as error:
        raise MlopsError(
            f"cannot write {into}: {error.strerror or error}. Make the folder writable or make room, then "
            "run again. Nothing was stored."
        ) from error


def events_schema(path: Path, needed: Iterable[str]) -> pa.Schema:
    """Schema of the canonical events at `path`, which must have the `needed` columns.

    Every page is checked against its checksum first, as DuckDB reads damaged ones without a word. Raises
    `NotFound` without the file, `IntegrityError` when it is damaged, and `DataError` when it was ingested
    for definitions that read less.
    """
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            schema = file.schema_arrow
            for _ in file.iter_batches():
                pass
    except FileNotFoundError as error:
        raise NotFound(f"there are no events at {path}. Ingest their source first.") from error
    except (pa.ArrowException, OSError) as error:
        raise IntegrityError(
            f"the events at {path} are damaged and cannot be read. Delete that file and ingest its source "
            "again."
        ) from error
    missing = [name for name in needed if name not in schema.names]
    if missing:
        raise DataError(
            f"the events at {path} lack {', '.join(map(repr, missing))}: they were ingested for other "
            "definitions. Ingest their source again."
        )
    return schema
