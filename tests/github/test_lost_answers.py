"""Whatever request the line dies at, before or after it was served, there is one delivery in the end."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_core.errors import Unavailable
from tests.github.conftest import ORDER, Scene
from tests.github.fake import FakeGitHub, Fault

BEFORE, AFTER = Fault("hang up before"), Fault("hang up after")
ILL, DONE = Fault("answer", status=503), Fault("answer after", status=502)
LIMIT = Fault("answer", status=429, headers={"Retry-After": "3"}, message="Too many requests")
REQUESTS = 7  # of an order that goes well


def _delivered_once(scene: Scene) -> bool:
    return (scene.states, scene.runs) == ({1: "queued"}, ["1"])


def test_an_order_that_goes_well_asks_so_often(scene: Scene) -> None:
    """So that the tests below break the line at every request."""
    scene.deployer().dispatch(ORDER)
    assert scene.asked == [
        "GET /deployments",
        "POST /deployments",
        "GET /deployments",
        "GET /deployments/1/statuses",
        "POST /actions/workflows/deliver.yml/dispatches",
        "GET /deployments/1/statuses",
        "POST /deployments/1/statuses",
    ]
    assert len(scene.asked) == REQUESTS


@pytest.mark.parametrize("fault", [BEFORE, AFTER, ILL, DONE, LIMIT])
@pytest.mark.parametrize("request_number", range(REQUESTS))
def test_one_failed_request_is_made_good_at_once(scene: Scene, request_number: int, fault: Fault) -> None:
    scene.github.fail(*[None] * request_number, fault)
    handed = scene.deployer().dispatch(ORDER)
    assert handed.state == "queued"
    assert handed.url == "https://github.com/acme/churn/actions/runs/9001"
    assert _delivered_once(scene)


@pytest.mark.parametrize("fault", [BEFORE, AFTER])
@pytest.mark.parametrize("request_number", range(REQUESTS))
def test_who_is_cut_off_for_good_finds_it_when_ordering_again(
    scene: Scene, request_number: int, fault: Fault
) -> None:
    scene.github.fail(*[None] * request_number, fault, *[BEFORE] * 40)
    with pytest.raises(Unavailable, match="does not answer"):
        scene.deployer().dispatch(ORDER)
    scene.github.fail()
    assert scene.deployer().dispatch(ORDER).state == "queued"
    assert _delivered_once(scene)


FAULTS = st.lists(st.sampled_from([None, BEFORE, AFTER, ILL, DONE, LIMIT]), max_size=14)


@settings(max_examples=15, deadline=None)
@given(sittings=st.lists(FAULTS, min_size=1, max_size=3))
def test_any_number_of_faults_makes_no_second_delivery(sittings: list[list[Fault | None]]) -> None:
    with FakeGitHub() as github:
        scene = Scene(github)
        for faults in sittings:
            github.fail(*faults)
            try:
                scene.deployer().dispatch(ORDER)
            except Unavailable:
                continue
        github.fail()
        assert scene.deployer().dispatch(ORDER).state == "queued"
        assert _delivered_once(scene)
        assert github.complaints == []
