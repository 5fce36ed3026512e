"""A look into MLflow's SQLite file without MLflow, the import of which takes longer than most runs.

Only what MLflow 3.17 is known to write is read; anything else, and the caller asks MLflow.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from mlops_core.adapters.registry.mlflow_schema import KNOWN_REVISIONS, connect, revision_of
from mlops_core.adapters.registry.mlflow_shelf import LEDGER, record_of
from mlops_core.adapters.registry.shelf import Shelf

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["probe_shelf"]

_VERSIONS = """
SELECT version, creation_time, run_id, source FROM model_versions
WHERE workspace = 'default' AND name = ? AND current_stage IS NOT 'Deleted_Internal' ORDER BY version
"""
_TAGS = "SELECT version, key, value FROM model_version_tags WHERE workspace = 'default' AND name = ?"
_LEDGER = "SELECT value FROM registered_model_tags WHERE workspace = 'default' AND name = ? AND key = ?"
_ALIASES = "SELECT alias, version FROM registered_model_aliases WHERE workspace = 'default' AND name = ?"


def probe_shelf(database: Path, name: str, *, patience: float) -> Shelf | None:
    """The shelf of a name, all of one moment; None when the file is not what this was written for.

    Raises `sqlite3.OperationalError` when the database stays locked for `patience` seconds.
    """
    try:
        with connect(database, mode="ro", patience=patience) as connection:
            connection.execute("BEGIN")
            if revision_of(connection) not in KNOWN_REVISIONS:
                return None
            return _read(connection, name)
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):
            raise
        return None


def _read(connection: sqlite3.Connection, name: str) -> Shelf:
    tags: dict[int, dict[str, str]] = {}
    for number, key, value in connection.execute(_TAGS, (name,)):
        tags.setdefault(number, {})[key] = value
    records = [
        record_of(number=number, created_ms=created, run_id=run_id, source=source, tags=tags.get(number, {}))
        for number, created, run_id, source in connection.execute(_VERSIONS, (name,))
    ]
    aliases = dict(connection.execute(_ALIASES, (name,)))
    ledger = connection.execute(_LEDGER, (name, LEDGER)).fetchone()
    return Shelf.of(name, records, aliases, ledger[0] if ledger else None)
