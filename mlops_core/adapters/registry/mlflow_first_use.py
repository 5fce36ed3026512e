"""First use of a SQLite store.

MLflow migrates a fresh database in place, through some 60 revisions. Processes that race there break each
other, and one killed there leaves a database that never opens again (mlflow #19299, #23721). So, under the
store's lock, the migrations run on a file of another name, which becomes the database in one step once it is
complete and on the disk. A draft that a killed process left is thrown away by the next.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from mlops_core.disk import sync

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["create_database"]


def create_database(database: Path, artifacts: str) -> None:
    """Make the database, its default experiment's files going to the URI `artifacts`. Hold the lock."""
    draft = database.with_name(f"{database.name}.new")
    for leftover in (draft, draft.with_name(f"{draft.name}-journal")):
        leftover.unlink(missing_ok=True)
    _migrate(draft, artifacts)
    sync(draft)
    os.replace(draft, database)  # noqa: PTH105 - the steps stand together under their POSIX names
    sync(database.parent)


def _migrate(draft: Path, artifacts: str) -> None:
    from mlflow.store.db.utils import create_sqlalchemy_engine
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
    from sqlalchemy import event

    class DraftStore(SqlAlchemyStore):  # type: ignore[misc]  # MLflow is untyped to us
        # Own engine: MLflow keeps its engines for good, and waits for the disk after each statement, which
        # takes most of the time and is of no use before the end.
        @classmethod
        def _get_or_create_engine(cls, db_uri: str) -> Any:
            engine = create_sqlalchemy_engine(db_uri)
            event.listen(engine, "connect", lambda one, _: one.execute("PRAGMA synchronous = OFF"))
            return engine

    DraftStore(f"sqlite:///{draft}", artifacts).engine.dispose()
