"""The work pool `mlops-kubernetes`: what it makes of a run is a Kubernetes Job as Kubernetes knows it."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import yaml
from kubernetes_asyncio.client import models
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.utilities.schema_tools.validation import validate
from prefect_kubernetes.worker import (  # type: ignore[import-untyped]  # it says nothing of its types
    KubernetesWorker,
    KubernetesWorkerJobConfiguration,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.live  # prefect-kubernetes takes over a second to import

PROJECT = Path(__file__).parents[2]
DOCUMENT: dict[str, Any] = yaml.safe_load((PROJECT / "prefect.yaml").read_text())
(NAME,) = DOCUMENT["definitions"]["pools"]
POOL: dict[str, Any] = DOCUMENT["definitions"]["pools"][NAME]
TEMPLATE: dict[str, Any] = json.loads((PROJECT / POOL["template"]).read_text())
(DEPLOYMENT,) = [one for one in DOCUMENT["deployments"] if one["work_pool"]["name"] == NAME]
VARIABLES: dict[str, Any] = DEPLOYMENT["work_pool"]["job_variables"]


@pytest.fixture(scope="module")
def job() -> dict[str, Any]:
    """The Job of a run of the deployment in the file, as the worker would create it."""
    nobody = PrefectClient("http://127.0.0.1:9/api")  # asked for blocks only, of which there are none
    made = KubernetesWorkerJobConfiguration.from_template_and_values(TEMPLATE, VARIABLES, client=nobody)
    configuration = asyncio.run(made)
    configuration.prepare_for_flow_run(FlowRun(id=uuid4(), flow_id=uuid4(), name="a run"))
    return dict(configuration.job_manifest)


def test_the_worker_has_every_variable_that_it_knows_and_ours() -> None:
    """The template is prefect-kubernetes' own, and more; its type is the worker's."""
    own = KubernetesWorker.get_default_base_job_template()
    assert POOL["type"] == KubernetesWorker.type
    assert own["variables"]["properties"].items() <= TEMPLATE["variables"]["properties"].items()
    assert own["job_configuration"].keys() == TEMPLATE["job_configuration"].keys()


def test_the_job_variables_are_known_and_good() -> None:
    """The server looks at their values; a misspelt name it passes over."""
    validate(VARIABLES, TEMPLATE["variables"], raise_on_error=True)
    assert VARIABLES.keys() <= TEMPLATE["variables"]["properties"].keys()


def test_every_variable_has_its_place_in_the_job() -> None:
    """None is offered that does nothing, and none is used that is not offered."""
    used = set(re.findall(r"{{ (\w+) }}", json.dumps(TEMPLATE["job_configuration"])))
    assert used == TEMPLATE["variables"]["properties"].keys()


def test_kubernetes_knows_every_key_of_the_job(job: dict[str, Any]) -> None:
    """At every level: the API server drops what it does not know, or refuses it."""
    assert list(strange("Job", job, "V1Job")) == []


def test_a_misspelt_key_of_the_job_would_be_noticed(job: dict[str, Any]) -> None:
    """Deep inside, too."""
    bad = json.loads(json.dumps(job))
    bad["spec"]["template"]["spec"]["containers"][0]["volumeMounts"][0]["mountpath"] = "/state"
    assert list(strange("Job", bad, "V1Job")) == ["Job.spec.template.spec.containers.volumeMounts.mountpath"]


def test_state_lies_on_the_volume_and_secrets_come_by_name(job: dict[str, Any]) -> None:
    """MLOPS_HOME is where the claim is mounted; no password is in the job."""
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    environment = {one["name"]: one["value"] for one in container["env"]}
    assert container["volumeMounts"] == [{"name": "state", "mountPath": environment["MLOPS_HOME"]}]
    assert pod["volumes"] == [
        {"name": "state", "persistentVolumeClaim": {"claimName": VARIABLES["state_claim"]}}
    ]
    assert container["envFrom"] == [{"secretRef": {"name": VARIABLES["settings_secret"], "optional": True}}]
    assert container["resources"] == {
        "requests": {"cpu": VARIABLES["cpu_request"], "memory": VARIABLES["memory_request"]},
        "limits": {"cpu": VARIABLES["cpu_limit"], "memory": VARIABLES["memory_limit"]},
    }
    assert pod["serviceAccountName"] == VARIABLES["service_account_name"]
    assert job["metadata"]["namespace"] == VARIABLES["namespace"]
    assert job["spec"]["ttlSecondsAfterFinished"] == VARIABLES["finished_job_ttl"]


def strange(where: str, given: Any, kind: str) -> Iterator[str]:
    """The keys that Kubernetes' own client does not know, by where they stand."""
    if inside := re.fullmatch(r"list\[(\w+)\]", kind):
        for one in given:
            yield from strange(where, one, inside[1])
        return
    model = getattr(models, kind, None)
    if model is None:  # text, a number, or a mapping of any keys
        return
    kinds = {key: model.openapi_types[name] for name, key in model.attribute_map.items()}
    for key, value in given.items():
        if key in kinds:
            yield from strange(f"{where}.{key}", value, kinds[key])
        else:
            yield f"{where}.{key}"
