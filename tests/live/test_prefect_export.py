"""An exported flow on a real server and worker, which know of this project only `mlops` on the PATH."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from mlops_core.dag import PipelineDAG, Task
from tests.exporters.pipelines import dags, nothing
from tests.live.exported_site import DEPLOYMENT, ExportedSite
from tests.live.site import succeeds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.live.conftest import Environment

pytestmark = pytest.mark.live

CHECKS = [
    {"outcome": "passed", "sentence": "enough rows"},
    {"outcome": "failed", "sentence": "below the floor"},
]
GATE = json.dumps({"decision": {"checks": CHECKS}})
VERDICTS: list[tuple[dict[str, Any], tuple[str, str]]] = [
    (
        {"status": "deployed", "released_at": "2026-02-01T00:00:01.5Z"},
        ("Completed", "shop version 3: delivered"),
    ),
    (
        {"status": "deployed", "released_at": "2026-01-01T00:00:00Z"},
        ("Completed", "shop version 3: already delivered"),
    ),
    ({"status": "rejected"}, ("Rejected", "shop version 3: rejected: below the floor")),
    ({"status": "rejected", "stage": "told"}, ("Rejected", "shop version 3: rejected: below the floor")),
    ({"status": "refused", "why": "too late"}, ("Rejected", "shop version 3: refused: too late")),
    ({"status": "held back", "why": "by ben"}, ("HeldBack", "shop version 3: held back: by ben")),
]


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory,
    project: Path,
    environment: type[Environment],
    until: Callable[..., Any],
    stop: Callable[..., None],
) -> Iterator[ExportedSite]:
    """The exported flow deployed, and a worker that waits for runs."""
    site = ExportedSite(tmp_path_factory.mktemp("site"), project, environment, until)
    try:
        server = site.serve()
        site.export()
        worker = site.work()
        yield site
        stop(worker)
        stop(server)
        until(lambda: not site.environment.processes(), "the last process to end")
    finally:
        site.kill()


def test_the_entry_is_deployed_as_it_reads(site: ExportedSite) -> None:
    found = site.deployments()[DEPLOYMENT]
    assert found["entrypoint"] == "churn_flow.py:churn"
    assert found["concurrency_options"]["collision_strategy"] == "ENQUEUE"
    assert found["tags"] == ["mlops-core", "churn"]
    (schedule,) = found["schedules"]
    assert (schedule["schedule"]["cron"], schedule["schedule"]["timezone"]) == (
        "0 6 * * MON",
        "Europe/Berlin",
    )
    fields = found["parameter_openapi_schema"]["properties"]
    assert fields["as_of"]["description"].startswith("Last day the run may know of, like 1998-06-30;")
    assert {"type": "string", "format": "date"} in fields["as_of"]["anyOf"]


def test_a_run_fails_where_a_stage_does_and_goes_on_when_tried_again(
    site: ExportedSite, purchases: Path, environment: type[Environment], tmp_path: Path
) -> None:
    """75 is another attempt after the policy's wait, 1 is not; what came of it is that of `mlops run`."""
    site.plan("training_set", "75")
    site.plan("model_training.boosting", "1")
    run = site.start(DEPLOYMENT, data=str(purchases), floor=0.6)
    state = site.once(run)
    assert (state["type"], state["message"]) == (
        "FAILED",
        "model_training.boosting: the store is out of reach",
    )
    tasks = site.until(lambda: settled(site, run), "all tasks to be recorded")
    names = {name: one["state_name"] for name, one in tasks.items()}
    assert names == {
        **dict.fromkeys(("feature_store", "training_set", "model_training.logistic"), "Completed"),
        **dict.fromkeys(("feature_verification",), "Completed"),
        "model_training.boosting": "Failed",
        **dict.fromkeys(("model_evaluation", "model_registry", "gate"), "NotReady"),
        **dict.fromkeys(("approval", "deployment"), "NotReady"),
    }
    assert tasks["training_set"]["run_count"] == 2
    assert 0.79 < waited(site, tasks["training_set"]) <= 1.01

    again = {"type": "SCHEDULED", "name": "AwaitingRetry"}
    assert site.ask(f"/flow_runs/{run}/set_state", state=again, force=True)["status"] == "ACCEPT"
    state = site.until(lambda: ended_anew(site, run), "the second attempt")
    assert (state["type"], state["name"]) == ("COMPLETED", "AwaitingApproval")
    assert state["message"] == (
        "churn version 1: awaiting approval: "
        "answer with mlops approve asking_churn:CHURN 1 --reason … (or reject)"
    )
    (question,) = site.ask("/artifacts/filter", artifacts={"flow_run_id": {"any_": [run]}})
    assert question["key"] == "churn-question"
    assert "May churn version 1 go to Production?" in question["data"]

    plain = environment(tmp_path / "home", tmp_path / "prefect")
    told = ("--data", purchases, "--floor", 0.6, "--json")
    done = plain.run("mlops", "run", "asking_churn:CHURN", *told, cwd=site.files)
    succeeds(done)
    assert made(site.environment.home) == made(plain.home)
    receipts = site.receipts(run)
    assert receipts["deployment"]["status"] == "waiting"
    assert len(receipts) == 10


