"""`prefect.yaml` says what it means: Prefect ignores misspelt keys and does not look at schedules' values."""

from __future__ import annotations

import inspect
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from prefect import Flow
from prefect.cli.deploy._models import (  # where Prefect says which keys it reads; there is no public place
    ConcurrencyLimitSpec,
    DeploymentConfig,
    PrefectYamlModel,
    RawScheduleConfig,
    WorkPoolConfig,
)
from prefect.client.schemas.objects import ConcurrencyLimitStrategy, ConcurrencyOptions
from prefect.client.schemas.schedules import CronSchedule
from prefect.flows import load_flow_from_entrypoint
from prefect.utilities.importtools import import_object

from flows.backfill import BackfillParameters
from flows.churn import ChurnParameters
from flows.segments import SegmentsParameters
from flows.settle import DEPLOYMENT
from flows.simulator import SimulatorParameters
from flows.spend import SpendParameters
from mlops_core.parameters import PromotionParameters, RefreshParameters, RollbackParameters
from mlops_core.validation import validated

if TYPE_CHECKING:
    from pydantic import BaseModel

FILE = Path(__file__).parents[2] / "prefect.yaml"
DOCUMENT: dict[str, Any] = yaml.safe_load(FILE.read_text())
DEPLOYMENTS: list[dict[str, Any]] = DOCUMENT["deployments"]
MODELS: dict[str, type[BaseModel]] = {
    "backfill": BackfillParameters,
    "churn": ChurnParameters,
    "materialize": RefreshParameters,
    "promote": PromotionParameters,
    "rollback": RollbackParameters,
    "segments": SegmentsParameters,
    "simulator": SimulatorParameters,
    "spend": SpendParameters,
}
EXAMPLES = {  # of what has to be given by whoever starts a run
    "first": "1998-03-31",
    "last": "1998-06-30",
    "reason": "complaints",
    "use_cases": ["churn"],
}
OUR_OWN = {"definitions"}  # anchors; Prefect ignores what it does not know


def title(deployment: dict[str, Any]) -> str:
    """`flow/name`, by the entrypoint."""
    return f"{deployment['entrypoint'].rpartition('.')[2]}/{deployment['name']}"


EACH = pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=title)


def load(deployment: dict[str, Any]) -> Flow[Any, Any]:
    """The flow of a deployment, found as a worker finds it."""
    found: Flow[Any, Any] = load_flow_from_entrypoint(deployment["entrypoint"])
    return found


def unknown_keys(document: dict[str, Any]) -> list[str]:
    """The keys that Prefect would pass over in silence, by where they stand."""
    found = _strange("", document, PrefectYamlModel, OUR_OWN)
    for number, deployment in enumerate(document["deployments"]):
        where = f"deployments[{number}]."
        found += _strange(where, deployment, DeploymentConfig)
        found += _strange(f"{where}work_pool.", deployment["work_pool"], WorkPoolConfig)
        found += _strange(
            f"{where}concurrency_limit.", deployment.get("concurrency_limit", {}), ConcurrencyLimitSpec
        )
        for schedule in deployment.get("schedules", []):
            found += _strange(f"{where}schedules.", schedule, RawScheduleConfig)
    return found


def _strange(
    where: str,
    given: dict[str, Any],
    model: type[BaseModel],
    more: set[str] = frozenset(),  # type: ignore[assignment]  # read only
) -> list[str]:
    known = {*model.model_fields, *(field.alias for field in model.model_fields.values()), *more}
    return [f"{where}{key}" for key in given if key not in known]


def test_prefect_knows_every_key() -> None:
    """Nothing in the file is passed over in silence, and the whole parses."""
    assert unknown_keys(DOCUMENT) == []
    PrefectYamlModel.model_validate(DOCUMENT)


@pytest.mark.parametrize("place", ["top", "deployment", "pool", "limit", "schedule"])
def test_a_misspelt_key_would_be_noticed(place: str) -> None:
    """The test above looks everywhere in the file."""
    document = yaml.safe_load(FILE.read_text())
    first = document["deployments"][0]
    parts = {
        "top": document,
        "deployment": first,
        "pool": first["work_pool"],
        "limit": first["concurrency_limit"],
        "schedule": first["schedules"][0],
    }
    parts[place]["paramters"] = {}
    assert unknown_keys(document)


