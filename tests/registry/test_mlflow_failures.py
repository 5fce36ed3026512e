"""What goes wrong with a store is said in our words, with what to do."""

from __future__ import annotations

import shutil
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from mlops_core.adapters.registry.mlflow import MlflowModelRegistry
from mlops_core.adapters.registry.mlflow_errors import translated
from mlops_core.adapters.registry.mlflow_location import StoreLocation
from mlops_core.domain.registry import Submission
from mlops_core.errors import BadInput, IntegrityError, MlopsError, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

Submit = Callable[..., Submission]


pytestmark = pytest.mark.live


@pytest.fixture
def database(home: Path) -> Path:
    """The SQLite file of the store."""
    return home / "mlflow" / "mlflow.db"


def model_file(home: Path, name: str) -> Path:
    (found,) = (home / "mlflow" / "artifacts").glob(f"models/*/artifacts/model/{name}")
    return found


@pytest.mark.parametrize("mode", ["IMMEDIATE", "EXCLUSIVE"])
def test_a_locked_database_is_unavailable_soon(
    mlflow_registry: MlflowModelRegistry, submit: Submit, database: Path, mode: str
) -> None:
    """A database that another program holds is worth a retry, and is given up after `patience` seconds."""
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute(f"BEGIN {mode}")
        with pytest.raises(Unavailable, match=r"mlflow\.db is locked by another process"):
            mlflow_registry.register(submit())
        if mode == "EXCLUSIVE":
            with pytest.raises(Unavailable, match="is locked by another process"):
                mlflow_registry.versions("churn")
        other.execute("ROLLBACK")
    assert mlflow_registry.register(submit()).number == 1


@pytest.mark.parametrize("content", [b"not SQLite at all " * 100, b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_file_that_is_no_database_is_an_integrity_error(
    mlflow_registry: MlflowModelRegistry, submit: Submit, database: Path, content: bytes
) -> None:
    """A corrupt file is named, for reading and for writing, and not touched."""
    database.write_bytes(content)
    for use in (lambda: mlflow_registry.versions("churn"), lambda: mlflow_registry.register(submit())):
        with pytest.raises(IntegrityError, match=r"mlflow\.db is not an intact SQLite database"):
            use()
    assert database.read_bytes() == content


def test_a_database_of_another_program_is_left_alone(
    mlflow_registry: MlflowModelRegistry, submit: Submit, database: Path
) -> None:
    """MLflow would put its tables into any SQLite file; a file that is not its own is refused."""
    database.unlink()
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE accounts (id)")
    before = database.read_bytes()
    for use in (lambda: mlflow_registry.versions("churn"), lambda: mlflow_registry.register(submit())):
        with pytest.raises(IntegrityError, match=r"mlflow\.db is a SQLite database, but not one of MLflow's"):
            use()
    assert database.read_bytes() == before


@pytest.mark.parametrize(
    ("revision", "remedy"),
    [("451aebb31d03", "run `mlflow db upgrade sqlite:///"), ("ffffffffffff", "update mlflow-skinny")],
)
def test_a_schema_of_another_mlflow_is_not_migrated(
    mlflow_registry: MlflowModelRegistry, submit: Submit, database: Path, revision: str, remedy: str
) -> None:
    """MLflow would migrate an older database in place, where being killed destroys it: its owner shall."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    with pytest.raises(MlopsError, match=remedy):
        mlflow_registry.register(submit())
    with pytest.raises(MlopsError, match=remedy):
        mlflow_registry.versions("churn")


def test_a_server_out_of_reach_is_unavailable(tmp_path: Path) -> None:
    """A server that does not answer is named, with what to do, and no password is shown."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else answers there
        port = taken.getsockname()[1]
        registry = MlflowModelRegistry(tracking_uri=f"http://me:secret@127.0.0.1:{port}", home=tmp_path)
        with pytest.raises(
            Unavailable, match=r"cannot be reached.*Start it or mend the tracking URI"
        ) as raised:
            registry.versions("churn")
    assert f"http://me:***@127.0.0.1:{port}" in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "mlruns",
        "file:///tmp/mlruns",
        "ftp://host/x",
        "http://",
        "databricks",
        "sqlite://",
        "sqlite:///:memory:",
    ],
)
def test_a_tracking_uri_of_an_unknown_kind_is_refused(tmp_path: Path, uri: str) -> None:
    """What cannot be a store, or not one that processes share, is refused before anything is written."""
    with pytest.raises(BadInput, match="tracking URI"):
        MlflowModelRegistry(tracking_uri=uri, home=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path, submit: Submit) -> None:
    """Where the folder cannot be made the message names it, and the setting that chooses it."""
    (tmp_path / "home").write_text("a file, where a folder should be")
    registry = MlflowModelRegistry(tracking_uri=None, home=tmp_path / "home")
    with pytest.raises(MlopsError, match=r"home/mlflow \(or set MLOPS_HOME to another\)"):
        registry.register(submit())