def settled(site: ExportedSite, run: str) -> dict[str, dict[str, Any]] | None:
    """The task runs, when the server has recorded the end of all ten; it writes them later."""
    found = site.tasks(run)
    over = [one for one in found.values() if one["state_name"] in ("Completed", "Failed", "NotReady")]
    return found if len(over) == 10 else None


def ended_anew(site: ExportedSite, run: str) -> dict[str, Any] | None:
    """The state of a run that was failed, once it is something else and over."""
    state = site.state(run)
    return state if state["type"] == "COMPLETED" else None


def waited(site: ExportedSite, task: dict[str, Any]) -> float:
    """Seconds that a task was told to wait for its next attempt."""
    found = httpx.get(f"{site.api}/task_run_states/", params={"task_run_id": task["id"]}, timeout=60).json()
    (wait,) = (one for one in found if one["name"] == "AwaitingRetry")
    begun, due = wait["timestamp"], wait["state_details"]["scheduled_time"]
    return (datetime.fromisoformat(due) - datetime.fromisoformat(begun)).total_seconds()


def made(home: Path) -> set[tuple[str, str]]:
    """What stages made, by the digests of what they made it from: content, code and parameters."""
    return {(one.parent.name, one.name) for one in home.glob("stages/*/*")}


def test_a_cancelled_runs_processes_end(site: ExportedSite, purchases: Path) -> None:
    site.plan("feature_store", "wait")
    run = site.start(DEPLOYMENT, data=str(purchases))
    site.until(lambda: sleeping(site), "the stage to wait")
    site.ask(f"/flow_runs/{run}/set_state", state={"type": "CANCELLING", "name": "Cancelling"})
    assert site.once(run)["type"] == "CANCELLED"
    site.until(lambda: not sleeping(site), "the stage's process to end")


def sleeping(site: ExportedSite) -> bool:
    """Whether a stage's process waits."""
    names = [Path(f"/proc/{one}/comm") for one in site.environment.processes()]
    return "sleep" in [one.read_text().strip() for one in names if one.exists()]


def test_a_runs_state_is_the_verdict_of_its_last_receipt(site: ExportedSite, tmp_path: Path) -> None:
    """A rejected one fails where the run asked for that: its last process says so by exit code 3."""
    names = [f"shop{number}" for number, _ in enumerate(VERDICTS)]
    for name, (receipt, _) in zip(names, VERDICTS, strict=True):
        (tmp_path / f"{name}.gate").write_text(GATE)
        whole = {"name": "shop", "version": 3, "why": None, **receipt}
        (tmp_path / f"{name}.deployment").write_text(json.dumps(whole))
    dag = PipelineDAG([Task("gate", nothing), Task("deployment", nothing, ("gate",))])
    told = site.run_by_hand(tmp_path, dict.fromkeys(names, dag))
    for found, (receipt, verdict) in zip(told, VERDICTS, strict=True):
        assert (found["state"], found["message"]) == verdict
        assert found["type"] == ("FAILED" if receipt.get("stage") == "told" else "COMPLETED")


def test_random_pipelines_run_every_task_once_in_order(site: ExportedSite, tmp_path: Path) -> None:
    """With odd names, tags and descriptions; where tasks fail, all that does not hang on them runs."""
    cases = {f"shop{number}": dag for number, dag in enumerate(random_dags())}
    told = site.run_by_hand(tmp_path, cases)
    calls = [line.partition(" ") for line in (tmp_path / "calls").read_text().splitlines()]
    for (name, dag), found in zip(cases.items(), told, strict=True):
        called = [task for use_case, _, task in calls if use_case == name]
        assert found["tasks"] == expected(dag)
        assert sorted(called) == sorted(one for one, end in expected(dag).items() if end != "NotReady")
        for place, task in enumerate(called):
            assert set(dag.upstream(task)) <= set(called[:place])
        failed = [one for one, end in expected(dag).items() if end == "Failed"]
        verdict = (
            ("Failed", f"no luck with {failed[0]}") if failed else ("Completed", f"{len(dag)} tasks done")
        )
        assert (found["state"], found["message"]) == verdict


def random_dags() -> list[PipelineDAG]:
    """A few, the same ones each time."""
    found: list[PipelineDAG] = []
    names = st.sampled_from(["fail 1", "fail {x}", "a", "b 'c'", "d/e%", "{f}", "é 漢字 🦆", "$HOME"])

    @settings(max_examples=8, phases=[Phase.generate], database=None, derandomize=True, deadline=None)
    @given(dags(names))
    def draw(dag: PipelineDAG) -> None:
        found.append(dag)

    draw()
    return found


def expected(dag: PipelineDAG) -> dict[str, str]:
    """How each task ends, in the order of the DAG."""
    ends: dict[str, str] = {}
    for name in dag.topological_order():
        lost = any(ends[one] != "Completed" for one in dag.upstream(name))
        ends[name] = "NotReady" if lost else "Failed" if name.startswith("fail") else "Completed"
    return ends
