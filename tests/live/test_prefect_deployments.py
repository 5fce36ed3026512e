"""As in docs/prefect.md: a server, `prefect deploy --all`, a worker, runs by hand and by schedule."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.live.site import POOL, Site, succeeds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.live.conftest import Environment

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory,
    project: Path,
    environment: type[Environment],
    until: Callable[..., Any],
    stop: Callable[..., None],
) -> Iterator[Site]:
    """Everything deployed, and a worker that waits for runs."""
    site = Site(tmp_path_factory.mktemp("site"), project, environment, until)
    try:
        server = site.serve()
        site.deploy()
        worker = site.work()
        yield site
        stop(worker)
        stop(server)
        until(lambda: not site.environment.processes(), "the last process to end")
    finally:
        site.kill()


def test_everything_in_the_file_is_deployed(site: Site) -> None:
    """By name, with entrypoint, schedules and their parameters."""
    expected = yaml.safe_load((site.checkout / "prefect.yaml").read_text())["deployments"]
    found = site.deployments()
    for one in expected:
        name = f"{one['entrypoint'].rpartition('.')[2]}/{one['name']}"
        assert found[name]["entrypoint"] == one["entrypoint"]
        assert found[name]["description"] == one["description"]
        schedules = {
            schedule["slug"]: (schedule["schedule"]["cron"], schedule["parameters"])
            for schedule in found[name]["schedules"]
        }
        assert schedules == {
            schedule["slug"]: (schedule["cron"], schedule.get("parameters", {}))
            for schedule in one.get("schedules", [])
        }


def test_deploying_again_changes_nothing(site: Site) -> None:
    """The same deployments and schedules, by their ids."""
    before = site.deployments()
    succeeds(site.prefect("--no-prompt", "deploy", "--all"))
    after = site.deployments()
    assert after.keys() == before.keys()
    for name, one in after.items():
        for key in ("id", "entrypoint", "parameters", "work_pool_name", "concurrency_options", "tags"):
            assert one[key] == before[name][key]
        assert _schedules(one) == _schedules(before[name])


def _schedules(deployment: dict[str, Any]) -> dict[str, Any]:
    return {
        one["id"]: (one["slug"], one["schedule"], one["parameters"], one["active"])
        for one in deployment["schedules"]
    }


def test_planned_runs_carry_the_parameters_of_their_schedule(site: Site, until: Callable[..., Any]) -> None:
    """Mondays and Thursdays differ."""

    def planned() -> list[dict[str, Any]] | None:
        runs = [run["parameters"] for run in site.runs("churn/weekly") if run["auto_scheduled"]]
        return runs if any("floor" in run for run in runs) else None

    expected = site.deployments()["churn/weekly"]["schedules"]
    found = until(planned, "the scheduler")
    for schedule in expected:
        assert schedule["parameters"] in found
    assert all(run in [schedule["parameters"] for schedule in expected] for run in found)


def test_the_simulator_runs_on_a_worker(site: Site) -> None:
    """Watched to its end, with exit code 0."""
    done = site.prefect("deployment", "run", "simulator/on-demand", "--param", "entities=3", "--watch")
    succeeds(done)
    (run,) = site.runs("simulator/on-demand")
    assert run["state"]["type"] == "COMPLETED"
    assert run["parameters"]["entities"] == 3


def test_churn_is_delivered_by_a_worker(site: Site, purchases: Path) -> None:
    """Exit code 0, the verdict in the run's state, and the release in the state folder."""
    done = site.prefect("deployment", "run", "churn/on-demand", "--param", f"data={purchases}", "--watch")
    succeeds(done)
    states = [run["state"] for run in site.runs("churn/on-demand")]
    assert "churn version 1: delivered" in [state["message"] for state in states]
    releases = site.environment.home / "releases" / "churn"
    pointer = json.loads((releases / "current.json").read_text())
    assert (releases / pointer["release"] / "release.json").is_file()


@pytest.mark.parametrize("bad", ["floor=high", 'candidates=["forest"]', "flor=0.8"])
def test_a_bad_parameter_makes_no_run(site: Site, bad: str) -> None:
    """Refused at once, naming the parameter."""
    before = len(site.runs("churn/on-demand"))
    done = site.prefect("deployment", "run", "churn/on-demand", "--param", bad, "--watch")
    assert done.returncode != 0
    assert bad.partition("=")[0] in done.stdout
    assert len(site.runs("churn/on-demand")) == before


def test_a_run_that_fails_says_so(site: Site) -> None:
    """Exit code 1, and our sentence as the state's message."""
    done = site.prefect("deployment", "run", "churn/on-demand", "--param", "data=no-such.csv", "--watch")
    assert done.returncode == 1
    messages = [str(run["state"]["message"]) for run in site.runs("churn/on-demand")]
    assert any(message.startswith("purchases: there is no file no-such.csv") for message in messages)


def test_a_schedule_fires_with_its_own_parameters(site: Site, until: Callable[..., Any]) -> None:
    """Nobody asks, and yet a run completes: the schedule's parameters over the deployment's."""
    often = {
        "name": "often",
        "entrypoint": "flows.simulator.simulator",
        "work_pool": {"name": POOL, "work_queue_name": "default"},
        "parameters": {"entities": 3, "level": 0.5},
        "schedules": [{"interval": 10, "slug": "often", "parameters": {"level": 0.07}}],
    }
    (site.checkout / "often.yaml").write_text(yaml.safe_dump({"deployments": [often]}))
    succeeds(site.prefect("--no-prompt", "deploy", "--all", "--prefect-file", "often.yaml"))

    def fired() -> dict[str, Any] | None:
        runs = [run for run in site.runs("simulator/often") if run["state"]["type"] == "COMPLETED"]
        return runs[0] if runs else None

    try:
        run = until(fired, "a scheduled run")
    finally:
        succeeds(site.prefect("deployment", "schedule", "clear", "simulator/often", "--accept-yes"))
    assert run["auto_scheduled"]
    assert run["parameters"] == {"entities": 3, "level": 0.07}
