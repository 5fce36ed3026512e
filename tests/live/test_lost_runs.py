"""Runs that are cancelled, killed and lost: Prefect says so, and a retry on another worker does the rest."""

from __future__ import annotations

import json
import os
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml
from prefect.client.orchestration import get_client
from prefect.settings import temporary_settings

from flows.lost_runs import lost_run_automation, watched
from tests.live.site import POOL, Site, succeeds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.live.conftest import Environment

pytestmark = pytest.mark.live

HELD = Path(__file__).with_name("held_churn.py")
SILENT = 40  # seconds; heartbeats come every 30
WAITS, LEAVES = "churn/waits", "churn/leaves"  # deployments, by what a run does that finds another at work


class Watched(Site):
    """A site whose server notices lost runs, with two deployments of a delivery that stands still."""

    def __init__(
        self, folder: Path, project: Path, environment: type[Environment], until: Callable[..., Any]
    ) -> None:
        super().__init__(folder, project, environment, until)
        more = {
            "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "true",
            "PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS": "3",
        }
        self.environment.variables = {**self.environment.variables, **more}
        shutil.copy(HELD, self.checkout / "flows" / HELD.name)

    def deploy(self) -> None:
        """Make the pool, the two deployments and the automation."""
        succeeds(self.prefect("work-pool", "create", POOL, "--type", "process"))
        deployments = [
            {
                "name": name.partition("/")[2],
                "entrypoint": "flows.held_churn.churn",
                "work_pool": {"name": POOL, "work_queue_name": "default"},
                "concurrency_limit": {"limit": 1, "collision_strategy": strategy},
            }
            for name, strategy in ((WAITS, "ENQUEUE"), (LEAVES, "CANCEL_NEW"))
        ]
        (self.checkout / "held.yaml").write_text(yaml.safe_dump({"deployments": deployments}))
        succeeds(self.prefect("--no-prompt", "deploy", "--all", "--prefect-file", "held.yaml"))
        with temporary_settings({"api.url": self.api}), get_client(sync_client=True) as client:
            wanted = lost_run_automation(silent=SILENT)
            assert [watched(client, wanted), watched(client, wanted)] == [True, False]

    def processes_of(self, run: str) -> set[int]:
        """The living processes of a flow run, and whatever they started."""
        mark = f"PREFECT__FLOW_RUN_ID={run}\0".encode()
        return {pid for pid in self.environment.processes() if mark in _environ(pid)}

    def held(self, deployment: str, **parameters: Any) -> str:
        """A run that stands in its stage, features made."""
        run = self.start(deployment, **parameters)
        self.until(lambda: self.tasks(run).get("training_set") == {"RUNNING"}, f"{run} to stand still")
        return run

    def tasks(self, run: str) -> dict[str, set[str]]:
        """The types of the states of a run's task runs by task, of all attempts."""
        found: dict[str, set[str]] = {}
        for one in self.ask("/task_runs/filter", flow_runs={"id": {"any_": [run]}}):
            name = one["name"].partition("-")[0]  # Prefect renames what never began
            found.setdefault(name, set()).add(one["state_type"])
        return found

    def made(self, stage: str) -> dict[str, int]:
        """When each stored output of a stage was written, by its key."""
        folders = (self.environment.home / "stages" / stage).glob("[!.]*/receipt.json")
        return {receipt.parent.name: receipt.stat().st_mtime_ns for receipt in folders}


def _environ(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes() + b"\0"
    except OSError:  # it has ended
        return b""


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory,
    project: Path,
    environment: type[Environment],
    until: Callable[..., Any],
) -> Iterator[Watched]:
    """The server, everything deployed, no worker yet."""
    site = Watched(tmp_path_factory.mktemp("lost"), project, environment, until)
    try:
        site.serve()
        site.deploy()
        yield site
    finally:
        site.kill()


@dataclass
class Lost:
    """A run that died with its worker, another that waits for its place, and what it had made."""

    run: str
    waiting: str
    features: dict[str, int]


