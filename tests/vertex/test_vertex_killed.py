"""Killed in any call to Vertex AI, also where everything is made anew: nothing is made twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.deployer.rig import Killed
from tests.every_point import one_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_core.domain.release import Bundle

pytestmark = pytest.mark.live

MOST_CALLS = 60


@pytest.mark.parametrize("before", [0, 1])
def test_a_first_deployment_killed_anywhere_is_finished_by_the_next(
    request: pytest.FixtureRequest, tmp_path: Path, make_bundle: Callable[..., Bundle], before: int
) -> None:
    """With nothing there, and with a version that serves meanwhile; each time at a Vertex AI of its own."""
    from tests.deployer.vertex_rig import fake

    for calls in range(before % one_in(3), MOST_CALLS, one_in(3)):
        with fake(request, tmp_path) as rig:
            deployer = rig.deployer
            for version in range(1, before + 1):
                deployer.activate(deployer.prepare(make_bundle(version)))
            release = deployer.prepare(make_bundle(before + 1))
            try:
                with rig.dies_after(calls):
                    rig.deployer.activate(release)
                died = False
            except Killed:
                died = True
                if before:
                    assert set(rig.call("churn", 3)) <= {1, 2}
                rig.deployer.activate(release)
            assert rig.call("churn", 3) == {before + 1: 3}
            (endpoint,) = rig.vertex.endpoints.values()
            assert len(endpoint.deployed_models) == len(rig.vertex.models["mlops-churn"]) == before + 1
            assert rig.deployer.status("churn").state == "ready"
        if not died:
            assert calls > 10
            return
    pytest.fail(f"activating takes more than {MOST_CALLS} calls")
