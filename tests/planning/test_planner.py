"""What a plan says of each task, and why."""

from __future__ import annotations

import json
import shutil
import stat
from datetime import date
from typing import TYPE_CHECKING

import pyarrow.compute as pc
import pytest

from mlops_core.dag import PipelineDAG, Task
from mlops_core.domain.features import Count
from mlops_core.domain.gates import Approval
from mlops_core.domain.sources import Query
from mlops_core.domain.time import days
from mlops_core.errors import DataError, NotFound
from mlops_core.planning import Plan, Planner
from mlops_core.planning.times import longest_path
from mlops_core.promotion import roll_back
from tests.stages.shop import purchases

if TYPE_CHECKING:
    from tests.planning.bench import Bench


def statuses(plan: Plan) -> dict[str, str]:
    """Status by task."""
    return {one.task: one.status for one in plan.tasks}


def why(plan: Plan, task: str) -> str:
    """The sentence about a task."""
    return next(one.why for one in plan.tasks if one.task == task)


def test_before_the_first_run_everything_runs_and_no_folder_is_made(bench: Bench) -> None:
    plan = bench.plan()
    assert {name for name, status in statuses(plan).items() if status != "run"} == {"approval", "deployment"}
    assert why(plan, "feature_store") == "data: purchases: no events are stored for these definitions yet"
    assert why(plan, "training_set") == "it was not made before"
    assert why(plan, "gate") == "judges a new version"
    assert why(plan, "deployment") == "goes to Production if the gate passes it"
    assert plan.seconds is None
    assert not bench.workspace.home.exists()


def test_tasks_come_in_the_order_of_the_run(bench: Bench) -> None:
    order = bench.plan().tasks
    context, _ = bench.run()
    assert [one.task for one in order] == context["execution_order"]


def test_right_after_a_run_all_is_reused(bench: Bench) -> None:
    bench.run()
    plan = bench.plan()
    assert set(statuses(plan).values()) == {"reuse"}
    training = next(one for one in plan.tasks if one.task == "model_training.logistic")
    assert training.output is not None
    assert (bench.workspace.home / training.output / "receipt.json").is_file()
    assert training.took is not None
    assert training.changes == ()
    assert plan.seconds is None
    assert why(plan, "deployment") == "version 1 serves"


def test_a_folder_that_cannot_be_written_is_planned_in(bench: Bench) -> None:
    bench.run()
    told = bench.told()
    folders = [bench.workspace.home, *(one for one in bench.workspace.home.rglob("*") if one.is_dir())]
    for folder in folders:
        folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        plan = Planner(bench.use_case, bench.engines, **told).plan()
    finally:
        for folder in folders:
            folder.chmod(stat.S_IRWXU)
    assert set(statuses(plan).values()) == {"reuse"}


def test_new_files_make_what_follows_depend_on_them(bench: Bench) -> None:
    """What they hold is known when they were read; each task names what it waits for."""
    bench.run()
    bench.table = bench.table.slice(1)
    plan = bench.plan()
    assert why(plan, "feature_store") == "data: purchases: these files are new"
    depends = {one.task: one.after for one in plan.of("depends")}
    assert depends["training_set"] == ("feature_store",)
    assert depends["model_training.boosting"] == ("training_set",)
    assert depends["model_evaluation"] == (
        "training_set",
        "model_training.logistic",
        "model_training.boosting",
    )
    assert depends["model_registry"] == ("model_evaluation",)
    assert depends["gate"] == ("model_registry",)
    assert why(plan, "model_evaluation") == (
        "runs unless training_set, model_training.logistic and model_training.boosting come out the same"
    )


def test_the_same_events_in_other_files_end_it_early(bench: Bench) -> None:
    """Only the reading of them runs: what depended on it comes out the same."""
    bench.run()
    bench.table = bench.table.replace_schema_metadata({"written": "again"})
    assert why(bench.plan(), "feature_store") == "data: purchases: these files are new"
    assert bench.run()[1] == {"feature_store"}


