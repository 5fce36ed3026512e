"""A version is handed over once, whatever was done before and whoever else orders it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from mlops_core.errors import BadInput, NotFound, Unavailable
from tests.github.conftest import ORDER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.github.conftest import Scene
    from tests.github.memory import Answer

RUN = "https://github.com/acme/churn/actions/runs/9001"


def test_an_order_becomes_a_deployment_and_a_run(scene: Scene) -> None:
    handed = scene.deployer(known_as="cases:CHURN").dispatch(ORDER)
    assert (handed.to, handed.state, handed.url) == ("GitHub", "queued", RUN)
    (deployment,) = scene.github.memory.deployments
    assert deployment["task"] == "deliver:churn:3-0123456789ab:local"
    assert deployment["payload"] == {
        "name": "churn",
        "version": 3,
        "digest": ORDER.digest,
        "target": "local",
        "known_as": "cases:CHURN",
    }
    assert (deployment["environment"], deployment["ref"]) == ("production", "main")
    assert deployment["description"] == "churn 3 for ana: passed the gate"
    (run,) = scene.github.memory.runs
    assert run["inputs"] == {
        "use_case": "cases:CHURN",
        "version": "3",
        "digest": ORDER.digest,
        "target": "local",
        "deployment": "1",
    }
    (told,) = scene.github.memory.statuses[1]
    assert (told["state"], told["log_url"]) == ("queued", RUN)
    assert scene.paused == []


@pytest.mark.parametrize(
    ("told", "state"),
    [
        (["queued"], "queued"),
        (["queued", "pending"], "queued"),
        (["queued", "in_progress"], "in progress"),
        (["in_progress", "queued"], "in progress"),  # who ordered was slower than the run
        (["in_progress", "success"], "delivered"),
    ],
)
def test_what_is_on_its_way_or_there_is_not_started_again(scene: Scene, told: list[str], state: str) -> None:
    scene.deployer().dispatch(ORDER)
    scene.github.memory.statuses[1].clear()
    for one in told:
        scene.deployer().tell(1, one, url="https://github.com/acme/churn/actions/runs/77")
    handed = scene.deployer().dispatch(ORDER)
    assert (handed.state, handed.url) == (state, "https://github.com/acme/churn/actions/runs/77")
    assert (len(scene.states), scene.runs) == (1, ["1"])


@pytest.mark.parametrize("ended", ["failure", "error", "inactive"])
def test_what_failed_there_is_tried_anew(scene: Scene, ended: str) -> None:
    scene.deployer().dispatch(ORDER)
    scene.deployer().tell(1, ended)
    handed = scene.deployer().dispatch(ORDER)
    assert (handed.state, handed.url) == ("queued", "https://github.com/acme/churn/actions/runs/9002")
    assert (scene.states, scene.runs) == ({1: ended, 2: "queued"}, ["1", "2"])


@pytest.mark.parametrize("told", ["queued", "in_progress"])
def test_a_run_that_ended_without_a_word_is_tried_anew(scene: Scene, told: str) -> None:
    """Cancelled while it waited for its turn, or its runner was lost."""
    scene.deployer().dispatch(ORDER)
    scene.deployer().tell(1, told)
    assert scene.deployer().dispatch(ORDER).url.endswith("/deliver.yml")
    scene.github.memory.runs[0].update(status="completed", conclusion="cancelled")
    assert scene.deployer().dispatch(ORDER).state == "queued"
    assert (scene.states, scene.runs) == ({1: "error", 2: "queued"}, ["1", "2"])
    assert scene.github.memory.statuses[1][-1]["description"] == "its run ended without a word"


def test_what_is_told_just_before_a_run_ends_counts(scene: Scene) -> None:
    scene.deployer().dispatch(ORDER)
    serve = scene.github.serve

    def ended_meanwhile(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer | None:
        if "/runs" in target:
            scene.github.serve = serve  # type: ignore[method-assign] # once
            scene.deployer().tell(1, "success")
            scene.github.memory.runs[0].update(status="completed", conclusion="success")
        return serve(method, target, headers, body)

    scene.github.serve = ended_meanwhile  # type: ignore[method-assign] # what a proxy would do
    scene.deployer().dispatch(ORDER)
    assert (scene.states, scene.runs) == ({1: "success"}, ["1"])
    assert scene.deployer().dispatch(ORDER).state == "delivered"


@pytest.mark.parametrize("change", [{"version": 4}, {"digest": "f" * 64}, {"name": "sales"}])
def test_another_version_digest_or_model_is_another_order(scene: Scene, change: dict[str, object]) -> None:
    scene.deployer().dispatch(ORDER)
    scene.deployer().dispatch(ORDER.model_copy(update=change))
    assert scene.runs == ["1", "2"]


def test_another_target_or_environment_is_another_order(scene: Scene) -> None:
    for deployer in (
        scene.deployer(),
        scene.deployer(target="kubernetes"),
        scene.deployer(environment="staging"),
    ):
        deployer.dispatch(ORDER)
        deployer.dispatch(ORDER)
    assert scene.runs == ["1", "2", "3"]


def test_what_another_version_replaced_is_delivered_again(scene: Scene) -> None:
    other = ORDER.model_copy(update={"version": 4, "digest": "f" * 64})
    for order, number in ((ORDER, 1), (other, 2)):
        scene.deployer().dispatch(order)
        scene.deployer().tell(number, "success")
    assert scene.deployer().dispatch(other).state == "delivered"
    assert scene.deployer().dispatch(ORDER).state == "queued"
    assert scene.runs == ["1", "2", "3"]


@pytest.mark.parametrize("change", [{"name": "sales"}, {"version": 4}])
def test_only_what_was_delivered_of_this_model_replaces(scene: Scene, change: dict[str, object]) -> None:
    """A delivery of another model replaces nothing, nor does one of this model that failed."""
    scene.deployer().dispatch(ORDER)
    scene.deployer().tell(1, "success")
    scene.deployer().dispatch(ORDER.model_copy(update=change))
    scene.deployer().tell(2, "success" if "name" in change else "failure")
    assert scene.deployer().dispatch(ORDER).state == "delivered"


def test_one_of_several_environments_does_not_end_what_others_deliver(scene: Scene) -> None:
    """In an environment that is not production GitHub would set all others inactive when one succeeds."""
    staging, other = scene.deployer(environment="staging"), ORDER.model_copy(update={"name": "sales"})
    for order, number in ((ORDER, 1), (other, 2)):
        staging.dispatch(order)
        staging.tell(number, "success")
    assert scene.states == {1: "success", 2: "success"}


def test_a_deployment_left_without_a_run_gets_one(scene: Scene) -> None:
    """Killed between the two."""
    scene.deployer().dispatch(ORDER)
    scene.github.memory.statuses[1].clear()
    scene.github.memory.runs.clear()
    assert scene.deployer().dispatch(ORDER).state == "queued"
    assert (scene.states, scene.runs) == ({1: "queued"}, ["1"])
    assert scene.paused == [2.0] * 4  # somebody else may have been about to start it


def test_a_run_that_nobody_told_of_is_found_by_its_title(scene: Scene) -> None:
    """Killed before the status; the run of deployment 11 is not that of deployment 1."""
    scene.deployer().dispatch(ORDER)
    scene.github.memory.statuses[1].clear()
    other = {**scene.github.memory.runs[0], "display_title": "deliver churn 3 (deployment 11)", "id": 1}
    scene.github.memory.runs.append({**other, "html_url": "https://github.com/other"})
    handed = scene.deployer().dispatch(ORDER)
    assert (handed.state, handed.url, len(scene.runs)) == ("queued", RUN, 2)
    assert scene.states == {1: "queued"}


def test_an_older_github_that_does_not_name_the_run_is_asked_for_it(scene: Scene) -> None:
    scene.github.memory.old = True
    assert scene.deployer().dispatch(ORDER).url == RUN
    assert scene.runs == ["1"]


def _meanwhile(scene: Scene, path: str, what: Callable[[], object]) -> None:
    """Do something just before the first request that writes to a path with this end."""
    serve, done = scene.github.serve, list[bool]()

    def after_that(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer | None:
        if not done and method == "POST" and target.endswith(path):
            done.append(True)
            what()
        return serve(method, target, headers, body)

    scene.github.serve = after_that  # type: ignore[method-assign] # what a proxy would do


def test_a_run_that_is_at_work_before_its_order_is_told_is_not_called_queued(scene: Scene) -> None:
    run = "https://github.com/acme/churn/actions/runs/9001"
    _meanwhile(scene, "/dispatches", lambda: scene.deployer().tell(1, "in_progress", url=run))
    handed = scene.deployer().dispatch(ORDER)
    assert (handed.state, handed.url, scene.states) == ("in progress", run, {1: "in_progress"})
    assert len(scene.github.memory.statuses[1]) == 1


def test_of_two_that_order_at_once_the_first_deployment_counts(scene: Scene) -> None:
    _meanwhile(scene, "/deployments", lambda: scene.deployer().dispatch(ORDER))
    handed = scene.deployer().dispatch(ORDER)
    assert (handed.state, handed.url) == ("queued", RUN)
    assert (scene.states, scene.runs) == ({1: "queued", 2: "inactive"}, ["1"])
    assert scene.deployer().dispatch(ORDER).url == RUN


def test_the_second_starts_the_run_where_the_first_was_killed(scene: Scene) -> None:
    def first() -> None:
        scene.deployer().dispatch(ORDER)
        scene.github.memory.statuses[1].clear()
        scene.github.memory.runs.clear()

    _meanwhile(scene, "/deployments", first)
    assert scene.deployer().dispatch(ORDER).state == "queued"
    assert (scene.states, scene.runs) == ({1: "queued", 2: "inactive"}, ["1"])


def test_of_any_number_that_order_at_once_one_starts_a_run(scene: Scene) -> None:
    def until_started(seconds: float) -> None:  # noqa: ARG001 - it waits for what happens
        for _ in range(3000):
            if scene.github.memory.runs:
                return
            time.sleep(0.01)

    with ThreadPoolExecutor(5) as pool:
        deployer = scene.deployer(pause=until_started)
        handed = list(pool.map(deployer.dispatch, [ORDER] * 5))
    assert {one.state for one in handed} == {"queued"}
    assert scene.runs == ["1"]
    states = list(scene.states.values())
    assert (states[0], set(states[1:]) <= {"inactive"}) == ("queued", True)


def test_long_words_are_cut_to_what_github_takes(scene: Scene) -> None:
    scene.deployer().dispatch(ORDER.model_copy(update={"reason": "because\n" * 40}))
    scene.deployer().tell(1, "failure", "no " * 100)
    description = scene.github.memory.deployments[0]["description"]
    assert (len(description), description[-1], "\n" in description) == (140, "…", False)
    assert len(scene.github.memory.statuses[1][-1]["description"]) == 140


def test_a_workflow_or_branch_that_is_not_there_is_named_and_can_be_mended(scene: Scene) -> None:
    scene.github.memory.workflows = ()
    with pytest.raises(NotFound, match=r"asked about the workflow deliver\.yml of acme/churn"):
        scene.deployer().dispatch(ORDER)
    with pytest.raises(BadInput, match=r"No ref found for: trunk.*MLOPS_GITHUB_REF"):
        scene.deployer(ref="trunk", environment="staging").dispatch(ORDER)
    scene.github.memory.workflows = ("deliver.yml",)
    assert scene.deployer().dispatch(ORDER).state == "queued"
    assert (len(scene.states), scene.runs) == (1, ["1"])


def test_nobody_there_is_worth_another_attempt(scene: Scene) -> None:
    with pytest.raises(Unavailable, match=r"GitHub at 127\.0\.0\.1 does not answer"):
        scene.deployer(api="http://127.0.0.1:9").dispatch(ORDER)
    assert scene.paused == [1.0, 2.0, 4.0]