@EACH
def test_a_deployment_names_a_flow(deployment: dict[str, Any]) -> None:
    """Its entrypoint can be imported, and the file says what the flow is for."""
    found = load(deployment)
    assert isinstance(found, Flow)
    assert found.name in MODELS
    assert deployment["description"]


@EACH
def test_parameters_of_deployments_and_schedules_are_good(deployment: dict[str, Any]) -> None:
    """Alone and under each schedule's they pass our check, but for what is required and not given.

    What runs by itself needs nothing given.
    """
    found = load(deployment)
    required = set(found.parameters.required or ())
    own = deployment.get("parameters", {})
    assert not (required - own.keys() and deployment.get("schedules"))
    for schedule in [{}, *deployment.get("schedules", [])]:
        values = own | schedule.get("parameters", {})  # as Prefect merges them
        asked = {name: EXAMPLES[name] for name in required - values.keys()}
        validated(MODELS[found.name], values | asked)
        found.validate_parameters(values | asked)


@EACH
def test_schedules_can_be_meant(deployment: dict[str, Any]) -> None:
    """Cron expression and time zone are valid, slugs are there and unique within the deployment."""
    schedules = deployment.get("schedules", [])
    for schedule in schedules:
        CronSchedule(cron=schedule["cron"], timezone=schedule["timezone"])
    slugs = [schedule["slug"] for schedule in schedules]
    assert len(set(slugs)) == len(slugs)


def test_some_deployment_has_schedules_with_parameters_and_time_zones_of_their_own() -> None:
    """The file shows that one deployment can run on several schedules that differ."""
    several = [one["schedules"] for one in DEPLOYMENTS if len(one.get("schedules", [])) > 1]
    assert any(
        len({str(schedule.get("parameters")) for schedule in schedules}) > 1
        and len({schedule["timezone"] for schedule in schedules}) > 1
        for schedules in several
    )


@EACH
def test_a_deployment_bears_the_projects_tag(deployment: dict[str, Any]) -> None:
    """By which one is found that is in the file no longer; it is the last word on what is scheduled too."""
    assert deployment["tags"][0] == DOCUMENT["name"]
    assert ("scheduled" in deployment["tags"]) == bool(deployment.get("schedules"))


@EACH
def test_what_is_bad_is_refused_by_the_flow(deployment: dict[str, Any]) -> None:
    """The server's own check would refuse it in other words."""
    assert deployment["enforce_parameter_schema"] is False


@EACH
def test_runs_that_meet_are_told_what_to_do(deployment: dict[str, Any]) -> None:
    """What is scheduled runs once at a time; where the next would do the same it is dropped."""
    limit = deployment.get("concurrency_limit")
    if limit is None:
        assert not deployment.get("schedules")
        return
    options = ConcurrencyOptions.model_validate({key: limit[key] for key in limit if key != "limit"})
    hourly = any(one["cron"].endswith("* * * *") for one in deployment.get("schedules", []))
    expected = ConcurrencyLimitStrategy.CANCEL_NEW if hourly else ConcurrencyLimitStrategy.ENQUEUE
    assert (limit["limit"], options.collision_strategy) == (1, expected)


def test_every_flow_is_deployed() -> None:
    """One that was forgotten would have no form."""
    assert {load(one).name for one in DEPLOYMENTS} == set(MODELS)
    files = {
        file.stem for file in FILE.with_name("flows").glob("*.py") if "run_from_shell(" in file.read_text()
    }
    assert files - {"shell"} == set(MODELS)


@pytest.mark.parametrize("step", DOCUMENT["build"], ids=lambda step: next(iter(step)))
def test_a_step_can_be_called(step: dict[str, dict[str, Any]]) -> None:
    """With the arguments that the file gives it."""
    ((name, arguments),) = step.items()
    inspect.signature(import_object(name)).bind(**arguments)


def test_promotion_is_where_delivery_looks_for_it() -> None:
    """Delivery parks a question at this deployment, which must let any number of them wait at a time."""
    (found,) = [one for one in DEPLOYMENTS if title(one) == DEPLOYMENT]
    assert "concurrency_limit" not in found
    assert "schedules" not in found


def test_names_are_unique_within_a_flow() -> None:
    """Two of the same name would overwrite each other, in the order of the file."""
    assert [name for name, count in Counter(map(title, DEPLOYMENTS)).items() if count > 1] == []
