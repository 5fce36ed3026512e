"""The stage stubs: what they compute, what they refuse, and that they run on the real DAG."""

from __future__ import annotations

import math
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_core.dag import PipelineDAG
from mlops_core.errors import DataError
from mlops_core.simulator import (
    VersionClock,
    build_mlops_pipeline,
    github_actions_deploy,
    register_model,
    run_pipeline,
    train_model_from_store,
    upsert_feature_store,
)

GOOD_ROWS = [{"entity_id": 1, "feature_value": 0.05}, {"entity_id": 2, "feature_value": 0.07}]
rows_strategy = st.lists(
    st.fixed_dictionaries(
        {"entity_id": st.integers(0, 5) | st.sampled_from(["a", "b", "1"])},
        optional={"feature_value": st.floats(-1e6, 1e6) | st.integers(-100, 100)},
    ),
    min_size=1,
    max_size=20,
)


def entry(stage: str = "Staging", accuracy: float = 0.9) -> dict[str, Any]:
    """A registry entry as `register_model` makes it."""
    return register_model({"metrics": {"validation_accuracy": accuracy}}, name="churn_model", stage=stage)


def test_the_last_row_of_an_entity_wins() -> None:
    """Whatever the type of its id, the entity is known by the id's text."""
    store = upsert_feature_store(
        [{"entity_id": 1, "feature_value": 1}, {"entity_id": "1", "feature_value": 2}]
    )
    assert list(store) == ["1"]
    assert store["1"]["feature_value"] == 2


def test_rows_are_stamped_in_utc_seconds_and_copied() -> None:
    """The stamp is of now, has an offset and no fraction; the caller's row is left alone."""
    row = {"entity_id": "a", "plan": "pro"}
    before = datetime.now(UTC).replace(microsecond=0)
    stored = upsert_feature_store([row])["a"]
    stamp = datetime.fromisoformat(stored["ingested_at"])
    assert before <= stamp <= datetime.now(UTC)
    assert (stamp.microsecond, stamp.utcoffset()) == (0, timedelta(0))
    assert stored == {"entity_id": "a", "plan": "pro", "ingested_at": stored["ingested_at"]}
    assert row == {"entity_id": "a", "plan": "pro"}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"feature_value": 1}, "row 1 (counted from 0) needs an entity_id, but has no such key"),
        ({"entity_id": None}, "row 1 (counted from 0) needs an entity_id, but has None"),
        ({"entity_id": math.nan}, "needs an entity_id, but has nan"),
        ({"entity_id": " "}, "needs an entity_id, but has ' '"),
        ({"entity_id": 1, "feature_value": "3"}, "row 1 (counted from 0) has the feature_value '3' (str)"),
        ({"entity_id": 1, "feature_value": True}, "True (bool)"),
        ({"entity_id": 1, "feature_value": None}, "None (NoneType)"),
        ({"entity_id": 1, "feature_value": math.nan}, "nan (float)"),
        ({"entity_id": 1, "feature_value": -math.inf}, "-inf (float)"),
        ({"entity_id": 1, "feature_value": 10**400}, "inf (int)"),
        ("entity_id", "row 1 (counted from 0) is a str"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused(row: Any, said: str) -> None:
    """By its number, with what came, and never under the key "None"."""
    with pytest.raises(DataError, match=re.escape(said)):
        upsert_feature_store([{"entity_id": 0}, row])


@given(rows_strategy)
def test_the_model_is_a_function_of_the_mean(rows: list[dict[str, Any]]) -> None:
    """Against exact arithmetic; a row without a value counts as zero."""
    store = upsert_feature_store(rows)
    values = [Fraction(row.get("feature_value", 0)) for row in store.values()]
    mean = float(sum(values) / len(values))
    model = train_model_from_store(store)
    assert model["parameters"]["slope"] == pytest.approx(mean / (1 + abs(mean)))
    assert model["metrics"]["validation_accuracy"] == pytest.approx(0.8 + mean % 0.2)
    assert -1 < model["parameters"]["slope"] < 1


def test_an_empty_store_trains_nothing() -> None:
    """It is a ValueError that says what is missing."""
    with pytest.raises(ValueError, match="feature store is empty"):
        train_model_from_store({})


def test_a_store_from_elsewhere_is_checked_too() -> None:
    """The entity is named, because there are no row numbers."""
    with pytest.raises(DataError, match=r"entity 'x' has the feature_value 'high' \(str\)"):
        train_model_from_store({"x": {"feature_value": "high"}})


def test_a_mean_beyond_floats_is_refused() -> None:
    """Rather than a slope that is not a number."""
    huge = sys.float_info.max
    with pytest.raises(DataError, match="too large for their mean"):
        train_model_from_store({"a": {"feature_value": huge}, "b": {"feature_value": huge}})


def test_a_model_without_metrics_is_not_registered() -> None:
    """Neither without the key nor with an empty one."""
    models: list[dict[str, Any]] = [{}, {"metrics": {}}]
    for model in models:
        with pytest.raises(KeyError, match="metrics"):
            register_model(model, name="m", stage="Staging")


def test_versions_are_never_the_same_across_threads() -> None:
    """Eight threads, interrupted as often as Python can, of a clock that stands still."""
    clock = VersionClock(now=lambda: datetime(2026, 1, 31, tzinfo=UTC))

    def some(_: int) -> list[str]:
        return [clock.next() for _ in range(500)]

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            batches = list(pool.map(some, range(8)))
    finally:
        sys.setswitchinterval(interval)
    assert len({version for batch in batches for version in batch}) == 8 * 500
    assert all(batch == sorted(batch) for batch in batches)


@given(st.lists(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1)), min_size=1))  # noqa: DTZ001 - hypothesis wants naive bounds
def test_versions_only_grow_whatever_the_clock_does(times: list[datetime]) -> None:
    """A clock that stands still or is set back repeats no version."""
    ticks = iter(times)
    clock = VersionClock(now=lambda: next(ticks).replace(tzinfo=UTC))
    versions = [clock.next() for _ in times]
    assert versions == sorted(set(versions))
    assert versions[0] == times[0].strftime("%Y%m%dT%H%M%S%fZ")


