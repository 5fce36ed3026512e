"""Asking a release beside the one that answers: in a thread, from a short queue, never in a caller's way."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Shadow"]

_WAITING = 64  # requests; each holds its body until it is asked
_IDLE_SECONDS = 5.0


class Shadow:
    """Does jobs one after the other in a thread, which ends when there is nothing to do for a while."""

    def __init__(self) -> None:
        self._jobs: queue.Queue[Callable[[], object]] = queue.Queue(_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def take(self, job: Callable[[], object]) -> bool:
        """Do the job by and by; False, and it is dropped, when too many wait already. It raises nothing."""
        with self._lock:
            try:
                self._jobs.put_nowait(job)
            except queue.Full:
                return False
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="shadow", daemon=True)
                self._thread.start()
        return True

    def _work(self) -> None:
        while True:
            try:
                job = self._jobs.get(timeout=_IDLE_SECONDS)
            except queue.Empty:
                with self._lock:
                    if self._jobs.empty():
                        self._thread = None
                        return
            else:
                job()
