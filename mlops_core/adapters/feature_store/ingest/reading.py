"""A source's data, read as it is: Parquet, Arrow and queries with their types, CSV as nothing but text."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from mlops_core.adapters.feature_store.ingest.csv_files import csv_header, read_csv
from mlops_core.adapters.feature_store.ingest.files import files_of, is_csv
from mlops_core.adapters.feature_store.ingest.unified import unified
from mlops_core.domain.sources import Query
from mlops_core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlops_core.adapters.feature_store.columns import SourceColumns
    from mlops_core.domain.sources import Data

__all__ = ["SourceRows", "read_source"]

_AGAIN = "then run again. Nothing was stored."


@dataclass(frozen=True, kw_only=True)
class SourceRows:
    """Rows as they came. `text` says that all columns come from CSV; `files` are (name, rows) of several."""

    table: pa.Table
    text: bool = False
    files: tuple[tuple[str, int], ...] = ()


def read_source(data: Data, columns: SourceColumns) -> SourceRows:
    """The columns that are stored and those with rules, in that order, rows as they come.

    In CSV the first line names the columns, blank lines are skipped and an empty field is null. Of a folder,
    or a glob, all Parquet or all CSV files are read in the order of their names; in each the columns may
    stand in another order. Raises `NotFound` when there is nothing, `BadInput` for another kind of file or a
    query that is none and `DataError` for data that cannot be read, lack columns or have no rows.
    """
    names = (*columns.names, *columns.ruled)
    if isinstance(data, pa.Table):
        _check_names(data.column_names, "the Arrow table", columns)
        rows = SourceRows(table=data.select(list(names)))
        what = "the Arrow table"
    elif isinstance(data, Query):
        from mlops_core.adapters.feature_store.ingest.query import (
            run_query,  # an engine is loaded when it is needed
        )

        what = "the result of its query"
        table = run_query(data, columns.source, lambda found: _check_names(found, what, columns), names)
        rows = SourceRows(table=table)
    else:
        what, rows = str(data), _read_files(data, columns, names)
    if not rows.table.num_rows:
        kind = "a query" if isinstance(data, Query) else "a table" if isinstance(data, pa.Table) else "a file"
        raise DataError(f"{columns.source}: {what} has no rows. Give {kind} with events, {_AGAIN}")
    return rows


def _read_files(path: Path, columns: SourceColumns, names: Sequence[str]) -> SourceRows:
    files = files_of(path, columns.source)
    tables = {label: _read_file(file, columns, names) for label, file in files.items()}
    text = is_csv(next(iter(files.values())))
    if len(tables) == 1:
        return SourceRows(table=next(iter(tables.values())), text=text)
    table = unified(tables, columns.source)
    return SourceRows(table=table, text=text, files=tuple((one, tables[one].num_rows) for one in tables))


def _read_file(path: Path, columns: SourceColumns, names: Sequence[str]) -> pa.Table:
    try:
        if is_csv(path):
            header = csv_header(path, columns.source)
            _check_names(header, str(path), columns)
            return read_csv(path, columns.source, header, names)
        with pq.ParquetFile(path) as file:
            _check_names(file.schema_arrow.names, str(path), columns)
            return file.read(columns=list(names)).select(list(names))
    except (pa.ArrowException, OSError, UnicodeError, csv.Error) as error:
        kind = "CSV in UTF-8" if is_csv(path) else "Parquet"
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(
            f"{columns.source}: {path} cannot be read as {kind} ({reason[:200].rstrip('.')}). Write it "
            f"anew, or name it as what it is (.csv or .parquet), {_AGAIN}"
        ) from error


def _check_names(found: Sequence[str], what: str, columns: SourceColumns) -> None:
    twice = [name for name, count in Counter(found).items() if count > 1]
    if twice:
        raise DataError(
            f"{columns.source}: {what} has more than one column named {_listed(twice)}. "
            f"Rename all but one of each, {_AGAIN}"
        )
    missing = [name for name in (*columns.names, *columns.ruled) if name not in found]
    if missing:
        raise DataError(
            f"{columns.source}: {what} lacks {_listed(missing)}; its columns are {_listed(found)}."
            f"{_did_you_mean(missing, found)} Add the columns or mend the definitions, {_AGAIN}"
        )


def _did_you_mean(missing: Sequence[str], found: Sequence[str]) -> str:
    by_lower = {name.lower(): name for name in found}
    near = {name: get_close_matches(name.lower(), by_lower, n=1) for name in missing}
    hints = [f"{by_lower[close[0]]!r} for {name!r}" for name, close in near.items() if close]
    return f" Did you mean {', '.join(hints)}?" if hints else ""


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names)
