"""The schema of MLflow's SQLite file: is it one, whose, and may we write."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from mlops_core.errors import IntegrityError, MlopsError

if TYPE_CHECKING:
    from mlops_core.adapters.registry.mlflow_location import StoreLocation

__all__ = ["KNOWN_REVISIONS", "check_schema", "connect", "is_fresh", "revision_of"]

KNOWN_REVISIONS = frozenset({"dc11669786a5"})
"""Schema revisions that our own queries were written for: MLflow 3.17."""


def is_fresh(database: Path) -> bool:
    """Whether nothing was ever stored there."""
    return not database.exists() or database.stat().st_size == 0


def connect(database: Path, *, mode: str, patience: float) -> closing[sqlite3.Connection]:
    """A connection to an existing file (`mode` "ro" or "rw") that waits `patience` seconds for locks."""
    address = f"file:{quote(str(database))}?mode={mode}"
    return closing(sqlite3.connect(address, uri=True, timeout=patience, isolation_level=None))


def revision_of(connection: sqlite3.Connection) -> str | None:
    """The schema's revision; None when this is not a database of MLflow's."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def check_schema(location: StoreLocation, database: Path, *, patience: float) -> None:
    """Prove that the installed MLflow can use the database, now.

    MLflow itself would migrate whatever it finds in place, and wait minutes for a lock. Raises
    `IntegrityError` for a file that is no MLflow database, `MlopsError` for one of another version, and
    SQLite's own error when it cannot be read and written within `patience` seconds.
    """
    with connect(database, mode="rw", patience=patience) as connection:
        revision = revision_of(connection)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    if revision is None:
        raise IntegrityError(
            f"{database} is a SQLite database, but not one of MLflow's. "
            "Name another file in the tracking URI, or move this one away."
        )
    if revision not in KNOWN_REVISIONS:
        _check_head(location, revision)


def _check_head(location: StoreLocation, revision: str) -> None:
    from alembic.script import ScriptDirectory
    from mlflow.store import db_migrations

    scripts = ScriptDirectory(str(Path(next(iter(db_migrations.__path__)))))
    if revision == scripts.get_current_head():
        return
    older = any(script.revision == revision for script in scripts.walk_revisions())
    what = f"back it up and run `mlflow db upgrade {location.shown}`" if older else "update mlflow-skinny"
    raise MlopsError(
        f"the registry {location.shown} has schema revision {revision}, "
        f"the installed MLflow needs {scripts.get_current_head()}: {what}."
    )
