"""What the fake of Vertex AI refuses, asked by Google's own client: what the other tests rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.domain.release import Bundle
    from tests.deployer.vertex_rig import FakeVertexRig

pytestmark = pytest.mark.live

PARENT = "projects/shop/locations/europe-west1"
NAME = f"{PARENT}/endpoints/mlops-churn"
MACHINES = {"machine_spec": {"machine_type": "n1-standard-2"}, "min_replica_count": 1, "max_replica_count": 1}


@pytest.fixture
def served(vertex: FakeVertexRig, make_bundle: Callable[..., Bundle]) -> FakeVertexRig:
    """A version serves."""
    vertex.deployer.activate(vertex.deployer.prepare(make_bundle()))
    return vertex


def requests(id_: str) -> dict[str, tuple[str, dict[str, Any], str]]:
    """By what is wrong with them: the call, the request, and what it is refused with."""

    def update(**fields: Any) -> dict[str, Any]:
        return {"endpoint": {"name": NAME, **fields}, "update_mask": {"paths": list(fields)}}

    def deploy(model: str, **machines: Any) -> dict[str, Any]:
        deployed = {"model": f"{PARENT}/models/{model}", "dedicated_resources": {**MACHINES, **machines}}
        return {"endpoint": NAME, "deployed_model": deployed}

    created = {"parent": PARENT, "endpoint_id": "Churn", "endpoint": {"display_name": "churn"}}
    return {
        "less than 100": ("update_endpoint", update(traffic_split={id_: 90}), "add up to 100"),
        "of what is not deployed": ("update_endpoint", update(traffic_split={"1": 100}), "not deployed"),
        "labels": ("update_endpoint", update(labels={"Key": "value"}), "labels: keys"),
        "a mask of nothing": ("update_endpoint", update(), "update_mask"),
        "an old etag": (
            "update_endpoint",
            {**update(labels={}), "endpoint": {"name": NAME, "etag": "1"}},
            "etag",
        ),
        "traffic": ("undeploy_model", {"endpoint": NAME, "deployed_model_id": "1"}, "not found"),
        "an unknown model": ("deploy_model", deploy("other"), "does not exist"),
        "an unknown version": ("deploy_model", deploy("mlops-churn@7"), "does not exist"),
        "no replicas": ("deploy_model", deploy("mlops-churn", min_replica_count=0), "min_replica_count"),
        "a split without the new one": (
            "deploy_model",
            {**deploy("mlops-churn"), "traffic_split": {"0": 10}},
            "add up to 100",
        ),
        "an id": ("create_endpoint", created, "endpoint_id"),
        "another project": ("get_endpoint", {"name": NAME.replace("shop", "other")}, "Permission denied"),
    }


def test_what_the_protos_forbid_is_refused(served: FakeVertexRig) -> None:
    from google.api_core.exceptions import GoogleAPICallError

    (endpoint,) = served.vertex.endpoints.values()
    (id_,) = endpoint.traffic_split
    client = served.calls.services.endpoints
    for what, (call, request, says) in requests(id_).items():
        with pytest.raises(GoogleAPICallError, match=says):
            getattr(client, call)(request)
        assert dict(endpoint.traffic_split) == {id_: 100}, what


def test_one_thing_at_a_time_is_done_to_an_endpoint(served: FakeVertexRig) -> None:
    """And what has callers is not undeployed beside others."""
    from google.api_core.exceptions import FailedPrecondition

    client = served.calls.services.endpoints
    deployed = {"model": f"{PARENT}/models/mlops-churn@1", "dedicated_resources": MACHINES}
    request = {"endpoint": NAME, "deployed_model": deployed}
    going = client.deploy_model(request).operation
    with pytest.raises(FailedPrecondition, match="other operations running"):
        client.deploy_model(request)
    while not client.get_operation({"name": going.name}).done:
        pass
    (endpoint,) = served.vertex.endpoints.values()
    (id_,) = endpoint.traffic_split
    with pytest.raises(FailedPrecondition, match="has traffic"):
        client.undeploy_model({"endpoint": NAME, "deployed_model_id": id_})


def test_the_new_model_gets_its_traffic_by_the_name_0(served: FakeVertexRig) -> None:
    (endpoint,) = served.vertex.endpoints.values()
    (old,) = endpoint.traffic_split
    client = served.calls.services.endpoints
    deployed = {"model": f"{PARENT}/models/mlops-churn@1", "dedicated_resources": MACHINES}
    request = {"endpoint": NAME, "deployed_model": deployed, "traffic_split": {old: 90, "0": 10}}
    going = client.deploy_model(request).operation
    while not client.get_operation({"name": going.name}).done:
        assert dict(endpoint.traffic_split) == {old: 100}
    assert sorted(endpoint.traffic_split.values()) == [10, 90]
    assert endpoint.traffic_split[old] == 90
