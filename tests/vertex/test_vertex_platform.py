"""What is particular to Vertex AI; what every target does is in tests/deployer/."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlops_core.adapters.deployer.platform import Placed, Trial
from mlops_core.errors import BadInput, MlopsError, NotFound
from tests.vertex.found import deployed, endpoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.domain.release import Bundle, Release
    from tests.deployer.vertex_rig import FakeVertexRig

    MakeBundle = Callable[..., Bundle]

pytestmark = pytest.mark.live


def test_a_release_is_a_version_of_the_use_case_s_model(
    vertex: FakeVertexRig, three: tuple[Release, Release, Release]
) -> None:
    vertex.deployer.activate(three[1])
    first, second = vertex.vertex.models["mlops-churn"]
    assert [one.version_id for one in (first, second)] == ["1", "2"]
    assert second.version_aliases[0].startswith(f"v2-{three[1].digest[:12]}-")
    assert dict(second.labels) == {"managed-by": "mlops-core", "mlops-name": "churn"}
    assert second.container_spec.health_route == "/v2/health/ready"
    machines = endpoint(vertex).deployed_models[1].dedicated_resources
    assert machines.machine_spec.machine_type == vertex.settings.vertex_machine
    assert (machines.min_replica_count, machines.max_replica_count) == (2, 4)


def test_what_served_before_waits_without_callers_and_older_ones_go(
    vertex: FakeVertexRig, three: tuple[Release, Release, Release]
) -> None:
    vertex.deployer.activate(three[1])
    vertex.deployer.activate(three[2])
    assert deployed(vertex) == {"v2", "v3"}
    assert sorted(endpoint(vertex).traffic_split.values()) == [100]
    operations = len(vertex.vertex.operations.all)
    vertex.deployer.activate(three[1])
    assert len(vertex.vertex.operations.all) == operations, "going back waits for nothing"
    assert vertex.call("churn", 5) == {2: 5}


def test_a_trial_that_is_over_costs_no_machines(
    vertex: FakeVertexRig, three: tuple[Release, Release, Release]
) -> None:
    vertex.deployer.share(three[1], 10)
    vertex.deployer.share(three[2], 10)
    assert deployed(vertex) == {"v1", "v3"}
    vertex.deployer.withdraw("churn")
    assert deployed(vertex) == {"v1"}


def test_a_trial_of_a_hundredth_is_asked_too(
    vertex: FakeVertexRig, three: tuple[Release, Release, Release]
) -> None:
    """Vertex AI lets nobody choose who answers: it is asked until the trial does."""
    vertex.deployer.share(three[1], 1)
    assert vertex.deployer.verify(three[1]) <= three[1].probes.tolerance


@pytest.mark.usefixtures("three")
def test_callers_ask_as_vertex_ai_s_own_clients_do(vertex: FakeVertexRig) -> None:
    """By `predict`, which knows instances and predictions alone."""
    from google.protobuf import struct_pb2  # type: ignore[import-untyped]  # no types

    rows = [{"orders": 1.0, "spend": 2.0}, {"orders": 9.0, "spend": 7.0}]
    instances = [struct_pb2.Value() for _ in rows]
    for value, row in zip(instances, rows, strict=True):
        value.struct_value.update(row)
    place = "projects/shop/locations/europe-west1/endpoints/mlops-churn"
    answer = vertex.calls.services.predictions.predict(endpoint=place, instances=instances)
    assert [set(one) >= {"probability"} for one in answer.predictions] == [True, True]
    assert answer.predictions[0]["probability"] < answer.predictions[1]["probability"]


def test_another_image_is_another_server(
    vertex: FakeVertexRig, three: tuple[Release, Release, Release]
) -> None:
    """Of the same release: activating it deploys it again."""
    before = deployed(vertex)
    image = vertex.settings.image
    assert image is not None
    vertex.settings = vertex.settings.model_copy(update={"image": image.replace("0000", "1111", 1)})
    vertex.deployer.activate(three[0])
    assert deployed(vertex) == before
    old, new = vertex.vertex.models["mlops-churn"]
    assert (old.container_spec.image_uri, new.container_spec.image_uri) == (image, vertex.settings.image)
    serving = max(
        endpoint(vertex).deployed_models, key=lambda one: endpoint(vertex).traffic_split.get(one.id, 0)
    )
    assert serving.model_version_id == "2"


@pytest.mark.parametrize("kind", ["endpoints", "models"])
def test_what_somebody_else_made_is_left_alone(
    vertex: FakeVertexRig, make_bundle: MakeBundle, kind: str
) -> None:
    """An endpoint or model of that very name."""
    from google.cloud.aiplatform_v1 import types

    place = f"projects/1/locations/x/{kind}/mlops-churn"
    endpoint = types.Endpoint(name=place, display_name="mine")
    model = types.Model(name=place, display_name="mine", version_aliases=["default"])
    if kind == "endpoints":
        vertex.vertex.endpoints["mlops-churn"] = endpoint
    else:
        vertex.vertex.models["mlops-churn"] = [model]
    before = str(endpoint), str(model)
    with pytest.raises(BadInput, match="mlops-churn at Vertex AI was not made by this project"):
        vertex.deployer.activate(vertex.deployer.prepare(make_bundle()))
    assert (str(endpoint), str(model)) == before
    assert not vertex.vertex.servers


def test_a_model_that_somebody_deployed_beside_ours_is_not_undeployed(
    vertex: FakeVertexRig, three: tuple[Release, Release, Release]
) -> None:
    from google.cloud.aiplatform_v1 import types

    theirs = types.DeployedModel(id="7", display_name="theirs", model="projects/1/locations/x/models/theirs")
    endpoint(vertex).deployed_models.append(theirs)
    vertex.deployer.activate(three[1])
    vertex.deployer.activate(three[2])
    assert deployed(vertex) == {"v2", "v3", "theirs"}


def test_traffic_that_somebody_moved_is_told_and_promoting_mends_it(
    vertex: FakeVertexRig, three: tuple[Release, Release, Release]
) -> None:
    vertex.deployer.activate(three[1])
    idle, serving = (one.id for one in endpoint(vertex).deployed_models)
    endpoint(vertex).traffic_split = {serving: 40, idle: 60}
    status = vertex.deployer.status("churn")
    assert (status.state, status.serving and status.serving.version) == ("failed", 2)
    assert "changed at Vertex AI itself" in (status.why or "")
    vertex.deployer.activate(three[1])
    assert vertex.deployer.status("churn").state == "ready"
    assert vertex.call("churn", 20) == {2: 20}


def test_a_share_that_somebody_took_away_has_ended(
    vertex: FakeVertexRig, three: tuple[Release, Release, Release]
) -> None:
    vertex.deployer.share(three[1], 25)
    serving, _ = (one.id for one in endpoint(vertex).deployed_models)
    endpoint(vertex).traffic_split = {serving: 100}
    share = vertex.deployer.status("churn").share
    assert share is not None
    assert (share.version, share.percent) == (2, 25)
    assert share.ended == "its share was taken away at Vertex AI itself"


def test_servers_that_do_not_get_ready_are_never_asked(
    vertex: FakeVertexRig, three: tuple[Release, Release, Release]
) -> None:
    """Files that were changed after the release was looked at: its servers verify them, too."""
    placed = Placed.of(three[1], "0" * 64)
    orders: tuple[Callable[[], None], ...] = (
        lambda: vertex.platform.serve(placed),
        lambda: vertex.platform.share(Trial(placed=placed, percent=10)),
    )
    for order in orders:
        with pytest.raises(
            MlopsError, match=r"Model server exited unexpectedly.*what served before still serves"
        ):
            order()
        assert vertex.call("churn", 5) == {1: 5}
    assert deployed(vertex) == {"v1"}


def test_nothing_is_shared_with_nobody(
    vertex: FakeVertexRig, three: tuple[Release, Release, Release]
) -> None:
    with pytest.raises(NotFound, match="nothing of returns serves at Vertex AI yet"):
        vertex.platform.share(
            Trial(placed=Placed.of(three[0], "0" * 64).model_copy(update={"name": "returns"}), percent=5)
        )


def test_another_project_is_refused_by_name(vertex: FakeVertexRig) -> None:
    vertex.settings = vertex.settings.model_copy(update={"vertex_project": "elsewhere"})
    with pytest.raises(BadInput, match=r"aiplatform\.endpoints\.get.*MLOPS_VERTEX_PROJECT"):
        vertex.deployer.status("churn")


def test_the_suite_leaves_nothing_behind(
    vertex: FakeVertexRig, three: tuple[Release, Release, Release]
) -> None:
    """In a project that costs money; here it is the fake that is cleared."""
    vertex.deployer.share(three[1], 10)
    vertex.clear()
    assert (vertex.vertex.endpoints, vertex.vertex.models, vertex.vertex.servers) == ({}, {}, {})
    vertex.clear()


@pytest.mark.usefixtures("three")
def test_the_settings_alone_reach_it(vertex: FakeVertexRig) -> None:
    """By a channel of its own, unsigned since the address is this machine's."""
    from mlops_core.adapters.vertex import VertexPlatform

    platform = VertexPlatform.of(vertex.settings)
    assert platform.seen("churn").serving == vertex.platform.seen("churn").serving
    assert platform.seen("returns").state == "nothing"
