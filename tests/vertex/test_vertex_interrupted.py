"""What Vertex AI does while nobody waits, or does not do just now."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from mlops_core.errors import Unavailable
from tests.vertex.found import deployed, endpoint

if TYPE_CHECKING:
    from mlops_core.domain.release import Release
    from tests.deployer.vertex_rig import FakeVertexRig

pytestmark = pytest.mark.live


def test_a_trial_that_never_answers_is_not_taken_for_proved(
    vertex: FakeVertexRig, three: tuple[Release, Release, Release]
) -> None:
    """The number of requests has an end, and the trial is taken back."""
    vertex.vertex.unheard = 2
    with pytest.raises(Unavailable, match="none of 20 requests for churn was answered by version 2"):
        vertex.deployer.share(three[1], 60)
    assert vertex.deployer.status("churn").share is None
    assert vertex.call("churn", 5) == {1: 5}


def test_a_server_that_is_busy_for_a_moment_is_asked_again(
    vertex: FakeVertexRig, three: tuple[Release, Release, Release]
) -> None:
    """Else what has just been promoted would be taken back."""
    vertex.vertex.hiccups = {"RawPredict": 3}
    vertex.deployer.activate(three[1])
    assert vertex.vertex.hiccups == {"RawPredict": 0}
    vertex.vertex.hiccups = {"RawPredict": 20}
    with pytest.raises(Unavailable, match=r"currently unavailable.*Version 2 serves again"):
        vertex.deployer.activate(three[2])
    assert vertex.call("churn", 5) == {2: 5}


def test_what_was_not_done_in_time_is_waited_for_and_not_done_twice(
    vertex: FakeVertexRig, three: tuple[Release, Release, Release]
) -> None:
    vertex.vertex.operations.stalled = True
    vertex.settings = vertex.settings.model_copy(update={"target_timeout": 0.05})
    with pytest.raises(Unavailable, match=r"not done after 0\.05 s \(MLOPS_TARGET_TIMEOUT\)"):
        vertex.deployer.activate(three[1])
    with pytest.raises(Unavailable, match="after what goes on"):
        vertex.deployer.activate(three[1])
    assert vertex.deployer.status("churn").state == "changing"
    vertex.vertex.operations.stalled = False
    vertex.settings = vertex.settings.model_copy(update={"target_timeout": 30.0})
    vertex.deployer.activate(three[1])
    assert len(vertex.vertex.models["mlops-churn"]) == len(endpoint(vertex).deployed_models) == 2


@pytest.mark.usefixtures("three")
def test_what_goes_on_is_found_behind_a_long_history(vertex: FakeVertexRig) -> None:
    """Google keeps operations for weeks, and lists them by the page."""
    from google.cloud.aiplatform_v1 import types

    operations, name = vertex.vertex.operations, endpoint(vertex).name
    for _ in range(250):
        operations.begin(name, types.DeployModelOperationMetadata(), types.DeployModelResponse).done = True
    assert vertex.deployer.status("churn").state == "ready"
    operations.begin(name, types.DeployModelOperationMetadata(), types.DeployModelResponse)
    assert vertex.deployer.status("churn").state == "changing"


def test_going_back_and_ending_a_trial_wait_for_nothing_else(
    vertex: FakeVertexRig, three: tuple[Release, Release, Release]
) -> None:
    """Callers go over at once, while something else is deployed there and hangs."""
    one, two, other = three
    for release in (other, one, two):
        vertex.deployer.activate(release)
    vertex.deployer.share(one, 40)
    hung = vertex.vertex.operations
    hung.stalled = True
    vertex.settings = vertex.settings.model_copy(update={"target_timeout": 0.3})
    with pytest.raises(Unavailable, match="goes on there"):
        vertex.deployer.share(other, 10)
    vertex.deployer.withdraw("churn")
    assert vertex.call("churn", 20) == {2: 20}
    vertex.deployer.activate(one)
    assert vertex.call("churn", 20) == {1: 20}
    hung.stalled = False
    vertex.deployer.withdraw("churn")
    assert deployed(vertex) == {"v1", "v2"}
    assert vertex.deployer.status("churn").state == "ready"


def test_an_operation_out_of_sight_for_a_moment_is_looked_for_again(
    vertex: FakeVertexRig, three: tuple[Release, Release, Release]
) -> None:
    vertex.vertex.hiccups = {"GetOperation": 4}
    vertex.deployer.activate(three[1])
    vertex.vertex.hiccups = {"GetOperation": 5}
    with pytest.raises(Unavailable, match="out of reach"):
        vertex.deployer.activate(three[2])


def test_what_cannot_be_cleaned_up_is_no_failure_and_goes_next_time(
    vertex: FakeVertexRig, three: tuple[Release, Release, Release], caplog: pytest.LogCaptureFixture
) -> None:
    """Callers are answered as they should be; that machines still cost is said."""
    import grpc  # type: ignore[import-untyped]  # it ships no types

    vertex.deployer.activate(three[1])
    vertex.vertex.refusing = ("UndeployModel", grpc.StatusCode.PERMISSION_DENIED, "denied")
    with caplog.at_level(logging.WARNING):
        vertex.deployer.activate(three[2])
    assert "stays deployed and costs its machines" in caplog.text
    assert "aiplatform.endpoints.undeploy" in caplog.text
    vertex.vertex.refusing = None
    assert deployed(vertex) == {"v1", "v2", "v3"}
    vertex.deployer.activate(three[2])
    assert deployed(vertex) == {"v2", "v3"}
