"""Looking at a local store works without MLflow, and says what MLflow would say."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import TypeAdapter

from mlops_core.adapters.registry.mlflow_probe import probe_shelf
from mlops_core.adapters.registry.mlflow_schema import KNOWN_REVISIONS
from mlops_core.adapters.registry.mlflow_shelf import read_shelf
from mlops_core.domain.ledger import Entry
from mlops_core.domain.registry import Submission

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_core.adapters.registry.mlflow import MlflowModelRegistry
    from tests.registry.life import Life

Submit = Callable[..., Submission]

SECOND_RUN = """
import pathlib, sys
from mlops_core.adapters.registry.mlflow import MlflowModelRegistry
from mlops_core.domain.registry import Submission
from mlops_core.domain.ledger import Entry
from mlops_core.domain.standing import Standing
from pydantic import TypeAdapter
home, submission, entries, into = sys.argv[1:]
registry = MlflowModelRegistry(tracking_uri=None, home=pathlib.Path(home))
registry.versions("nobody")
version = registry.register(Submission.model_validate_json(submission))
standing = Standing.of("churn", TypeAdapter(list[Entry]).validate_json(entries))
assert registry.differences(standing) == registry.follow(standing) == []
registry.fetch(version, pathlib.Path(into))
print(version.tags["stage"], "mlflow" in sys.modules, "sqlalchemy" in sys.modules)
"""


@pytest.fixture
def database(home: Path) -> Path:
    """The SQLite file of the store."""
    return home / "mlflow" / "mlflow.db"


@pytest.fixture
def client(database: Path) -> Any:
    """MLflow's own client for the store."""
    from mlflow import MlflowClient

    return MlflowClient(f"sqlite:///{database}", f"sqlite:///{database}")


def test_the_probe_says_what_mlflow_says(
    mlflow_registry: MlflowModelRegistry, submit: Submit, life: Life, client: Any, database: Path
) -> None:
    """Through a life of registrations, decisions, promotions and a deletion, both read the same shelf."""
    first, other = submit("first"), submit("second", metrics={"log_loss": 1e-300, "lift": 3.0000000000000004})
    steps: list[Callable[[], object]] = [
        lambda: mlflow_registry.register(first),
        lambda: mlflow_registry.register(other),
        lambda: mlflow_registry.follow(life.decided(mlflow_registry.register(first))),
        lambda: mlflow_registry.follow(life.promoted(mlflow_registry.register(first))),
        lambda: mlflow_registry.follow(life.promoted(mlflow_registry.register(other))),
        lambda: mlflow_registry.register(submit("third")),
        lambda: mlflow_registry.register(submit("first", name="churn_eu")),
        lambda: client.create_model_version("churn", "file:///made/by/hand"),
        lambda: client.create_model_version("churn", "file:///outrun", tags={"mlops.digest": "first"}),
        lambda: client.delete_model_version("churn", "1"),
    ]
    for step in steps:
        step()
        for name in ("churn", "churn_eu", "CHURN"):
            assert probe_shelf(database, name, patience=1.0) == read_shelf(client, name)
    shelf = read_shelf(client, "churn")
    assert [one.number for one in shelf.records] == [2, 3, 5]
    assert shelf.ledger == life.standing.origin


def test_a_second_run_never_imports_mlflow(
    mlflow_registry: MlflowModelRegistry,
    submit: Submit,
    life: Life,
    home: Path,
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    """With nothing to change, register, follow, differences, versions and fetch do without MLflow."""
    version = mlflow_registry.register(submit())
    life.decided(version)
    life.asked(version)
    mlflow_registry.follow(life.promoted(version))
    into = tmp_path / "into"
    into.mkdir()
    entries = TypeAdapter(list[Entry]).dump_json(list(life.standing.entries)).decode()
    words = [str(home), submit().model_dump_json(), entries, str(into)]
    done = subprocess.run(  # noqa: S603 - our own interpreter and script
        [sys.executable, "-c", SECOND_RUN, *words],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["Production", "False", "False"]


def test_another_schema_is_left_to_mlflow(
    mlflow_registry: MlflowModelRegistry, submit: Submit, database: Path
) -> None:
    """With a revision that the probe was not written for it gives up, and does not guess."""
    mlflow_registry.register(submit())
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'later'")
    assert probe_shelf(database, "churn", patience=1.0) is None


def test_a_table_that_is_not_as_expected_is_left_to_mlflow(
    mlflow_registry: MlflowModelRegistry, submit: Submit, database: Path
) -> None:
    """Where a column is missing the probe gives up as well."""
    mlflow_registry.register(submit())
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("ALTER TABLE registered_model_aliases RENAME COLUMN alias TO nickname")
    assert probe_shelf(database, "churn", patience=1.0) is None


def test_the_installed_mlflow_has_the_schema_that_the_probe_knows(database: Path) -> None:
    """An update of MLflow that changes its schema shows here: read its migrations, then add the revision."""
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone()[0] in KNOWN_REVISIONS
