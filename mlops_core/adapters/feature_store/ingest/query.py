"""Sources that are the result of a SQL query, run by DuckDB on this machine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import duckdb

from mlops_core.adapters.feature_store.duckdb_session import duckdb_session
from mlops_core.errors import BadInput, DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa

    from mlops_core.domain.sources import Query

__all__ = ["run_query"]

_AGAIN = "then run again. Nothing was stored."
_NOT_UNDERSTOOD = (
    duckdb.ParserException,
    duckdb.SyntaxException,
    duckdb.BinderException,
    duckdb.CatalogException,
)
_READS = ("select", "with", "from", "values", "(")


def run_query(
    query: Query, source: str, check: Callable[[Sequence[str]], None], names: Sequence[str]
) -> pa.Table:
    """The columns `names` of a query's result, once `check` has seen the names of all its columns.

    Raises `BadInput` for anything but one statement that only reads and for one that DuckDB does not
    understand, and `DataError` when it fails on the data. Instants without a zone are UTC.
    """
    with duckdb_session(threads=None, memory_limit=None) as connection:
        try:
            connection.execute("SET TimeZone = 'UTC'")
            statement = _statement(connection, query, source)
            result = connection.sql(statement)
            check(result.columns)
            if len({name.lower() for name in result.columns}) == len(result.columns):
                result = result.project(", ".join(map(_quoted, names)))
            return result.to_arrow_table().select(list(names))
        except (duckdb.OutOfMemoryException, duckdb.InterruptException):
            raise  # no fault of the query: the session has words for it
        except _NOT_UNDERSTOOD as error:
            raise BadInput(f"{source}: its query is not understood ({_said(error)}). Mend it.") from error
        except duckdb.Error as error:
            raise DataError(
                f"{source}: its query failed ({_said(error)}). Mend it or the data it reads, {_AGAIN}"
            ) from error


def _statement(connection: duckdb.DuckDBPyConnection, query: Query, source: str) -> str:
    kinds = [one.type for one in connection.extract_statements(query.sql)]
    text = re.sub(r"\A(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*", "", query.sql, flags=re.DOTALL).lower()
    if kinds != [duckdb.StatementType.SELECT] or not text.startswith(_READS):
        came = " and ".join(kind.name for kind in kinds[:3]) or "none"
        raise BadInput(
            f"{source}: its query must be one statement that only reads, beginning with SELECT, WITH, FROM "
            f"or VALUES; this one is {text.split(maxsplit=1)[0] if len(kinds) == 1 else came}. Mend it."
        )
    return query.sql


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _said(error: duckdb.Error) -> str:
    """DuckDB's first line; a failed conversion would quote the value, which is no one's business."""
    said = (str(error).splitlines() or [""])[0]
    if isinstance(error, (*_NOT_UNDERSTOOD, duckdb.IOException)):
        return said[:300]
    return re.sub(r"'[^']*'|\"[^\"]*\"|\d[\d.,]*", "…", said)[:300]