@pytest.fixture(scope="module")
def lost(site: Watched, purchases: Path) -> Lost:
    """Killed with its worker in the middle of a stage; another worker is there, for which a run waits."""
    worker = site.work()
    run = site.held(WAITS, data=str(purchases))
    site.work()  # before the first one dies: how long it takes to start is then no matter
    waiting = site.start(WAITS, data="no-such.csv")
    site.until(lambda: site.state(waiting)["name"] == "AwaitingConcurrencySlot", "a run to wait")
    for process in (worker.pid, *site.processes_of(run)):
        os.kill(process, signal.SIGKILL)
    worker.wait()
    return Lost(run, waiting, site.made("feature_store"))


def test_a_run_may_leave_where_another_is_at_work_or_wait(
    site: Watched,
    lost: Lost,  # noqa: ARG001 - its worker, and the run that waits
    purchases: Path,
) -> None:
    """CANCEL_NEW ends the second run with a message, ENQUEUE let it wait (`lost`); the first goes on."""
    first = site.held(LEAVES, data=str(purchases), as_of="2021-05-31")
    second = site.once(site.start(LEAVES))
    assert (second["type"], second["message"]) == ("CANCELLED", "Deployment concurrency limit reached.")
    assert site.state(first)["type"] == "RUNNING"

    site.ask(f"/flow_runs/{first}/set_state", state={"type": "CANCELLING"})
    assert site.once(first)["type"] == "CANCELLED"
    assert site.processes_of(first) == set()
    tasks = site.until(lambda: _settled(site.tasks(first)), "its task runs to be over")
    assert tasks["training_set"] == {"CANCELLED"}


def _settled(tasks: dict[str, set[str]]) -> dict[str, set[str]] | None:
    return None if {"RUNNING", "PENDING"} & set().union(*tasks.values()) else tasks


def test_a_run_that_was_killed_has_crashed(site: Watched, lost: Lost, purchases: Path) -> None:  # noqa: ARG001 - its worker
    """Its worker says so at once, and its place is free; so is the lock of what it was making."""
    run = site.held(LEAVES, data=str(purchases), as_of="2021-05-31")  # as the run that was cancelled
    for process in site.processes_of(run):
        os.kill(process, signal.SIGKILL)
    assert site.once(run)["type"] == "CRASHED"


def test_a_lost_run_is_marked_and_its_place_is_free(site: Watched, lost: Lost) -> None:
    """Crashed, saying what to do; the run that waited has its turn, and fails in one sentence."""
    state = site.once(lost.run)
    assert state["type"] == "CRASHED"
    assert state["message"].startswith(
        f"nothing was heard of it for {SILENT} s: its machine or worker is gone"
    )
    state = site.once(lost.waiting)
    assert (state["type"], state["message"]) == (
        "FAILED",
        "purchases: there is no file no-such.csv. Give the path of its events.",
    )
    log = (site.checkout.parent / "worker.log").read_text()
    assert "no-such.csv" in log
    assert "Traceback" not in log


def test_retried_elsewhere_it_does_only_what_is_missing(
    site: Watched, lost: Lost, purchases: Path, tmp_path: Path, environment: type[Environment]
) -> None:
    """The same version as a run that nobody disturbed, from features that were not made again."""
    (site.checkout / "go").touch()
    succeeds(site.prefect("flow-run", "retry", lost.run))
    assert site.once(lost.run, "COMPLETED", "FAILED")["message"] == "churn version 1: delivered"
    assert httpx.get(f"{site.api}/flow_runs/{lost.run}").json()["run_count"] == 2
    assert lost.features.items() <= site.made("feature_store").items()
    assert len(site.made("training_set")) == 1  # the other two never came to it
    tasks = site.tasks(lost.run)
    assert tasks["training_set"] == {"CRASHED", "COMPLETED"}  # an attempt each
    assert not {"RUNNING", "FAILED"} & set().union(*tasks.values())

    undisturbed = environment(tmp_path / "state", tmp_path)
    succeeds(undisturbed.run("mlops", "run", "churn", "--data", purchases, cwd=tmp_path))
    assert _digests(site.environment, tmp_path) == _digests(undisturbed, tmp_path)
    assert not list((site.environment.home / "stages").rglob("*.draft"))


def _digests(environment: Environment, folder: Path) -> list[str]:
    done = environment.run("mlops", "models", "list", "churn", "--json", cwd=folder)
    succeeds(done)
    return [one["digest"] for one in json.loads(done.stdout)]
