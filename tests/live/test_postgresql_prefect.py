"""Everything that a team shares in PostgreSQL: Prefect's server, MLflow's versions, the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import yaml

from tests.every_point import nightly
from tests.live.site import POOL, Site, succeeds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.live.conftest import Environment
    from tests.postgresql_server import PostgreSQLServer

pytestmark = [pytest.mark.live, nightly]

QUERY = "SELECT count(*) FROM {}"


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory,
    project: Path,
    postgres_server: PostgreSQLServer,
    environment: type[Environment],
    until: Callable[..., Any],
    stop: Callable[..., None],
) -> Iterator[Site]:
    """A server and a worker as docs/scaling.md sets them up, a database for each of the three."""
    site = Site(tmp_path_factory.mktemp("site"), project, environment, until)
    urls = {name: postgres_server.database(name) for name in ("prefect", "mlflow", "ledger")}
    site.environment.variables = {
        **site.environment.variables,
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": urls["prefect"].replace("://", "+asyncpg://"),
        "MLOPS_TRACKING_URI": urls["mlflow"].replace("://", "+psycopg://"),
        "MLOPS_LEDGER": urls["ledger"],
        "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "5",
    }
    deployments = [
        _deployment("delivery", "flows.churn.churn"),
        _deployment("often", "flows.simulator.simulator")
        | {"schedules": [{"interval": 10, "slug": "often"}]},
    ]
    (site.checkout / "few.yaml").write_text(yaml.safe_dump({"deployments": deployments}))
    try:
        server = site.serve()
        succeeds(site.prefect("work-pool", "create", POOL, "--type", "process"))
        succeeds(site.prefect("--no-prompt", "deploy", "--all", "--prefect-file", "few.yaml"))
        worker = site.work()
        yield site
        stop(worker)
        stop(server)
        until(lambda: not site.environment.processes(), "the last process to end")
    finally:
        site.kill()


def _deployment(name: str, entrypoint: str) -> dict[str, Any]:
    pool = {"name": POOL, "work_queue_name": "default"}
    return {"name": name, "entrypoint": entrypoint, "work_pool": pool}


def rows(server: PostgreSQLServer, database: str, table: str) -> int:
    """How many rows a table has."""
    with psycopg.connect(server.url.removesuffix("postgres") + database) as connection:
        found = connection.execute(QUERY.format(table)).fetchone()
    return int(found[0]) if found else 0


def test_a_schedule_fires(site: Site, postgres_server: PostgreSQLServer, until: Callable[..., Any]) -> None:
    """And its run is kept in PostgreSQL, not in a file of SQLite's."""

    def fired() -> bool:
        runs = site.runs("simulator/often")
        return any(run["auto_scheduled"] and run["state"]["type"] == "COMPLETED" for run in runs)

    until(fired, "a scheduled run")
    succeeds(site.prefect("deployment", "schedule", "clear", "simulator/often", "--accept-yes"))
    assert rows(postgres_server, "prefect", "flow_run") > 0
    assert not list(site.environment.home.parent.rglob("prefect.db"))


def test_a_delivery_keeps_versions_and_ledger_there(
    site: Site, postgres_server: PostgreSQLServer, purchases: Path
) -> None:
    """What is left to this host's own disk are histories, files and releases."""
    parameters = ("--param", f"data={purchases}", "--param", 'candidates=["logistic"]')
    succeeds(site.prefect("deployment", "run", "churn/delivery", *parameters, "--watch"))
    messages = [run["state"]["message"] for run in site.runs("churn/delivery")]
    assert messages == ["churn version 1: delivered"]
    assert rows(postgres_server, "mlflow", "model_versions") == 1
    assert rows(postgres_server, "ledger", "mlops_ledger") > 0
    home = site.environment.home
    assert not (home / "ledger.db").exists()
    assert not (home / "mlflow" / "mlflow.db").exists()


def test_a_run_by_hand_uses_the_same_server(site: Site) -> None:
    """`python flows/…` is told of it as the worker is."""
    before = len(site.ask("/flow_runs/filter"))
    succeeds(site.environment.run("python", Path("flows", "simulator.py"), cwd=site.checkout))
    assert len(site.ask("/flow_runs/filter")) == before + 1
