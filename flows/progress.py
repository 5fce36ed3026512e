"""What a long stage tells of its progress, as a progress artifact of its task run.

Sent by a thread of its own, so that a stage never waits for the server and never fails for it.
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from contextvars import copy_context
from typing import TYPE_CHECKING

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate
from prefect.context import TaskRunContext

from mlops_core.progress import Progress, heard_by

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import TaskRun

__all__ = ["KEY", "shown"]

KEY = "progress"
"""Of all these artifacts, so that the page of artifacts has one line for them and not one a stage."""
FIRST, EVERY = 2.0, 1.0  # seconds: until a stage counts as long, and between two looks at what it told
FAREWELL = 1.0  # seconds that a long stage waits at its end for what is still to be sent
PATIENCE = 5.0  # seconds for the server to answer
_LOG = logging.getLogger(__name__)


@contextmanager
def shown() -> Iterator[None]:
    """Show what this task run tells meanwhile, from `FIRST` on; at its end, unless it failed, as all done."""
    context = TaskRunContext.get()
    if context is None:
        yield
        return
    told = _Told(context.task_run)
    try:
        with heard_by(told.hear):
            yield
        told.finish()
    finally:
        told.end()


class _Told:
    """The newest of what was told, and the thread that sends it. It only ever goes up."""

    def __init__(self, run: TaskRun) -> None:
        self._run, self._newest = run, Progress("begun", 0.0)
        self._sender: threading.Thread | None = None
        self._ended = threading.Event()

    def hear(self, progress: Progress) -> None:
        """Note it; the thread begins with the first, so who tells nothing costs nothing."""
        self._newest = Progress(progress.what, max(progress.done, self._newest.done))
        if self._sender is None:
            run = copy_context().run  # Prefect keeps in it which server it is
            self._sender = threading.Thread(target=run, args=(self._send,), name="progress", daemon=True)
            self._sender.start()

    def finish(self) -> None:
        """All is done."""
        self._newest = Progress("done", 1.0)

    def end(self) -> None:
        """Nothing more comes. What is over before it counts as long was never sent, so is not waited for."""
        self._ended.set()
        if self._sender is not None:
            self._sender.join(FAREWELL)

    def _send(self) -> None:
        if self._ended.wait(FIRST):
            return
        artifact: UUID | None = None
        sent: Progress | None = None
        # One of its own: the run's, which it would get otherwise, is closed when the run ends.
        with get_client(sync_client=True, httpx_settings={"timeout": PATIENCE}) as client:
            over = False
            while not over:
                over = self._ended.is_set()  # first: what is told before that is sent yet
                newest = self._newest
                if newest != sent:
                    try:
                        artifact, sent = self._put(client, artifact, newest), newest
                    except Exception as error:  # whatever ails the server, the stage goes on
                        _LOG.debug("the progress of %s was not sent: %s", self._run.name, error)
                self._ended.wait(EVERY)

    def _put(self, client: SyncPrefectClient, artifact: UUID | None, progress: Progress) -> UUID:
        share, what = round(100 * progress.done, 1), f"{self._run.name}: {progress.what}"
        if artifact is not None:
            client.update_artifact(artifact, ArtifactUpdate(data=share, description=what))
            return artifact
        new = ArtifactCreate(
            type="progress",
            key=KEY,
            data=share,
            description=what,
            task_run_id=self._run.id,
            flow_run_id=self._run.flow_run_id,
        )
        return client.create_artifact(new).id
