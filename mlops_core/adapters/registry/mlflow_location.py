"""Which MLflow store a tracking URI means."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mlops_core.errors import BadInput

__all__ = ["StoreLocation"]

_SERVERS = ("http", "https")
_DATABASES = ("mssql", "mysql", "postgresql")
_SQLITE = "sqlite:///"


@dataclass(frozen=True, kw_only=True)
class StoreLocation:
    """A store's URI and the paths that go with it; `database` is the file of a SQLite store.

    `artifacts` is where the files of a new experiment go, None where a server decides that. `lock` is the
    file that writers on this host lock: beside the SQLite file, so that all who use it meet there.
    """

    uri: str
    folder: Path
    lock: Path
    database: Path | None = None
    artifacts: str | None = None

    @classmethod
    def of(cls, tracking_uri: str | None, home: Path) -> StoreLocation:
        """The store that `tracking_uri` means, or the SQLite file below `home` when it is None.

        A relative SQLite path counts from the working directory. Raises `BadInput` for any other kind of URI,
        MLflow's folders of files (`./mlruns`) among them: several processes cannot share those.
        """
        folder = home.absolute() / "mlflow"
        scheme = urlsplit(tracking_uri or "").scheme.partition("+")[0]
        if tracking_uri is None or tracking_uri.startswith(_SQLITE):
            database = folder / "mlflow.db" if tracking_uri is None else _file(tracking_uri)
            return cls(
                uri=f"{_SQLITE}{_speakable(database)}",
                folder=database.parent,
                lock=database.with_name(f"{database.name}.lock"),
                database=database,
                artifacts=(folder / "artifacts").as_uri(),
            )
        if scheme not in (*_SERVERS, *_DATABASES) or not urlsplit(tracking_uri).hostname:
            raise BadInput(
                f"the tracking URI {tracking_uri!r} is of no kind that we know: give http(s)://host:port, "
                f"{_SQLITE}/path/to/mlflow.db or a database ({', '.join(_DATABASES)}), or none for a SQLite "
                "file below the home folder."
            )
        artifacts = None if scheme in _SERVERS else (folder / "artifacts").as_uri()
        return cls(uri=tracking_uri, folder=folder, lock=folder / "registry.lock", artifacts=artifacts)

    @property
    def is_shared(self) -> bool:
        """Whether other hosts may write to it: those that do not meet at our lock."""
        return self.database is None

    @property
    def shown(self) -> str:
        """The URI for messages, without its password."""
        return self.redacted(self.uri)

    def redacted(self, text: str) -> str:
        """A text that may cite the URI, without its password."""
        password = urlsplit(self.uri).password if self.database is None else None
        return text.replace(f":{password}@", ":***@") if password else text

    @property
    def remedy(self) -> str:
        """What to do when the store cannot be reached or written."""
        if self.database is None:
            return "Start it or mend the tracking URI, and run the same again."
        return f"Look at the folder {self.folder} (or set MLOPS_HOME to another), and run the same again."


def _file(tracking_uri: str) -> Path:
    path = tracking_uri.removeprefix(_SQLITE)
    if not path or path.startswith((":memory:", "file:")) or path.endswith("/"):
        raise BadInput(f"the tracking URI {tracking_uri!r} names no file; give {_SQLITE}/path/to/mlflow.db.")
    return Path(path).absolute()


def _speakable(database: Path) -> Path:
    if "?" in str(database):
        raise BadInput(f"a SQLite URI cannot name {database}: choose a folder without a question mark.")
    return database
