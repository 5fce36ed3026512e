"""As in docs/prefect.md: a server, `prefect deploy --all`, a worker, runs by hand and by schedule."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.live.site import ENDS, POOL, Site, succeeds

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
    """The same deployments, versions, schedules, pools and automations, by their ids; nothing is told."""
    before, beside = site.deployments(), _beside(site)
    said = site.deploy_again()
    after = site.deployments()
    assert after.keys() == before.keys()
    for name, one in after.items():
        for key in SAME:
            assert one[key] == before[name][key], (name, key)
        assert _schedules(one) == _schedules(before[name])
    assert _beside(site) == beside
    assert "removed" not in said
    assert "made" not in said


SAME = (
    *("id", "version", "description", "entrypoint", "parameters", "parameter_openapi_schema", "tags"),
    *("work_pool_name", "work_queue_name", "job_variables", "pull_steps", "paused"),
    *("concurrency_options", "enforce_parameter_schema"),
)


def _beside(site: Site) -> list[Any]:
    """What there is beside deployments."""
    pools = [(one["id"], one["type"], one["base_job_template"]) for one in site.ask("/work_pools/filter")]
    automations = [(one["id"], one["updated"]) for one in site.ask("/automations/filter")]
    assert len(pools) == 2
    assert automations
    return [pools, automations]


def test_schedules_that_left_the_file_are_cleared(site: Site) -> None:
    """Renamed, taken out, or made by hand; what stayed is untouched, as is what the file does not name."""
    file = site.checkout / "prefect.yaml"
    text, before = file.read_text(), site.deployments()
    document = yaml.safe_load(text)
    by_name = {(one["entrypoint"].rpartition(".")[2], one["name"]): one for one in document["deployments"]}
    by_name["churn", "weekly"]["schedules"][0]["slug"] = "monday"
    del by_name["promote", "settle"]["schedules"]
    document["deployments"].remove(by_name["rollback", "on-demand"])
    by_hand = {"schedule": {"cron": "0 0 1 1 *"}, "slug": "by-hand", "active": True}
    for name in ("simulator/on-demand", "rollback/on-demand"):
        site.create(f"/deployments/{before[name]['id']}/schedules", [by_hand])
    file.write_text(yaml.safe_dump(document))
    try:
        said, after = site.deploy_again(), site.deployments()
    finally:
        file.write_text(text)
        site.deploy_again()
    assert _slugs(after["churn/weekly"]) == {"monday", "thursday-strict"}
    assert _slugs(after["promote/settle"]) == set()
    assert _slugs(after["simulator/on-demand"]) == set()
    assert _slugs(after["rollback/on-demand"]) == {"by-hand"}
    for words in ("churn/weekly: schedule monday-logistic", "promote/settle: schedule hourly"):
        assert words in said
    assert "prefect deployment delete rollback/on-demand" in said
    for name in ("churn/nightly", "materialize/hourly"):
        assert _schedules(after[name]) == _schedules(before[name])
    assert {name: _slugs(one) for name, one in site.deployments().items()} == {
        name: _slugs(one) for name, one in before.items()
    }


def _slugs(deployment: dict[str, Any]) -> set[str]:
    return {one["slug"] for one in deployment["schedules"]}


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


def test_a_misspelt_parameter_makes_no_run(site: Site) -> None:
    """Refused by Prefect's command at once, naming it."""
    before = len(site.runs("churn/on-demand"))
    done = site.prefect("deployment", "run", "churn/on-demand", "--param", "flor=0.8", "--watch")
    assert done.returncode != 0
    assert "flor" in done.stdout
    assert len(site.runs("churn/on-demand")) == before


def test_a_run_that_fails_says_so(site: Site) -> None:
    """Exit code 1, and our sentence as the state's message."""
    done = site.prefect("deployment", "run", "churn/on-demand", "--param", "data=no-such.csv", "--watch")
    assert done.returncode == 1
    messages = [str(run["state"]["message"]) for run in site.runs("churn/on-demand")]
    assert any(message.startswith("purchases: there is no file no-such.csv") for message in messages)


OFTEN: dict[str, dict[str, Any]] = {
    "good": {"level": 0.07},
    "bounds": {"entities": 0},
    "misspelt": {"entitis": 3},
}
BAD = {
    "bounds": "--entities: input should be greater than or equal to 1, got 0",
    "misspelt": "unknown argument '--entitis': did you mean --entities?",
}


@pytest.fixture(scope="module")
def often(site: Site, until: Callable[..., Any]) -> dict[str, dict[str, Any]]:
    """A run of each of these schedules of one deployment, as it ended."""
    soon = datetime.now(UTC) + timedelta(seconds=20)  # when the scheduler has seen it; then once a minute
    schedules = [
        {"interval": 60, "anchor_date": soon.isoformat(), "slug": slug, "parameters": given}
        for slug, given in OFTEN.items()
    ]
    deployment = {
        "name": "often",
        "entrypoint": "flows.simulator.simulator",
        "work_pool": {"name": POOL, "work_queue_name": "default"},
        "parameters": {"entities": 3, "level": 0.5},
        "enforce_parameter_schema": False,
        "schedules": schedules,
    }
    (site.checkout / "often.yaml").write_text(yaml.safe_dump({"deployments": [deployment]}))
    succeeds(site.prefect("--no-prompt", "deploy", "--all", "--prefect-file", "often.yaml"))

    def fired() -> dict[str, dict[str, Any]] | None:
        over = [run for run in site.runs("simulator/often") if run["state"]["type"] in ENDS]
        found = {run["created_by"]["display_value"]: run for run in over}
        return found if found.keys() == OFTEN.keys() else None

    try:
        found: dict[str, dict[str, Any]] = until(fired, "a run of each schedule")
    finally:
        succeeds(site.prefect("deployment", "schedule", "clear", "simulator/often", "--accept-yes"))
    return found


def test_a_schedule_fires_with_its_own_parameters(often: dict[str, dict[str, Any]]) -> None:
    """Nobody asks, and yet a run completes: the schedule's parameters over the deployment's."""
    run = often["good"]
    assert run["state"]["type"] == "COMPLETED"
    assert run["auto_scheduled"]
    assert run["parameters"] == {"entities": 3, "level": 0.07}


@pytest.mark.parametrize("slug", BAD)
def test_a_bad_parameter_is_one_sentence_everywhere(
    site: Site, often: dict[str, dict[str, Any]], slug: str
) -> None:
    """From a schedule, from the call that the UI's form makes, and from a shell, where the exit code is 2."""
    ((name, value),) = OFTEN[slug].items()
    asked = site.once(site.start("simulator/on-demand", **{name: value}))
    for state in (often[slug]["state"], asked):
        assert (state["type"], state["message"]) == ("FAILED", BAD[slug])
    done = site.environment.run("python", "flows/simulator.py", f"--{name}", value, cwd=site.checkout)
    assert done.returncode == 2
    assert done.stdout.strip().endswith(f"flows/simulator.py: {BAD[slug]}")
