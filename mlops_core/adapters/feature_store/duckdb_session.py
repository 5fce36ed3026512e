"""Connections to DuckDB that leave no trace, and its errors as ours."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import duckdb

from mlops_core.errors import BadInput, DataError, IntegrityError, MlopsError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["duckdb_session"]


@contextmanager
def duckdb_session(*, threads: int | None, memory_limit: str | None) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory database of its own. It downloads nothing and spills to a folder that goes with it.

    Raises `BadInput` for settings it does not take, `DataError` when a number leaves its type's range,
    `IntegrityError` when a file cannot be read, and `MlopsError` for anything else that DuckDB objects to.
    """
    with tempfile.TemporaryDirectory(prefix="mlops-duckdb-") as folder:
        config: dict[str, Any] = {
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_persistent_secrets": False,
            "home_directory": folder,
            "temp_directory": folder,
        }
        if threads is not None:
            config["threads"] = threads
        if memory_limit is not None:
            config["memory_limit"] = memory_limit
        try:
            connection = duckdb.connect(":memory:", config=config)
        except duckdb.Error as error:
            raise BadInput(f"DuckDB does not take its settings: {_said(error)}. Mend them.") from error
        try:
            with connection:
                yield connection
        except duckdb.Error as error:
            raise _translated(error) from error


def _said(error: duckdb.Error) -> str:
    return (str(error).splitlines() or [""])[0]


def _translated(error: duckdb.Error) -> MlopsError:
    said = _said(error)
    match error:
        case duckdb.OutOfRangeException():
            return DataError(f"a sum leaves the range of its column's type ({said}). Store it as a float.")
        case duckdb.OutOfMemoryException():
            return MlopsError(
                f"DuckDB has too little memory or room to spill ({said}). Raise its memory limit, make room "
                f"in {tempfile.gettempdir()}, or ask for fewer rows at once."
            )
        case duckdb.InvalidInputException() | duckdb.IOException():
            return IntegrityError(f"DuckDB cannot read the events ({said}). Ingest their source again.")
        case _ if type(error) is duckdb.Error:  # what its Parquet reader raises for pages that make no sense
            return IntegrityError(f"DuckDB cannot read the events ({said}). Ingest their source again.")
        case _:
            return MlopsError(f"DuckDB failed: {said}")
