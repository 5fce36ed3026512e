"""What people change in MLflow by hand is found and put right."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from mlops_core.domain.registry import Submission

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_core.adapters.registry.mlflow import MlflowModelRegistry
    from tests.registry.life import Life
    from tests.registry.mlflow_server import MlflowServer

pytestmark = pytest.mark.live  # the default suite stays under two minutes

Submit = Callable[..., Submission]


@pytest.fixture(params=["mlflow", pytest.param("server", marks=pytest.mark.live)])
def registry(request: pytest.FixtureRequest) -> MlflowModelRegistry:
    """Every MLflow adapter in turn."""
    found: MlflowModelRegistry = request.getfixturevalue(f"{request.param}_registry")
    return found


@pytest.fixture
def client(home: Path, request: pytest.FixtureRequest) -> Any:
    """MLflow's own client, as another program has it."""
    from mlflow import MlflowClient

    if "server" in request.node.callspec.id:
        server: MlflowServer = request.getfixturevalue("mlflow_server")
        return MlflowClient(server.url, server.url)
    uri = f"sqlite:///{home}/mlflow/mlflow.db"
    return MlflowClient(uri, uri)


def test_changes_by_hand_are_found_and_repaired(
    registry: MlflowModelRegistry, submit: Submit, life: Life, client: Any
) -> None:
    """Aliases moved and deleted, tags edited and deleted: each is a sentence, and following undoes it."""
    first, second, third = (registry.register(submit(digest)) for digest in ("first", "second", "third"))
    life.promoted(first)
    life.decided(second)
    standing = life.promoted(second)
    registry.follow(standing)
    shown = registry.versions("churn")
    client.set_registered_model_alias("churn", "production", "3")
    client.set_registered_model_alias("churn", "mine", "3")
    client.delete_registered_model_alias("churn", "archived")
    client.set_model_version_tag("churn", "1", "stage", "Production")
    client.set_model_version_tag("churn", "1", "note", "kept")
    client.set_model_version_tag("churn", "2", "verdict", "rejected")
    client.delete_model_version_tag("churn", "2", "reasons")
    client.set_model_version_tag("churn", "3", "approval", "approved by me")
    client.delete_model_version_tag("churn", "3", "stage")
    found = registry.differences(standing)
    assert found == [
        "alias production points at version 3, by the ledger it is version 2",
        "version 1 is tagged Production, by the ledger it is Archived",
        "version 2 shows verdict rejected, by the ledger it is passed",
        "version 2 shows no reasons, by the ledger there is one",
        "version 3 has a run to be ended",
        "version 3 is not tagged with a stage, by the ledger it is Staging",
        "version 3 shows approval approved by me, by the ledger it is none",
        "alias archived is missing, by the ledger it is version 1",
    ]
    assert registry.follow(standing) == found
    assert registry.differences(standing) == []
    assert client.get_model_version("churn", "1").tags.pop("note") == "kept"
    client.delete_model_version_tag("churn", "1", "note")
    assert registry.versions("churn") == shown
    aliases = {alias: int(number) for alias, number in client.get_registered_model("churn").aliases.items()}
    assert aliases == {"production": 2, "archived": 1, "staging": 3, "mine": 3}
    assert {client.get_run(one.run_id).info.status for one in (first, second, third)} == {"FINISHED"}


def test_deleted_versions_leave_aliases_that_are_true(
    registry: MlflowModelRegistry, submit: Submit, life: Life, client: Any
) -> None:
    """What was deleted cannot be shown; the aliases of what is left are, and none points elsewhere."""
    versions = [registry.register(submit(digest)) for digest in ("first", "second", "third", "fourth")]
    for version in versions[:3]:
        life.promoted(version)
    registry.follow(life.standing)
    client.delete_model_version("churn", "2")
    assert registry.differences(life.standing) == ["alias archived is missing, by the ledger it is version 1"]
    client.delete_model_version("churn", "3")
    client.set_registered_model_alias("churn", "production", "4")
    registry.follow(life.standing)
    assert registry.differences(life.standing) == []
    aliases = client.get_registered_model("churn").aliases
    assert {alias: int(number) for alias, number in aliases.items()} == {"archived": 1, "staging": 4}


def test_a_deleted_name_has_nothing_to_show(
    registry: MlflowModelRegistry, submit: Submit, life: Life, client: Any
) -> None:
    """With the registered model the name of its ledger goes too; what is registered then begins anew."""
    registry.follow(life.promoted(registry.register(submit("first"))))
    client.delete_registered_model("churn")
    assert registry.follow(life.standing) == []
    version = registry.register(submit("second"))
    registry.follow(life.standing)
    assert registry.differences(life.standing) == []
    assert [one.tags["stage"] for one in registry.versions("churn")] == ["Staging"]
    assert version.number == 1


def test_a_run_deleted_by_hand_is_no_obstacle(
    registry: MlflowModelRegistry, submit: Submit, life: Life, client: Any
) -> None:
    """A version without a stage whose run is gone is shown all the same."""
    version = registry.register(submit())
    client.delete_run(version.run_id)
    client.delete_model_version_tag("churn", "1", "stage")
    registry.follow(life.registered(version))
    assert registry.differences(life.standing) == []
