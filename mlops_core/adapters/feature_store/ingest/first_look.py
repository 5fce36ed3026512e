"""All columns of events that nothing was said about yet, each as what its values can be read as."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mlops_core.adapters.feature_store import values
from mlops_core.adapters.feature_store.columns import SourceColumns
from mlops_core.adapters.feature_store.ingest.csv_files import csv_header
from mlops_core.adapters.feature_store.ingest.files import files_of, is_csv
from mlops_core.adapters.feature_store.ingest.reading import read_source
from mlops_core.adapters.feature_store.instants import TIMESTAMP, instants, is_text
from mlops_core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlops_core.adapters.feature_store.instants import Column, Converted
    from mlops_core.domain.sources import ColumnType

__all__ = ["read_all"]

_DAY = r"^\s*\d{4}-\d\d-\d\d\s*\z"


def read_all(path: Path, source: str) -> tuple[pa.Table, dict[str, ColumnType]]:
    """The rows as they came, and of each column that definitions can read the kind of its values.

    Columns of a kind have its type: times are timestamp[us, UTC] (a date the close of its day, see
    `mlops_core.domain.time`), keys int64 or string, as ingestion makes them. A column without a kind (lists,
    binary, nothing but nulls) is as it was. Reads the same files in the same way as ingestion, and raises as
    it does: see `read_source`.
    """
    names = _names(path, source)
    wanted = SourceColumns(source=source, keys=tuple(names), event_timestamp=names[0], created_timestamp=None)
    rows = read_source(path, wanted)
    columns, kinds = {}, {}
    for name in names:
        column = values.plain(rows.table.column(name))
        found = next(_readings(column, text=rows.text), None)
        columns[name] = column if found is None else found[1]
        if found is not None:
            kinds[name] = found[0]
    return pa.table(columns), kinds


def _names(path: Path, source: str) -> list[str]:
    """The columns of the first file; one that lacks some of them is refused when it is read."""
    file = next(iter(files_of(path, source).values()))
    try:
        names = csv_header(file, source) if is_csv(file) else list(pq.read_schema(file).names)
    except (pa.ArrowException, OSError, UnicodeError) as error:
        kind = "CSV in UTF-8" if is_csv(file) else "Parquet"
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(
            f"{source}: {file} cannot be read as {kind} ({reason[:200].rstrip('.')}). Write it "
            "anew, or name it as what it is (.csv or .parquet)."
        ) from error
    if not names:
        raise DataError(f"{source}: {file} has no columns. Give a file with events.")
    return names


def _readings(column: Column, *, text: bool) -> Iterator[tuple[ColumnType, Column]]:
    """What the column can be read as, most particular first; `text` says that it comes from CSV."""
    kind = column.type
    if column.null_count == len(column):
        return
    if is_text(kind):
        yield from _of_text(column.cast(pa.string()), text=text)
    elif pa.types.is_boolean(kind):
        yield "boolean", column
    elif pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        found = instants(column)
        if found is not None:
            yield ("date" if pa.types.is_date(kind) else "timestamp"), found.values.cast(TIMESTAMP)
    elif pa.types.is_integer(kind):
        yield from _fine("integer", values.numeric(column))
    else:
        yield from _fine("number", values.numeric(column))


def _of_text(column: Column, *, text: bool) -> Iterator[tuple[ColumnType, Column]]:
    times = instants(column)
    if times is not None and not _broken(times):
        days = pc.all(pc.match_substring_regex(column, _DAY)).as_py()
        yield ("date" if days else "timestamp"), times.values.cast(TIMESTAMP)
    if text:
        truths = pc.is_in(pc.utf8_lower(pc.utf8_trim_whitespace(column)), pa.array(["true", "false"]))
        if pc.sum(truths).as_py() == len(column) - column.null_count:
            yield from _fine("boolean", values.boolean(column, text=True))
        as_key = values.key(column, text=True)
        if as_key is not None and pa.types.is_integer(as_key.values.type):
            yield from _fine("integer", as_key)
        digits = pc.all(
            pc.match_substring_regex(column, r"^[+-]?\d+\z")
        ).as_py()  # such as 007, which is text
        if not digits:
            yield from _fine("number", values.numeric(column, text=True))
    yield "text", column


def _fine(kind: ColumnType, found: Converted | None) -> Iterator[tuple[ColumnType, Column]]:
    if found is not None and not _broken(found):
        yield kind, found.values


def _broken(found: Converted) -> bool:
    return any(mask.any() for _, mask in found.broken)
