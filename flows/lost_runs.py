"""Runs of which nothing is heard any more: an automation on Prefect's server marks them Crashed.

A worker whose run dies tells the server. When the worker dies too, or the machine, nobody does, and the run
would be Running for ever: what is left then is that its heartbeats stop.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, TaskRunFilter, TaskRunFilterState
from prefect.client.schemas.filters import TaskRunFilterStateType as OpenTypes
from prefect.client.schemas.objects import StateType
from prefect.context import FlowRunContext
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.states import Crashed

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

__all__ = [
    "FLOWS",
    "HEARTBEAT_SECONDS",
    "NAME",
    "SILENT_SECONDS",
    "end_lost_attempts",
    "lost_run_automation",
    "watched",
]

NAME = "mlops-core: lost runs"
FLOWS = ("backfill", "churn", "materialize", "promote", "rollback", "segments", "simulator", "spend")
"""Whose runs are watched: others on this server may send heartbeats less often."""
HEARTBEAT_SECONDS = 30
"""Between two heartbeats: what `pyproject.toml` and `flows/server.py` set. Prefect takes no less."""
SILENT_SECONDS = 3 * HEARTBEAT_SECONDS
"""After which a run is given up: it takes more than one late or lost heartbeat."""
_MESSAGE = (
    "nothing was heard of it for {} s: its machine or worker is gone; run it again, what was done is found"
)
_LEFT = "the attempt of the flow run that this belonged to was lost; the next one does what is missing"
_NEVER_BEGUN = "NotReady"  # since what came before failed: that is the truth, and stays
_LOG = logging.getLogger(__name__)
_HEARTBEAT = "prefect.flow-run.heartbeat"
# Of a run in one of these no heartbeat is due: it is over, parked or waits. Not "Running", which
# may be told after the first heartbeat, nor "Cancelling": nobody finishes it when the worker is gone.
# A run that is over under a name that is missing here stays as it is: the server refuses to have it crash.
_ENDS = ("Completed", "Failed", "Crashed", "Cancelled", "TimedOut")
_VERDICTS = ("AwaitingApproval", "HeldBack", "Rejected", "Void")
_RESTS = ("Suspended", "Paused", "Resuming", "Scheduled", "Late", "AwaitingRetry", "AwaitingConcurrencySlot")


def lost_run_automation(flows: tuple[str, ...] = FLOWS, silent: int = SILENT_SECONDS) -> AutomationCore:
    """The automation that marks runs of these flows Crashed after so many silent seconds, 10 at least."""
    states = (*_ENDS, *_VERDICTS, *_RESTS)
    return AutomationCore(
        name=NAME,
        description=f"Marks a run Crashed when its heartbeats stop for {silent} s.",
        trigger=EventTrigger(
            match={"prefect.resource.id": "prefect.flow-run.*"},
            match_related={"prefect.resource.role": "flow", "prefect.resource.name": sorted(flows)},
            after={_HEARTBEAT},
            expect={_HEARTBEAT, *(f"prefect.flow-run.{state}" for state in states)},
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=timedelta(seconds=silent),
        ),
        actions=[ChangeFlowRunState(state=StateType.CRASHED, message=_MESSAGE.format(silent))],
    )


def watched(client: SyncPrefectClient, automation: AutomationCore | None = None) -> bool:
    """Have the server mark lost runs; returns whether that changed anything there.

    Known by its name: the same again changes nothing, another version of it replaces it. One that was
    switched off in the UI stays off.
    """
    wanted = automation or lost_run_automation()
    there = client.read_automations_by_name(wanted.name)
    if not there:
        client.create_automation(wanted)
        return True
    first, *more = sorted(there, key=lambda one: str(one.id))
    wanted = wanted.model_copy(update={"enabled": first.enabled})
    for one in more:  # made at the same time by another deployment
        client.delete_automation(one.id)
    if _same(wanted, first):
        return bool(more)
    # Prefect's client leaves out what is not set, and the server takes no owner here
    values = wanted.model_dump(exclude={"owner_resource"})
    client.update_automation(first.id, AutomationCore.model_validate(values))
    return True


def end_lost_attempts() -> None:
    """End the task runs that an earlier attempt of the current flow run left Running when it was lost."""
    context = FlowRunContext.get()
    run = context.flow_run if context is not None else None
    if run is None or run.run_count <= 1:
        return
    mine = FlowRunFilter(id=FlowRunFilterId(any_=[run.id]))
    open_ = TaskRunFilter(
        state=TaskRunFilterState(type=OpenTypes(any_=[StateType.RUNNING, StateType.PENDING]))
    )
    try:
        with get_client(sync_client=True) as client:
            for task in client.read_task_runs(flow_run_filter=mine, task_run_filter=open_):
                if task.flow_run_run_count < run.run_count and task.state_name != _NEVER_BEGUN:
                    client.set_task_run_state(task.id, Crashed(message=_LEFT), force=True)
    except Exception as error:  # it is for those who look on: the run itself needs nothing of it
        _LOG.warning("task runs of the attempt before were not ended: %s", error)


def _same(wanted: AutomationCore, found: AutomationCore) -> bool:
    return wanted.model_dump() == AutomationCore.model_validate(found.model_dump()).model_dump()