def test_a_changed_definition_is_named_and_runs_for_certain(bench: Bench) -> None:
    bench.run()
    bench.features(*bench.use_case.views[0].features, Count("orders_30d", window=days(30)))
    plan = bench.plan()
    (rows,) = [one for one in plan.tasks if one.task == "training_set"]
    assert rows.changes == (
        "definitions: views.history.features.orders_30d is new",
        "definitions: features.orders_30d is new",
    )
    assert rows.why == "definitions: views.history.features.orders_30d is new (and 1 more)"
    reused = {name for name, status in statuses(plan).items() if status == "reuse"}
    assert reused == {"approval"}


def test_changed_code_of_one_stage_leaves_the_others(bench: Bench) -> None:
    """A model that is in Production keeps its decision."""
    bench.run()
    bench.code["model_evaluation"] = "2"
    plan = bench.plan()
    assert [one.task for one in plan.of("run")] == ["model_evaluation"]
    assert plan.of("depends") == ()
    assert why(plan, "model_evaluation") == "code: shop:model_evaluation changed"


def test_an_output_that_is_gone_or_damaged_is_told(bench: Bench) -> None:
    bench.run()
    bench.damage("training_set")
    bench.remove("model_evaluation")
    plan = bench.plan()
    assert why(plan, "training_set") == "its output was damaged"
    evaluation = next(one for one in plan.tasks if one.task == "model_evaluation")
    assert evaluation.status == "run"
    assert evaluation.why == "its output was removed"


def test_another_policy_is_judged_by_where_the_version_is_not_in_production(bench: Bench) -> None:
    bench.policy(floor=0.999)
    bench.run()
    bench.policy(floor=0.0)
    plan = bench.plan()
    assert why(plan, "gate") == "definitions: policy.floor was 0.999, is 0.0"
    assert statuses(plan)["deployment"] == "depends"
    assert bench.run()[1] == {"gate", "deployment"}


def test_a_person_s_answer_is_waited_for(bench: Bench) -> None:
    bench.policy(approval=Approval(expires=days(7)))
    assert statuses(bench.plan())["deployment"] == "reuse"
    assert why(bench.plan(), "approval") == "asks a person if the gate passes it and nobody was asked this"
    bench.run()
    plan = bench.plan()
    assert set(statuses(plan).values()) == {"reuse"}
    assert "mlops approve shop 1" in why(plan, "deployment")


def test_a_release_that_does_not_serve_is_put_back(bench: Bench) -> None:
    bench.run()
    deployer = bench.engines.deployer
    deployer._current.clear()  # type: ignore[attr-defined]  # as somebody who moves the pointer
    plan = bench.plan()
    assert why(plan, "deployment") == "version 1 is in Production, and is not what serves"
    assert bench.run()[1] == {"deployment"}


def test_what_a_query_gives_is_known_once_it_was_read(bench: Bench) -> None:
    bench.run()
    data = {"purchases": Query(sql="SELECT 1")}
    plan = Planner(bench.use_case, bench.engines, data=data).plan()
    assert why(plan, "feature_store") == "data: purchases: what comes is known only when it was read"
    assert statuses(plan)["training_set"] == "depends"


def test_what_would_fail_before_it_runs_fails_here_by_the_same_words(bench: Bench) -> None:
    """No file, a day before the first event, too little history."""
    bench.run()
    bench.as_of = date(2019, 1, 1)
    with pytest.raises(DataError, match="as of 2019-01-01 there are no events yet") as caught:
        bench.plan()
    assert bench.fails() == str(caught.value)
    bench.as_of = date(2020, 4, 30)
    with pytest.raises(DataError, match="too little history") as caught:
        bench.plan()
    assert bench.fails() == str(caught.value)
    with pytest.raises(NotFound, match="purchases: there is no file"):
        Planner(bench.use_case, bench.engines, data={"purchases": bench.folder / "none.parquet"}).plan()


