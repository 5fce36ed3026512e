"""CSV files, read as nothing but text, and refused where their rows cannot be told apart."""

from __future__ import annotations

import csv
import uuid
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv as pacsv

from mlops_core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["csv_header", "read_csv"]

_AGAIN = "then run again. Nothing was stored."
_SHOWN = 5


def csv_header(path: Path, source: str) -> list[str]:
    """The fields of the first line that is not blank. Raises `DataError` without one."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        header = next(filter(None, csv.reader(stream)), [])
    if not header:
        raise DataError(f"{source}: {path} is empty. Give a file with events, {_AGAIN}")
    return header


def read_csv(path: Path, source: str, header: Sequence[str], names: Sequence[str]) -> pa.Table:
    """The columns `names` as text; blank lines are skipped and an empty field is null.

    Raises `DataError` for rows of another number of fields than the header, and for a quote never closed.
    """
    # A last row of our own: a quote that is never closed would swallow it, with all rows before it.
    end = uuid.uuid4().hex
    content = path.read_bytes() + f"\n{','.join([end] * len(header))}\n".encode()
    table, broken = _parsed(content, header, names, threads=True)
    if broken:  # only a single thread knows the numbers of the rows
        _refuse(_parsed(content, header, names, threads=False)[1], path, source)
    rows = table.num_rows - 1
    if table.column(header[-1])[rows].as_py() != end:
        raise DataError(
            f"{source}: a quote in row {rows + 1:,} of {path} is never closed. Close it, {_AGAIN}"
        )
    return table.select(list(names)).slice(0, rows)


def _parsed(
    content: bytes, header: Sequence[str], names: Sequence[str], *, threads: bool
) -> tuple[pa.Table, list[pacsv.InvalidRow]]:
    """The named columns and the file's last one, and the rows of another number of fields."""
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
            include_columns=list(dict.fromkeys((*names, header[-1]))),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )
    return table, broken


def _refuse(broken: Sequence[pacsv.InvalidRow], path: Path, source: str) -> None:
    # Row 1 is the header.
    shown = "; ".join(f"row {(row.number or 1) - 1:,} has {row.actual_columns}" for row in broken[:_SHOWN])
    raise DataError(
        f"{source}: not every row of {path} has the {broken[0].expected_columns} fields of its "
        f"header, {len(broken):,} differ: {shown}{'; …' if len(broken) > _SHOWN else ''}. Mend or "
        f"remove these rows (a field with a comma or a line break in it needs quotes), {_AGAIN}"
    )