def test_a_version_tells_the_utc_time() -> None:
    """It reads as a time of about now."""
    time = datetime.strptime(entry()["version"], "%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC)
    assert abs(datetime.now(UTC) - time) < timedelta(minutes=5)


def test_an_entry_keeps_what_was_registered() -> None:
    """Later changes to the model do not reach it."""
    model = train_model_from_store(upsert_feature_store(GOOD_ROWS))
    made = register_model(model, name="m", stage="None")
    model["metrics"]["validation_accuracy"] = 0
    assert (made["name"], made["stage"]) == ("m", "None")
    assert made["metrics"]["validation_accuracy"] == pytest.approx(0.86)


@pytest.mark.parametrize(
    ("stage", "accuracy", "status", "environment"),
    [
        ("Staging", 0.85, "success", "production"),
        ("Staging", 0.8499, "failed", None),
        ("Staging", math.nan, "failed", None),
        ("Production", 0.99, "skipped", None),
        ("staging", 0.1, "skipped", None),
    ],
)
def test_what_is_deployed(stage: str, accuracy: float, status: str, environment: str | None) -> None:
    """Only a staged entry is considered, and only one that is accurate enough reaches production."""
    deployment = github_actions_deploy(entry(stage, accuracy))
    assert (deployment["status"], deployment["environment"]) == (status, environment)
    assert deployment["reason"]


def test_a_staged_entry_without_the_metric_cannot_be_judged() -> None:
    """It is told by name; an entry that is skipped anyway needs no metric."""
    unjudged = register_model({"metrics": {"auc": 0.9}}, name="m", stage="Staging")
    with pytest.raises(KeyError, match="entry 'm' has no metric 'validation_accuracy'"):
        github_actions_deploy(unjudged)
    assert github_actions_deploy({**unjudged, "stage": "None"})["status"] == "skipped"


def test_the_pipeline_is_the_real_dag() -> None:
    """Four tasks in a chain, with the rows in its context."""
    pipeline = build_mlops_pipeline(iter(GOOD_ROWS))
    order = ["feature_store", "model_training", "model_registry", "deployment"]
    assert isinstance(pipeline, PipelineDAG)
    assert pipeline.topological_order() == order
    assert [pipeline.upstream(name) for name in order] == [(), (order[0],), (order[1],), (order[2],)]
    assert pipeline.base_context == {"raw_rows": GOOD_ROWS}


def test_a_run_goes_from_rows_to_production() -> None:
    """The context holds each stage's result and the order they ran in."""
    context = run_pipeline(GOOD_ROWS)
    assert context["execution_order"] == ["feature_store", "model_training", "model_registry", "deployment"]
    assert context["model_training"]["parameters"]["slope"] == pytest.approx(0.06 / 1.06)
    assert context["model_registry"]["name"] == "churn_model"
    assert context["model_registry"]["stage"] == "Staging"
    assert context["deployment"]["status"] == "success"
    assert context["deployment"]["version"] == context["model_registry"]["version"]


@given(rows_strategy)
def test_runs_of_the_same_rows_differ_in_times_only(rows: list[dict[str, Any]]) -> None:
    """It is a simulator without chance."""

    def timeless(context: dict[str, Any]) -> dict[str, Any]:
        for row in context["feature_store"].values():
            del row["ingested_at"]
        for stage in ("model_registry", "deployment"):
            del context[stage]["version"]
        return context

    assert timeless(run_pipeline(rows)) == timeless(run_pipeline(rows))


def test_a_run_raises_what_the_stage_raised() -> None:
    """The error itself, with a note that names the task."""
    with pytest.raises(ValueError, match="feature store is empty") as caught:
        run_pipeline([])
    assert type(caught.value) is DataError
    assert caught.value.__notes__ == ["in task 'model_training', attempt 1"]
    with pytest.raises(DataError, match="row 0") as caught_row:
        run_pipeline([{"feature_value": 1}])
    assert caught_row.value.__notes__ == ["in task 'feature_store', attempt 1"]