def test_changed_definitions_that_do_not_serve_yet_bring_the_served_values_too(bench: Bench) -> None:
    """The release goes on reading its own values, so they are made of the new events as well."""
    bench.run()
    bench.policy(floor=0.999)
    bench.features(*bench.use_case.views[0].features[:2])
    bench.run()
    bench.remove("feature_store")
    bench.run()
    assert set(statuses(bench.plan()).values()) == {"reuse"}
    journal = bench.workspace.journal.last("shop", "feature_store")
    assert journal is not None
    assert journal.inputs.definitions == bench.use_case.training_parts  # its own, not what serves
    bench.table = purchases(40).filter(pc.less(purchases(40)["bought_on"], date(2021, 6, 29)))
    assert statuses(bench.plan())["feature_store"] == "run"


def test_time_is_that_of_the_longest_way() -> None:
    """Branches run beside each other; a task without a time adds none."""
    dag = PipelineDAG(
        [
            Task("rows", run=print),
            Task("one", print, ("rows",)),
            Task("other", print, ("rows",)),
            Task("end", print, ("one", "other")),
        ]
    )
    assert longest_path(dag, {"rows": 1.0, "one": 5.0, "other": 7.0, "end": None}) == 8.0
    assert longest_path(dag, {"rows": None, "one": None, "other": None, "end": None}) is None


def test_estimates_are_of_what_may_run(bench: Bench) -> None:
    bench.run()
    bench.code["model_evaluation"] = "2"
    plan = bench.plan()
    timed = {one.task: one.seconds for one in plan.tasks if one.seconds is not None}
    assert set(timed) == {"model_evaluation"}
    assert plan.seconds == timed["model_evaluation"]


def test_values_that_only_the_release_reads_are_made_again(bench: Bench) -> None:
    """It serves by other definitions than those that are being tried."""
    bench.run()
    bench.policy(floor=0.999)
    bench.features(*bench.use_case.views[0].features[:2])
    bench.run()
    for record in (bench.workspace.home / "stages" / "feature_store").glob("*/receipt.json"):
        if json.loads(record.read_bytes())["inputs"]["definitions"] != bench.use_case.training_parts:
            shutil.rmtree(record.parent)
    plan = bench.plan()
    assert why(plan, "feature_store") == (
        "the values that the release reads are brought up to date, by its own definitions"
    )
    assert bench.run()[1] == {"feature_store"}


def test_a_decision_that_was_overtaken_is_entered_again(bench: Bench) -> None:
    for floor in (0.999, 0.998):
        bench.policy(floor=floor)
        bench.run()
    bench.policy(floor=0.999)
    plan = bench.plan()
    assert statuses(plan)["gate"] == "run"
    assert "it is entered again" in why(plan, "gate")
    assert bench.run()[1] == {"gate"}


def test_what_was_rolled_back_from_stays_out_whatever_the_gate_says(bench: Bench) -> None:
    table = bench.table
    bench.table = table.filter(pc.less_equal(table["bought_on"], date(2021, 3, 31)))
    bench.run()
    bench.table = table
    bench.run()
    assert bench.standing.production == 2
    roll_back(bench.engines, "shop", to=1, actor="eva", reason="complaints")
    bench.code["gate"] = "2"
    plan = bench.plan()
    assert statuses(plan)["gate"] == "run"
    assert statuses(plan)["deployment"] == "reuse"
    assert "rolled back" in why(plan, "deployment")
    assert bench.run()[1] == {"gate"}


def test_new_events_by_new_definitions_make_a_new_version_for_certain(bench: Bench) -> None:
    """No version that is registered is of these definitions, whatever the rows are."""
    bench.run()
    bench.table = bench.table.slice(1)
    bench.features(*bench.use_case.views[0].features[:2])
    plan = bench.plan()
    certain = {one.task for one in plan.of("run")}
    assert {"training_set", "model_training.logistic", "model_registry", "gate"} <= certain
    assert certain <= bench.run()[1]
