"""Which runs are watched for going silent, what the server is told, and sentences without tracebacks."""

from __future__ import annotations

import logging
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.states import Crashed

from flows.lost_runs import FLOWS, HEARTBEAT_SECONDS, NAME, SILENT_SECONDS, lost_run_automation, watched
from flows.server import SETTINGS
from flows.tracebacks import spare_tracebacks
from mlops_core.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prefect.client.orchestration import SyncPrefectClient

PROJECT = Path(__file__).parents[2]


def test_all_flows_are_watched() -> None:
    """Each that a file of flows/ declares."""
    texts = [file.read_text() for file in (PROJECT / "flows").glob("*.py")]
    names = {name for text in texts for name in re.findall(r'@flow\(\s*name="([^"]+)"', text)}
    assert names == set(FLOWS)


def test_runs_are_heard_often_enough() -> None:
    """By deployment and by hand, three times before they are given up."""
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["prefect"]
    assert settings["flows"]["heartbeat_frequency"] == HEARTBEAT_SECONDS
    assert SETTINGS["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"] == str(HEARTBEAT_SECONDS)
    assert SILENT_SECONDS >= 3 * HEARTBEAT_SECONDS


@pytest.mark.parametrize("name", ["prefect.flow_runs", "another"])
def test_an_error_of_ours_is_no_traceback_in_a_run_log(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever else logs it, or another error, is left alone."""
    spare_tracebacks()
    for error in (BadInput("no such file"), RuntimeError("a bug")):
        logging.getLogger(name).error("unexpected %s", type(error).__name__, exc_info=error)
    said = ["unexpected BadInput", "unexpected RuntimeError"]
    assert caplog.messages == (said[1:] if name == "prefect.flow_runs" else said)


@pytest.fixture
def client(prefect_server: None) -> Iterator[SyncPrefectClient]:  # noqa: ARG001 - has to be up
    """A client of the server; the automation is gone afterwards."""
    with get_client(sync_client=True) as client:
        yield client
        for one in client.read_automations_by_name(NAME):
            client.delete_automation(one.id)


@pytest.mark.live
def test_the_server_has_the_automation_once(client: SyncPrefectClient) -> None:
    """Made, left alone, replaced by another version of it, and one where two were made at once."""
    assert [watched(client), watched(client)] == [True, False]
    longer = lost_run_automation(silent=120)
    assert [watched(client, longer), watched(client, longer)] == [True, False]
    client.create_automation(longer)
    assert [watched(client, longer), watched(client, longer)] == [True, False]
    (one,) = client.read_automations_by_name(NAME)
    assert one.trigger == longer.trigger
    assert one.enabled


@pytest.mark.live
def test_what_was_switched_off_stays_off(client: SyncPrefectClient) -> None:
    """Also when it is replaced."""
    watched(client)
    (one,) = client.read_automations_by_name(NAME)
    client.pause_automation(one.id)
    assert [watched(client), watched(client, lost_run_automation(silent=120))] == [False, True]
    (one,) = client.read_automations_by_name(NAME)
    assert not one.enabled


@pytest.mark.live
def test_a_run_that_was_marked_by_mistake_ends_as_it_really_did(prefect_server: None) -> None:  # noqa: ARG001 - has to be up
    """It was cut off for a while: its own last word counts."""

    @flow(name="cut off")
    def cut_off() -> str:
        run = FlowRunContext.get()
        assert run is not None
        assert run.flow_run is not None
        with get_client(sync_client=True) as client:
            client.set_flow_run_state(run.flow_run.id, Crashed(message="nothing was heard of it"))
            assert client.read_flow_run(run.flow_run.id).state_name == "Crashed"
        return "done"

    run_id = cut_off(return_state=True).state_details.flow_run_id
    assert run_id is not None
    with get_client(sync_client=True) as client:
        assert client.read_flow_run(run_id).state_name == "Completed"
