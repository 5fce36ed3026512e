"""Model files that MLflow keeps of logged models which were deleted: what killed registrations leave.

Whoever registers sweeps away what an earlier attempt left, by deleting its logged model; MLflow marks it as
deleted and keeps the files. Only the store of a state folder is looked at, database and files being both its
own: what another database knows of a folder of files, nobody can tell here.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from filelock import FileLock, Timeout

from mlops_core.adapters.registry.mlflow_errors import translated
from mlops_core.adapters.registry.mlflow_schema import KNOWN_REVISIONS, connect, is_fresh, revision_of
from mlops_core.disk import translated as disk_translated

if TYPE_CHECKING:
    import sqlite3

    from mlops_core.adapters.registry.mlflow_location import StoreLocation

__all__ = ["MlflowLeftovers"]

_MODELS = """
SELECT model_id, logged_models.lifecycle_stage, experiments.name FROM logged_models
JOIN experiments ON experiments.experiment_id = logged_models.experiment_id
"""
_SOURCES = "SELECT source FROM model_versions WHERE current_stage IS NOT 'Deleted_Internal'"


class MlflowLeftovers:
    """The files of deleted logged models in the store at a location; none where the store is not our own."""

    def __init__(self, location: StoreLocation, *, patience: float = 10.0) -> None:
        self._location, self._patience = location, patience

    def folders(self) -> list[tuple[Path, str | None]]:
        """Folders of files that no version and no model refers to, each with the name of its experiment.

        That is None where MLflow has forgotten the model altogether. Raises `Unavailable` and its siblings
        when the database cannot be read.
        """
        root = self._root()
        if root is None or not root.is_dir():
            return []
        with translated(self._location):
            known = self._known()
        if known is None:
            return []
        models, sources = known
        return [
            (folder, models.get(folder.name, (None, None))[1])
            for folder in sorted(root.iterdir())
            if models.get(folder.name, ("deleted", None))[0] == "deleted"
            and not any(folder.name in Path(source).parts for source in sources)
        ]

    def discard(self, folder: Path) -> bool:
        """Remove one of them; False when it is referred to by now, or somebody is registering."""
        try:
            with FileLock(self._location.lock, timeout=0):
                if folder not in {found for found, _ in self.folders()}:
                    return False
                with disk_translated("remove model files", folder.parent):
                    shutil.rmtree(folder)
                return True
        except Timeout:
            return False

    def _root(self) -> Path | None:
        location = self._location
        if location.database is None or location.artifacts is None or is_fresh(location.database):
            return None
        root = Path(unquote(urlsplit(location.artifacts).path))
        return root / "models" if root.parent == location.database.parent else None

    def _known(self) -> tuple[dict[str, tuple[str, str]], list[str]] | None:
        """Stage and experiment of every logged model, and where versions have their files."""
        assert self._location.database is not None  # noqa: S101 - looked at by `_root`
        with connect(self._location.database, mode="ro", patience=self._patience) as connection:
            connection.execute("BEGIN")
            if revision_of(connection) not in KNOWN_REVISIONS:
                return None
            models = {model: (stage, name) for model, stage, name in _rows(connection, _MODELS)}
            return models, [unquote(source) for (source,) in _rows(connection, _SOURCES)]


def _rows(connection: sqlite3.Connection, query: str) -> list[tuple[str, ...]]:
    return list(connection.execute(query))