def test_a_read_only_database_is_told_from_a_broken_one(database: Path, tmp_path: Path) -> None:
    """SQLite's refusal to write names the folder; it is neither damage nor worth a retry."""
    location = StoreLocation.of(None, tmp_path / "home é")
    with (
        closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection,
        pytest.raises(MlopsError, match=r"cannot be written.*home é/mlflow") as raised,
        translated(location),
    ):
        connection.execute("DELETE FROM alembic_version")
    assert type(raised.value) is MlopsError


@pytest.mark.parametrize("name", ["model.skops", "model.json", "notes/fit.txt"])
def test_a_changed_byte_is_found_and_named(
    mlflow_registry: MlflowModelRegistry, submit: Submit, home: Path, tmp_path: Path, name: str
) -> None:
    """Any file of the model that is not as it was registered is named, and nothing is handed out."""
    version = mlflow_registry.register(submit())
    path = model_file(home, name)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    into = tmp_path / "into"
    into.mkdir()
    with pytest.raises(IntegrityError, match=f"{name} was changed after it was registered"):
        mlflow_registry.fetch(version, into)
    assert list(into.iterdir()) == []
    path.unlink()
    with pytest.raises(IntegrityError, match=f"{name} is missing"):
        mlflow_registry.fetch(version, into)


def test_file_names_that_lead_out_of_the_folder_are_refused(
    mlflow_registry: MlflowModelRegistry, submit: Submit, database: Path, tmp_path: Path
) -> None:
    """Whoever can write tags cannot make a fetch write outside its folder."""
    version = mlflow_registry.register(submit())
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "UPDATE model_version_tags SET value = ? WHERE key = 'mlops.files'", ('{"../../stolen": "0"}',)
        )
    (tmp_path / "into").mkdir()
    with pytest.raises(IntegrityError, match="outside the model"):
        mlflow_registry.fetch(version, tmp_path / "into")


def test_a_version_of_another_registry_is_not_fetched(
    mlflow_registry: MlflowModelRegistry, submit: Submit, tmp_path: Path
) -> None:
    """A version with the number, but not the digest, of one that is here is refused."""
    version = mlflow_registry.register(submit())
    other = version.model_copy(update={"digest": "elsewhere"})
    with pytest.raises(IntegrityError, match="registered under digest first, not elsewhere"):
        mlflow_registry.fetch(other, tmp_path)


def test_a_name_that_mlflow_cannot_keep_is_refused(
    mlflow_registry: MlflowModelRegistry, submit: Submit
) -> None:
    """Such a name is refused before a run is made of it; nothing can be registered under it."""
    for name in ("it's", "a/b", "a:b", " "):
        with pytest.raises(BadInput, match="cannot register the model name"):
            mlflow_registry.register(submit(name=name))
        assert mlflow_registry.versions(name) == []


def test_what_mlflow_refuses_leaves_no_model(
    mlflow_registry: MlflowModelRegistry, submit: Submit, database: Path
) -> None:
    """When MLflow refuses a submission half way, its run is ended and its model deleted at once."""
    with pytest.raises(BadInput, match=r"refuses what was given.*candidate/one"):
        mlflow_registry.register(submit(candidate="candidate/one"))
    assert mlflow_registry.versions("churn") == []
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT status FROM runs").fetchall() == [("KILLED",)]
        active = "SELECT * FROM logged_models WHERE lifecycle_stage = 'active'"
        assert connection.execute(active).fetchall() == []


def test_a_deleted_experiment_can_be_mended(
    mlflow_registry: MlflowModelRegistry, submit: Submit, database: Path
) -> None:
    """The command that brings a deleted experiment back is part of the message."""
    mlflow_registry.register(submit())
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE experiments SET lifecycle_stage = 'deleted' WHERE name = 'churn'")
    with pytest.raises(BadInput, match="mlflow experiments restore --experiment-id 1"):
        mlflow_registry.register(submit("second"))


def test_the_state_folder_can_be_moved(
    mlflow_registry: MlflowModelRegistry, submit: Submit, home: Path, tmp_path: Path
) -> None:
    """In a moved folder, models are found again, and new ones go there and not to where it was."""
    version = mlflow_registry.register(submit())
    moved = tmp_path / "moved"
    shutil.move(home, moved)
    registry = MlflowModelRegistry(tracking_uri=None, home=moved)
    for one in (version, registry.register(submit("second"))):
        into = tmp_path / str(one.number)
        into.mkdir()
        registry.fetch(one, into)
        assert (into / "model.skops").exists()
    assert not home.exists()
