"""A source's file, read as it is: Parquet with its types, CSV as nothing but text."""

from __future__ import annotations

import csv
import uuid
from collections import Counter
from difflib import get_close_matches
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from mlops_core.errors import BadInput, DataError, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlops_core.adapters.feature_store.columns import SourceColumns

__all__ = ["is_csv", "read_source"]

_AGAIN = "then run again. Nothing was stored."
_SHOWN = 5


def is_csv(path: Path) -> bool:
    """Whether the file is CSV by its suffix."""
    return path.suffix.lower() == ".csv"


def read_source(path: Path, columns: SourceColumns) -> pa.Table:
    """The named columns of the Parquet or CSV file at `path`, in canonical order, rows as they come.

    In CSV the first line names the columns, blank lines are skipped and an empty field is null. Raises
    `NotFound` without a file, `BadInput` for another kind of file and `DataError` for one that cannot be
    read, lacks columns or has no rows.
    """
    if not path.exists():
        raise NotFound(f"{columns.source}: there is no file {path}. Give the path of its events.")
    if not path.is_file() or path.suffix.lower() not in (".parquet", ".csv"):
        raise BadInput(
            f"{columns.source}: {path} is not a file ending in .parquet or .csv, which are supported. "
            "Give the path of such a file."
        )
    try:
        table = _read_csv(path, columns) if is_csv(path) else _read_parquet(path, columns)
    except (pa.ArrowException, OSError, UnicodeError, csv.Error) as error:
        kind = "CSV in UTF-8" if is_csv(path) else "Parquet"
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(
            f"{columns.source}: {path} cannot be read as {kind} ({reason[:200]}). Write it anew, {_AGAIN}"
        ) from error
    if not table.num_rows:
        raise DataError(f"{columns.source}: {path} has no rows. Give a file with events, {_AGAIN}")
    return table


def _read_parquet(path: Path, columns: SourceColumns) -> pa.Table:
    with pq.ParquetFile(path) as file:
        _check_names(file.schema_arrow.names, path, columns)
        return file.read(columns=list(columns.names)).select(list(columns.names))


def _read_csv(path: Path, columns: SourceColumns) -> pa.Table:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        header = next(filter(None, csv.reader(stream)), [])
    if not header:
        raise DataError(f"{columns.source}: {path} is empty. Give a file with events, {_AGAIN}")
    _check_names(header, path, columns)
    # A last row of our own: a quote that is never closed would swallow it, with all rows before it.
    end = uuid.uuid4().hex
    content = path.read_bytes() + f"\n{','.join([end] * len(header))}\n".encode()
    table, broken = _parse_csv(content, header, columns, threads=True)
    if broken:  # only a single thread knows the numbers of the rows
        _refuse_rows(_parse_csv(content, header, columns, threads=False)[1], path, columns)
    rows = table.num_rows - 1
    if table.column(header[-1])[rows].as_py() != end:
        raise DataError(
            f"{columns.source}: a quote in row {rows + 1:,} of {path} is never closed. Close it, {_AGAIN}"
        )
    return table.select(list(columns.names)).slice(0, rows)


def _parse_csv(
    content: bytes, header: Sequence[str], columns: SourceColumns, *, threads: bool
) -> tuple[pa.Table, list[pacsv.InvalidRow]]:
    """The needed columns and the file's last one, and the rows of another number of fields."""
    broken: list[pacsv.InvalidRow] = []

    def skip(row: pacsv.InvalidRow) -> str:
        broken.append(row)
        return "skip"

    table = pacsv.read_csv(
        pa.BufferReader(content),
        read_options=pacsv.ReadOptions(use_threads=threads),
        parse_options=pacsv.ParseOptions(newlines_in_values=True, invalid_row_handler=skip),
        convert_options=pacsv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()),
            include_columns=list(dict.fromkeys((*columns.names, header[-1]))),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )
    return table, broken


def _refuse_rows(broken: Sequence[pacsv.InvalidRow], path: Path, columns: SourceColumns) -> None:
    # Row 1 is the header.
    shown = "; ".join(f"row {(row.number or 1) - 1:,} has {row.actual_columns}" for row in broken[:_SHOWN])
    raise DataError(
        f"{columns.source}: not every row of {path} has the {broken[0].expected_columns} fields of its "
        f"header, {len(broken):,} differ: {shown}{'; …' if len(broken) > _SHOWN else ''}. Mend or "
        f"remove these rows (a field with a comma or a line break in it needs quotes), {_AGAIN}"
    )


def _check_names(found: Sequence[str], path: Path, columns: SourceColumns) -> None:
    twice = [name for name, count in Counter(found).items() if count > 1]
    if twice:
        raise DataError(
            f"{columns.source}: {path} has more than one column named {_listed(twice)}. "
            f"Rename all but one of each, {_AGAIN}"
        )
    missing = [name for name in columns.names if name not in found]
    if missing:
        raise DataError(
            f"{columns.source}: {path} lacks {_listed(missing)}; its columns are {_listed(found)}."
            f"{_did_you_mean(missing, found)} Add the columns or mend the definitions, {_AGAIN}"
        )


def _did_you_mean(missing: Sequence[str], found: Sequence[str]) -> str:
    by_lower = {name.lower(): name for name in found}
    near = {name: get_close_matches(name.lower(), by_lower, n=1) for name in missing}
    hints = [f"{by_lower[close[0]]!r} for {name!r}" for name, close in near.items() if close]
    return f" Did you mean {', '.join(hints)}?" if hints else ""


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names)
