"""What differs when the registry is a server that others write to as well."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlops_core.adapters.registry.mlflow import MlflowModelRegistry
from mlops_core.domain.digest import digest_file, file_digests
from mlops_core.domain.registry import Submission
from mlops_core.errors import BadInput, Unavailable

if TYPE_CHECKING:
    from tests.registry.life import Life
    from tests.registry.mlflow_server import MlflowServer

pytestmark = pytest.mark.live
Submit = Callable[..., Submission]


@pytest.fixture
def elsewhere(mlflow_server: MlflowServer, tmp_path: Path) -> MlflowModelRegistry:
    """The same server, from another host."""
    return MlflowModelRegistry(tracking_uri=mlflow_server.url, home=tmp_path / "elsewhere")


def test_two_homes_share_what_is_on_the_server(
    server_registry: MlflowModelRegistry,
    elsewhere: MlflowModelRegistry,
    submit: Submit,
    life: Life,
    tmp_path: Path,
) -> None:
    """Versions, their files and what is shown of them; only a lock and a name stay in the home folder."""
    submission = submit()
    version = server_registry.register(submission)
    assert elsewhere.register(submission) == version
    server_registry.follow(life.promoted(version))
    assert elsewhere.differences(life.standing) == []
    (tmp_path / "into").mkdir()
    elsewhere.fetch(version, tmp_path / "into")
    documents = {f"documents/{Path(one).name}": digest_file(Path(one)) for one in submission.documents}
    assert file_digests(tmp_path / "into") == file_digests(Path(submission.folder)) | documents
    assert {path.name for path in (tmp_path / "elsewhere/mlflow").iterdir()} <= {"registry.lock", "writer"}


def test_a_home_with_another_ledger_is_refused(
    server_registry: MlflowModelRegistry, elsewhere: MlflowModelRegistry, submit: Submit, life: Life
) -> None:
    """Who shares the server and not the ledger cannot move what the others see."""
    version = server_registry.register(submit())
    server_registry.follow(life.promoted(version))
    ours, theirs = life.standing, type(life)()
    with pytest.raises(BadInput, match="set MLOPS_LEDGER to the ledger that this registry follows"):
        elsewhere.follow(theirs.registered(version))
    assert server_registry.differences(ours) == []


def test_an_attempt_of_another_home_is_left_alone_for_a_day(
    server_registry: MlflowModelRegistry, mlflow_server: MlflowServer, submit: Submit
) -> None:
    """It may be at work; an attempt of yesterday is not, and goes."""
    from mlflow import MlflowClient

    server_registry.register(submit("other"))
    client = MlflowClient(mlflow_server.url, mlflow_server.url)
    (experiment,) = (one.experiment_id for one in client.search_experiments() if one.name == "churn")
    tags = {"mlops.digest": "first", "mlops.writer": "another home"}
    young = client.create_run(experiment, tags=tags).info.run_id
    old = client.create_run(experiment, tags=tags, start_time=1_700_000_000_000).info.run_id
    server_registry.register(submit("first"))
    assert [client.get_run(run).info.status for run in (young, old)] == ["RUNNING", "KILLED"]


def test_a_server_that_goes_away_is_unavailable_and_the_next_run_finishes(
    server_registry: MlflowModelRegistry,
    mlflow_server: MlflowServer,
    submit: Submit,
    life: Life,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Killed while a model is logged and while the ledger is followed: the same again ends both."""
    from mlflow import MlflowClient

    def dies_at(method: str) -> None:
        real = getattr(MlflowClient, method)

        def call(*arguments: object, **named: object) -> object:
            mlflow_server.stop()
            return real(*arguments, **named)

        monkeypatch.setattr(MlflowClient, method, call)

    def back() -> None:
        monkeypatch.undo()
        mlflow_server.start()

    for method in ("log_model_artifacts", "create_model_version", "set_terminated"):
        dies_at(method)
        with pytest.raises(Unavailable, match="cannot be reached"):
            server_registry.register(submit())
        back()
    version = server_registry.register(submit())
    assert (version.number, version.tags["stage"]) == (1, "Staging")
    assert server_registry.versions("churn") == [version]
    standing = life.promoted(version)
    dies_at("set_model_version_tag")
    with pytest.raises(Unavailable, match="cannot be reached"):
        server_registry.follow(standing)
    back()
    server_registry.follow(standing)
    assert server_registry.differences(standing) == []
    states = "SELECT status, count(*) FROM runs GROUP BY status ORDER BY status"
    assert mlflow_server.rows(states) == [("FINISHED", 1), ("KILLED", 2)]
    assert mlflow_server.rows("SELECT count(*) FROM logged_models WHERE lifecycle_stage = 'active'") == [(1,)]
